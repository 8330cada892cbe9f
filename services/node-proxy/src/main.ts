#!/usr/bin/env node
import { machineClock } from './clock';
import { stopOnSignal } from './graceful-stop';
import { listen } from './listen';
import { createLog } from './log';
import { proxy } from './proxy';
import { contents, HELP, readSettings, type Settings, StartError } from './settings';

void main();

async function main(): Promise<void> {
  try {
    const settings = readSettings(process.argv.slice(2), process.env);
    if (settings) await start(settings);
    else console.log(HELP);
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    console.error(error.message);
    process.exit(1);
  }
}

async function start(settings: Settings): Promise<void> {
  const log = createLog(settings.log_level);
  const ca = settings.ca === undefined ? undefined : contents(settings.ca, '--ca');
  const hosts = new Set<string>();
  const { newServer } = proxy({ settings, ca, hosts, clock: machineClock(), log });
  const { servers, port } = await listen(newServer, hosts, settings, process.env);
  stopOnSignal(servers, log);
  log.info({ port, api: settings.hostname, cache: settings.cache_mode }, 'listening');
}
