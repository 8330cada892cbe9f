import { chalk } from 'zx';
import type { roleCredentials } from '@slipway/runtime';
import { names } from '../../stacks/names';
import type { LocalRunAccess } from '../local-run';
import { table } from '../steps';

export type Result = 'allowed' | 'denied';

/** One thing that somebody may do, or may not. */
export interface Claim {
  who: string;
  does: string;
  expected: Result;
  request: () => Promise<unknown>;
}

export interface Proof extends Omit<Claim, 'request'> {
  /** Or what else happened, in words. */
  found: string;
}

/** What a pod is given, by the Kubernetes secret. */
export interface PodSecret {
  AWS_ACCESS_KEY_ID: string;
  AWS_SECRET_ACCESS_KEY: string;
  AWS_ROLE_ARN: string;
}

export interface Key {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
}

/** For a client of the SDK. */
export function options<C extends Key | ReturnType<typeof roleCredentials>>(
  { env, environment }: LocalRunAccess,
  credentials: C,
) {
  // A call that moto lacks is not worth a retry.
  return {
    endpoint: env.AWS_ENDPOINT_URL ?? '',
    region: environment.region,
    credentials,
    forcePathStyle: true,
    maxAttempts: 1,
  };
}

export const keyOf = (secret: PodSecret): Key => ({
  accessKeyId: secret.AWS_ACCESS_KEY_ID,
  secretAccessKey: secret.AWS_SECRET_ACCESS_KEY,
});

export const roleArn = ({ environment }: LocalRunAccess, name: string) =>
  `arn:aws:iam::${environment.account}:role/${name}`;

/** The same names in another environment. */
export const namesOf = ({ environment }: LocalRunAccess, other: string) =>
  names({ ...environment, name: other });

/** A table, in which what was not as expected stands out. */
export function proofTable(proofs: readonly Proof[]): string {
  const rows = proofs.map(({ who, does, expected, found }) => [who, does, expected, found]);
  const [header = '', ...lines] = table([['WHO', 'DOES', 'EXPECTED', 'FOUND'], ...rows]).split('\n');
  const isWrong = (index: number) => proofs[index]?.found !== proofs[index]?.expected;
  return [chalk.dim(header), ...lines.map((line, index) => (isWrong(index) ? chalk.red(line) : line))].join(
    '\n',
  );
}

/** Codes by which a service refuses, or STS a token. */
const REFUSALS = new Set([
  'AccessDenied',
  'AccessDeniedException',
  'UnauthorizedOperation',
  'InvalidIdentityTokenException',
  'ExpiredTokenException',
]);
/** What the local AWS says of a call that moto lacks: it got past the decision. */
const LACKING = 'lacks or failed';

/** What came of a request. */
export async function outcome(request: () => Promise<unknown>): Promise<string> {
  try {
    await request();
    return 'allowed';
  } catch (error) {
    const { name, message } = error as Error;
    if (message.includes("can't tell what this request needs")) return message;
    if (REFUSALS.has(name)) return 'denied';
    return message.includes(LACKING) ? 'allowed' : `${name}: ${message}`;
  }
}
