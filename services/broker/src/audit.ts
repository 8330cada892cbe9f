import pino, { type Logger } from 'pino';

/** What is recorded of each decision. No field of it is secret: an access key's id only names credentials. */
export interface AuditEvent {
  event:
    | 'issued'
    | 'refused'
    | 'session-created'
    | 'session-moved'
    | 'session-revoked'
    | 'user-revoked'
    | 'role-mapped'
    | 'expired-revocations-removed';
  requestId?: string;
  source?: string;
  [field: string]: unknown;
}

export type Audit = (event: AuditEvent) => void;

export function createLog(level: string): Logger {
  return pino({ level, base: { service: 'broker' }, timestamp: pino.stdTimeFunctions.isoTime });
}

/** The audit log: lines of JSON beside the others, told apart by `audit: true`; written whatever the level. */
export function auditTo(log: Logger): Audit {
  const always = log.child({ audit: true }, { level: log.level === 'silent' ? 'silent' : 'info' });
  return (event) => {
    always.info(event);
  };
}
