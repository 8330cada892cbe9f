import type { AddressInfo } from 'node:net';
import { stopOnSignal } from './graceful-stop';
import { hopTo } from './hop';
import { createLog } from './log';
import { createGateway } from './server';
import { readSettings, SettingsError, type Settings } from './settings';

try {
  start(readSettings(process.env));
} catch (error) {
  if (!(error instanceof SettingsError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}

function start({ AUX_URL, AUX_TIMEOUT_MS, API_HOSTS, HOST, PORT, LOG_LEVEL }: Settings): void {
  const log = createLog('api', LOG_LEVEL);
  const server = createGateway({ hop: hopTo(AUX_URL, AUX_TIMEOUT_MS), hosts: API_HOSTS, log });
  stopOnSignal(server, log);
  server.listen(PORT, HOST, () => {
    log.info({ port: (server.address() as AddressInfo).port, aux: AUX_URL }, 'listening');
  });
}
