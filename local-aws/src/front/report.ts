import type { MotoCommand } from '../machine/find-moto';
import type { AccessKey } from './authentication/credentials';

/** What the starter says, in the variable SLIPWAY_LOCAL_AWS. */
export interface FrontConfiguration {
  /** 12 digits. */
  readonly account: string;
  /** Further accounts that get an administrator. */
  readonly otherAccounts: readonly string[];
  readonly region: string;
  readonly moto: MotoCommand;
  /** Of this run's own: logs, and what the starter is told. */
  readonly folder: string;
}

/** What the starter is told, in the file `ready.json`, which the owner alone may read. */
export type FrontReport =
  | { readonly error: string }
  | {
      readonly endpoint: string;
      readonly plainEndpoint: string;
      readonly motoEndpoint: string;
      readonly pid: number;
      /** By account. */
      readonly administrators: Readonly<Record<string, AccessKey>>;
    };

export const CONFIGURATION_VARIABLE = 'SLIPWAY_LOCAL_AWS';
export const REPORT_FILE = 'ready.json';
export const MOTO_LOG_FILE = 'moto.log';
export const DECISIONS_FILE = 'decisions.jsonl';
