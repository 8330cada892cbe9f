import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { findMoto, type MotoCommand } from '../src/machine/find-moto';
import { startMoto } from '../src/front/moto';

jest.setTimeout(60_000);

const account = '123456789012';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'moto-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

test('a port that another program took meanwhile is given up for the next', async () => {
  const taken = await listening();
  const ports = [taken.port, await freePort()];
  const moto = await startMoto({
    command: await findMoto(),
    account,
    logFile: path.join(folder, 'moto.log'),
    choosePort: () => Promise.resolve(ports.shift() ?? 0),
  });

  expect(ports).toEqual([]);
  expect(moto.port).not.toBe(taken.port);
  expect((await fetch(`http://${moto.host}:${moto.port}/moto-api/`)).status).toBe(200);

  moto.process.kill();
  await once(moto.process, 'exit');
  taken.server.close();
});

test('a moto that falls over at the start is reported with the end of its log', async () => {
  const command: MotoCommand = {
    command: '/bin/sh',
    args: ['-c', 'echo "no module named flask" >&2; exit 3'],
  };

  await expect(startMoto({ command, account, logFile: path.join(folder, 'moto.log') })).rejects.toThrow(
    "The local AWS did not start: moto ended by itself. The end of moto's log:\nno module named flask",
  );
});

async function freePort(): Promise<number> {
  const { server, port } = await listening();
  server.close();
  await once(server, 'close');
  return port;
}

async function listening(): Promise<{ server: Server; port: number }> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, port: (server.address() as { port: number }).port };
}
