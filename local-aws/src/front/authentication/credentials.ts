import { randomBytes, timingSafeEqual } from 'node:crypto';
import { Refusal } from '../refusal';
import type { Administrator, FederatedUser, Identified, RoleSession, User } from './principal';
import type { Signed } from './signature';

/** Temporary credentials, as STS gives them out. */
export interface TemporaryCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
}

export interface AccessKey {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

interface LongLived {
  readonly secret: string;
  readonly account: string;
  readonly userName: string;
  active: boolean;
}

interface Temporary {
  readonly secret: string;
  readonly token: string;
  readonly principal: User | RoleSession | FederatedUser;
  expiresAt: number;
}

/** How long an ended session is still told apart from one that never was. */
const REMEMBERED_MS = 3_600_000;

/** Finds a user by name, as IAM has it now. */
export type FindUser = (
  account: string,
  userName: string,
) => Promise<{ arn: string; userId: string } | undefined>;

/** Who has which key. Secrets stay in here: nothing but a verdict leaves. */
export class Credentials {
  private readonly administrators = new Map<string, { secret: string; principal: Administrator }>();
  private readonly keys = new Map<string, LongLived>();
  private readonly sessions = new Map<string, Temporary>();

  /** Makes an administrator's pair for an account. */
  addAdministrator(account: string): AccessKey {
    const accessKeyId = `AKIA${randomBase32(16)}`;
    const secretAccessKey = randomSecret();
    this.administrators.set(accessKeyId, {
      secret: secretAccessKey,
      principal: {
        kind: 'administrator',
        account,
        arn: `arn:aws:iam::${account}:user/administrator`,
        userId: `AIDA${randomBase32(17)}`,
      },
    });
    return { accessKeyId, secretAccessKey };
  }

  learnKey(account: string, userName: string, key: AccessKey): void {
    this.keys.set(key.accessKeyId, { secret: key.secretAccessKey, account, userName, active: true });
  }

  setActive(accessKeyId: string, active: boolean): void {
    const key = this.keys.get(accessKeyId);
    if (key !== undefined) key.active = active;
  }

  forgetKey(accessKeyId: string): void {
    this.keys.delete(accessKeyId);
  }

  renameUser(account: string, from: string, to: string): void {
    for (const [id, key] of this.keys)
      if (key.account === account && key.userName === from) this.keys.set(id, { ...key, userName: to });
  }

  forgetUser(account: string, userName: string): void {
    for (const [id, key] of this.keys)
      if (key.account === account && key.userName === userName) this.keys.delete(id);
  }

  addSession(principal: Temporary['principal'], expiresAt: number): TemporaryCredentials {
    const now = Date.now();
    for (const [id, { expiresAt: ended }] of this.sessions) {
      // In the order of their beginning: what follows is mostly younger.
      if (ended + REMEMBERED_MS > now) break;
      this.sessions.delete(id);
    }
    const accessKeyId = `ASIA${randomBase32(16)}`;
    const secretAccessKey = randomSecret();
    const sessionToken = randomBytes(96).toString('base64');
    this.sessions.set(accessKeyId, { secret: secretAccessKey, token: sessionToken, principal, expiresAt });
    return { accessKeyId, secretAccessKey, sessionToken, expiresAt };
  }

  /** @returns how many sessions it ended */
  expireSessions(matches: (accessKeyId: string, principal: Identified) => boolean): number {
    const now = Date.now();
    const ending = [...this.sessions].filter(
      ([id, { principal, expiresAt }]) => expiresAt > now && matches(id, principal),
    );
    for (const [, session] of ending) session.expiresAt = now - 1;
    return ending.length;
  }

  /** The account that a key belongs to, for GetAccessKeyInfo. */
  accountOf(accessKeyId: string): string | undefined {
    return (
      this.administrators.get(accessKeyId)?.principal.account ??
      this.keys.get(accessKeyId)?.account ??
      this.sessions.get(accessKeyId)?.principal.account
    );
  }

  /**
   * Who the request says it is from; its signature is yet to be checked with the secret.
   *
   * @throws Refusal for a key that is unknown, inactive or expired, and for a token that isn't the key's
   */
  async find(
    { accessKeyId, sessionToken }: Signed,
    findUser: FindUser,
  ): Promise<{ secret: string; principal: Identified }> {
    const session = this.sessions.get(accessKeyId);
    if (session !== undefined) {
      if (!sameText(sessionToken ?? '', session.token)) throw unknownKey();
      if (session.expiresAt <= Date.now())
        throw new Refusal('expired', 'The security token included in the request is expired');
      return session;
    }
    if (sessionToken !== undefined) throw unknownKey();
    const administrator = this.administrators.get(accessKeyId);
    if (administrator !== undefined) return administrator;
    const key = this.keys.get(accessKeyId);
    if (key?.active !== true) throw unknownKey();
    const user = await findUser(key.account, key.userName);
    if (user === undefined) throw unknownKey();
    return {
      secret: key.secret,
      principal: { kind: 'user', account: key.account, userName: key.userName, ...user },
    };
  }
}

const unknownKey = () => new Refusal('unknown-key', 'The security token included in the request is invalid.');

function sameText(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}

/** 40 characters, as AWS's are. */
const randomSecret = () => randomBytes(30).toString('base64');

/** The alphabet of access key ids. */
export function randomBase32(length: number): string {
  return Array.from(randomBytes(length), (byte) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.charAt(byte % 32)).join(
    '',
  );
}
