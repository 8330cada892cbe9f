import pino, { type Logger } from 'pino';

/** JSON lines on stdout. What is logged is named field by field: never headers, bodies, queries or whole errors. */
export function createLog(service: string, level: string): Logger {
  return pino({ level, base: { service }, timestamp: pino.stdTimeFunctions.isoTime });
}
