import { openSync, readFileSync, writeSync } from 'node:fs';
import type { Decision } from './authorization/decide';

/** One line of the log: a decision, with whose request it was about. */
export interface LoggedDecision extends Decision {
  /** ISO 8601 */
  readonly time: string;
  /** Of the request: several decisions may be for one. */
  readonly request: string;
  /** ARN, or `anonymous`. */
  readonly principal: string;
  /** Such as `s3:PutObject`, the operation of the API; an action may be called otherwise. */
  readonly operation: string;
}

/** Writes each decision before its request is answered, one line of JSON each. */
export class DecisionLog {
  private readonly descriptor: number;

  constructor(readonly file: string) {
    this.descriptor = openSync(file, 'a', 0o600);
  }

  write(request: string, principal: string, operation: string, decisions: readonly Decision[]): void {
    const time = new Date().toISOString();
    const lines = decisions.map(
      (decision): LoggedDecision => ({ time, request, principal, operation, ...decision }),
    );
    if (lines.length > 0)
      writeSync(this.descriptor, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  }

  read(): string {
    return readFileSync(this.file, 'utf8');
  }
}
