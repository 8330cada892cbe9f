import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fromHttp } from '@aws-sdk/credential-providers';
import { type Api, grants, late, startApi } from './api';
import { PATH, TOKEN } from './local-proxy';
import { buildProgram, type Program, start } from './process';

jest.setTimeout(40_000);

let api: Api;
let main: string;
let folder: string;
let ca: string;
const running: Program[] = [];

beforeAll(async () => {
  api = await startApi();
  main = buildProgram();
  folder = mkdtempSync(join(tmpdir(), 'slipway-program-'));
  ca = join(folder, 'ca.pem');
  writeFileSync(ca, api.ca);
});
beforeEach(() => {
  api.reply = grants();
  api.targets.length = 0;
  api.tokens.length = 0;
});
afterEach(async () => {
  for (const { child, ended } of running.splice(0)) {
    child.kill('SIGKILL');
    await ended;
  }
});
afterAll(async () => {
  await api.down();
  for (const each of [folder, dirname(main)]) rmSync(each, { recursive: true });
});

/** Started as itself, or by a program that starts it. */
function program(args: readonly string[], env: Record<string, string> = {}, before: readonly string[] = []) {
  const [command = '', ...rest] = [...before, process.execPath, main, ...args];
  const started = start(command, rest, env);
  running.push(started);
  return started;
}

const flags = () => ['--hostname', api.host, '--ca', ca];

function get(port: number): Promise<Response> {
  const headers = { authorization: TOKEN, connection: 'close' };
  return fetch(`http://127.0.0.1:${port}${PATH}`, { headers, signal: AbortSignal.timeout(8000) });
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

describe('is told what to do', () => {
  test('by flags, as the first users give them', async () => {
    const { port } = program([
      '--hostname',
      api.host,
      `--ca=${ca}`,
      '--cache_mode=store',
      '--max_queue_size=1000000',
      '--port',
      '0',
    ]);
    expect((await get(await port)).status).toBe(200);
    expect((await get(await port)).status).toBe(200);
    expect(api.targets).toHaveLength(1);
  });

  test('by variables, and by a file; a flag goes before a variable, and that before the file', async () => {
    const file = join(folder, 'proxy.conf');
    writeFileSync(
      file,
      `# The API\nSLIPWAY_PROXY_HOSTNAME=nowhere.example\nSLIPWAY_PROXY_CACHE_MODE=none\n\nSLIPWAY_PROXY_PORT=1\nSLIPWAY_PROXY_CA=${ca}\n`,
    );
    const env = { SLIPWAY_PROXY_HOSTNAME: api.host, SLIPWAY_PROXY_CONFIG: file, SLIPWAY_PROXY_PORT: '2' };
    const { port, output } = program(['--port=0'], env);
    for (const n of [1, 2]) {
      const { AccessKeyId } = (await (await get(await port)).json()) as Record<string, string>;
      expect(AccessKeyId).toBe(`ASIA${n}`);
    }
    expect(output.out).toContain(`"api":"https://${api.host}"`);
  });

  test('--help', async () => {
    const { ended, output } = program(['--help']);
    expect(await ended).toBe(0);
    expect(output.out).toContain('--hostname HOST');
  });

  test('what is wrong is told in a sentence, and is the end', async () => {
    const { ended, output } = program(['--hostname', 'abc.example', '--port=70000']);
    expect(await ended).toBe(1);
    expect(output.errors).toMatch(
      /^The node proxy can't start: --port is wrong \(.*\)\. --help shows all flags\.\n$/,
    );
  });

  test('a port that another program has is a reason to say so, as it gets the tokens', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as { port: number };
    const { ended, output } = program([...flags(), `--port=${port}`]);
    expect(await ended).toBe(1);
    expect(output.errors).toMatch(/another program has it, and gets the tokens/);
    taken.close();
  });
});

test('an API with a certificate that nobody vouches for gets no token', async () => {
  const { port, output } = program(['--hostname', api.host, '--port=0']);
  expect((await get(await port)).status).toBe(503);
  expect(api.tokens).toEqual([]);
  await sleep(300);
  expect(output.out).toMatch(/"reason":"(DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN)"/);
});

test('on SIGTERM it answers what is in flight, and ends', async () => {
  api.reply = late(500, grants());
  const { port, child, ended, output } = program([...flags(), '--port=0']);
  const answer = get(await port);
  await sleep(200);
  child.kill('SIGTERM');
  expect((await answer).status).toBe(200);
  expect(await ended).toBe(0);
  expect(output.out).toContain('"msg":"stopped"');
  expect(output.out).not.toMatch(/ASIA|secret-|token-|roleSessionName/);
});

