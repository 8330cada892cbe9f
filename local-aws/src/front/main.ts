import { renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { LocalAwsError } from '../errors';
import { MotoConnections } from './answers/moto-connections';
import { Credentials } from './authentication/credentials';
import { World } from './authorization/world';
import { DecisionLog } from './decision-log';
import { GITHUB_ISSUER, startGithubIssuer } from './github-issuer';
import { startMoto } from './moto';
import {
  CONFIGURATION_VARIABLE,
  DECISIONS_FILE,
  MOTO_LOG_FILE,
  REPORT_FILE,
  type FrontConfiguration,
  type FrontReport,
} from './report';
import { openDoor, type Door } from './server';

/** The process of a local AWS: moto, and the front with its two doors before it. Ends on SIGTERM, and when moto does. */
async function main(): Promise<void> {
  const configuration = JSON.parse(process.env[CONFIGURATION_VARIABLE] ?? '{}') as FrontConfiguration;
  const { account, otherAccounts, region, folder } = configuration;
  try {
    const [moto, github] = await Promise.all([
      startMoto({
        command: configuration.moto,
        account,
        oneAccount: otherAccounts.length === 0,
        logFile: path.join(folder, MOTO_LOG_FILE),
      }),
      startGithubIssuer(),
    ]);
    const motoEndpoint = `http://${moto.host}:${moto.port}`;
    const credentials = new Credentials();
    const services = {
      moto: new MotoConnections(moto.host, moto.port),
      credentials,
      world: new World(motoEndpoint, account, region),
      log: new DecisionLog(path.join(folder, DECISIONS_FILE)),
      github,
      issuers: { [GITHUB_ISSUER]: { keys: [...github.keys.keys] } },
      openServices: new Set<string>(),
    };
    const doors = [await openDoor(services, true), await openDoor(services, false)] as const;
    const end = (code: number) => {
      close(doors);
      moto.process.kill('SIGTERM');
      process.exit(code);
    };
    process.on('SIGTERM', () => {
      end(0);
    });
    moto.process.once('exit', (code, signal) => {
      console.error(`moto ended by itself (${signal ?? code ?? 'unknown'})`);
      end(1);
    });
    const administrators = Object.fromEntries(
      [account, ...otherAccounts].map((each) => [each, credentials.addAdministrator(each)]),
    );
    report(folder, {
      endpoint: doors[0].endpoint,
      plainEndpoint: doors[1].endpoint,
      motoEndpoint,
      pid: process.pid,
      administrators,
    });
  } catch (error) {
    report(folder, {
      error:
        error instanceof LocalAwsError ? error.message : String(error instanceof Error ? error.stack : error),
    });
    process.exit(1);
  }
}

function close(doors: readonly Door[]): void {
  for (const { server } of doors) {
    server.close();
    server.closeAllConnections();
  }
}

/** Whole or not at all. */
function report(folder: string, content: FrontReport): void {
  const file = path.join(folder, REPORT_FILE);
  writeFileSync(`${file}.part`, JSON.stringify(content), { mode: 0o600 });
  renameSync(`${file}.part`, file);
}

void main();
