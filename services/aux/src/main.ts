import type { AddressInfo } from 'node:net';
import { roleCredentials } from '@slipway/runtime';
import { awsOf } from './aws';
import { stopOnSignal } from './graceful-stop';
import { createLog } from './log';
import { createAux } from './server';
import { readSettings, SettingsError, type Settings } from './settings';

// The SDK's versions are pinned; its notice of the end of Node 20's support tells an operator nothing.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true';

try {
  start(readSettings(process.env));
} catch (error) {
  // The runtime's, too, says what to do: a role's ARN, say, that is none.
  if (!(error instanceof SettingsError || (error as Error).name === 'RoleCredentialsError')) throw error;
  console.error((error as Error).message);
  process.exitCode = 1;
}

function start({ AWS_ROLE_ARN: role, AWS_REGION: region, AWS_ENDPOINT_URL, ...own }: Settings): void {
  const log = createLog('aux', own.LOG_LEVEL);
  const credentials = roleCredentials({
    onNotice: (notice) => {
      log.warn(notice);
    },
  });
  const aws = awsOf({ region, credentials, customEndpoint: AWS_ENDPOINT_URL !== undefined });
  const server = createAux({ aws, role, log });
  stopOnSignal(server, log);
  server.listen(own.PORT, own.HOST, () => {
    log.info({ port: (server.address() as AddressInfo).port, role }, 'listening');
  });
}