/** Holds a socket and starts the program anew whenever it ends, as systemd does. Its own end ends the program. */
const KEEPER = `
import ctypes, os, signal, socket, sys
listening = socket.create_server((sys.argv[1], int(sys.argv[2])), backlog=4096)
print('{"port":%d,"msg":"listening"}' % listening.getsockname()[1], flush=True)
while True:
    child = os.fork()
    if child == 0:
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)
        os.dup2(listening.fileno(), 3)
        os.set_inheritable(3, True)
        os.environ.update(LISTEN_FDS='1', LISTEN_PID=str(os.getpid()))
        os.execv(sys.argv[3], sys.argv[3:])
    print('child', child, flush=True)
    os.waitpid(child, 0)
`;

function kept(address: string, port: number): Program {
  return program(flags(), {}, ['python3', '-c', KEEPER, address, String(port)]);
}

function childOf({ output }: Program): number {
  return Number([...output.out.matchAll(/child (\d+)/g)].at(-1)?.[1]);
}

describe('on a socket that another program holds', () => {
  test('it serves on it', async () => {
    const port = await kept('127.0.0.1', 0).port;
    expect((await get(port)).status).toBe(200);
  });

  const activate = has('systemd-socket-activate') ? test : test.skip;
  activate('as systemd hands it over (needs systemd-socket-activate)', async () => {
    const port = await freePort();
    const { output } = program(flags(), {}, ['systemd-socket-activate', '-l', `127.0.0.1:${port}`]);
    while (!output.errors.includes('Listening on')) await sleep(20);
    expect((await get(port)).status).toBe(200);
  });

  test('it does not serve on one that other machines can reach', async () => {
    const keeper = kept('0.0.0.0', 0);
    await keeper.port;
    while (!keeper.output.errors.includes('.\n')) await sleep(20);
    expect(keeper.output.errors).toMatch(
      /the socket that was handed over is on 0\.0\.0\.0; it must be on 127\.0\.0\.1/,
    );
  });

  test('SIGTERM and a new start under load: no request is lost, without any retry', async () => {
    const keeper = kept('127.0.0.1', 0);
    const port = await keeper.port;
    let [answers, going] = [0, true];
    const clients = Array.from({ length: 10 }, async () => {
      while (going) {
        expect((await get(port)).status).toBe(200);
        answers += 1;
      }
    });
    for (let restarts = 0; restarts < 2; restarts += 1) {
      const before = answers;
      while (answers < before + 50) await sleep(20);
      process.kill(childOf(keeper), 'SIGTERM');
    }
    const before = answers;
    while (answers < before + 50) await sleep(20);
    going = false;
    await Promise.all(clients);
    expect(keeper.output.out.match(/child /g)).toHaveLength(3);
  });

  test('kill -9 and a new start under load: no client of the SDK notices', async () => {
    const keeper = kept('127.0.0.1', 0);
    const port = await keeper.port;
    let [fetched, going] = [0, true];
    const clients = Array.from({ length: 10 }, async () => {
      while (going) {
        const provider = fromHttp({
          awsContainerCredentialsFullUri: `http://127.0.0.1:${port}${PATH}`,
          awsContainerAuthorizationToken: TOKEN,
        });
        expect((await provider()).accessKeyId).toMatch(/^ASIA/);
        fetched += 1;
      }
    });
    for (let kills = 0; kills < 3; kills += 1) {
      const before = fetched;
      while (fetched < before + 50) await sleep(20);
      process.kill(childOf(keeper), 'SIGKILL');
    }
    const before = fetched;
    while (fetched < before + 50) await sleep(20);
    going = false;
    await Promise.all(clients);
    expect(keeper.output.out.match(/child /g)).toHaveLength(4);
  });
});

describe("systemd's units", () => {
  const verify = has('systemd-analyze') ? test : test.skip;
  verify('hold together, and expose little (needs systemd-analyze)', () => {
    const units = join(folder, 'units');
    cpSync(join(__dirname, '../systemd'), units, { recursive: true });
    const [service, socket] = ['service', 'socket'].map((kind) => join(units, `slipway-node-proxy.${kind}`));
    const text = readFileSync(service ?? '', 'utf8');
    // The only thing in it that this machine lacks.
    writeFileSync(service ?? '', text.replace(/^ExecStart=.*$/m, `ExecStart=${process.execPath} ${main}`));
    const analyze = (...args: string[]) =>
      execFileSync('systemd-analyze', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
    expect(analyze('verify', service ?? '', socket ?? '')).toBe('');
    const exposure = Number(
      /exposure level for \S+: ([\d.]+)/.exec(analyze('security', '--offline=yes', service ?? ''))?.[1],
    );
    expect(exposure).toBeLessThan(2);
  });
});

function has(command: string): boolean {
  try {
    execFileSync(command, ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
