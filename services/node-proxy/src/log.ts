import pino, { type Logger } from 'pino';

/** Lines are written together; none waits longer than this. */
const FLUSH_EVERY_MS = 200;
const BUFFER_BYTES = 8 * 1024;

/** JSON lines on stdout. What is logged is named field by field: never headers, bodies, queries or whole errors. */
export function createLog(level: string): Logger {
  const stdout = pino.destination({ dest: 1, sync: false, minLength: BUFFER_BYTES });
  // What is left at the end of the process, pino writes by itself.
  setInterval(() => {
    stdout.flush();
  }, FLUSH_EVERY_MS).unref();
  return pino({ level, base: { service: 'node-proxy' }, timestamp: pino.stdTimeFunctions.isoTime }, stdout);
}
