import { inspect } from 'node:util';

/** One whole set: never parts of two answers. */
export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  /** By this machine's clock. */
  readonly expiration: Date;
}

/** What callers get. Printed, or as JSON, it shows no secret. */
export class RoleSession implements Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  readonly expiration: Date;

  constructor({ accessKeyId, secretAccessKey, sessionToken, expiration }: Credentials) {
    this.accessKeyId = accessKeyId;
    this.secretAccessKey = secretAccessKey;
    this.sessionToken = sessionToken;
    this.expiration = new Date(expiration);
  }

  toJSON(): { accessKeyId: string; expiration: Date } {
    return { accessKeyId: this.accessKeyId, expiration: this.expiration };
  }

  [inspect.custom](): string {
    return `RoleSession { accessKeyId: '${this.accessKeyId}', expiration: ${this.expiration.toISOString()} }`;
  }

  isStill({ accessKeyId, secretAccessKey, sessionToken, expiration }: Credentials): boolean {
    return (
      this.accessKeyId === accessKeyId &&
      this.secretAccessKey === secretAccessKey &&
      this.sessionToken === sessionToken &&
      this.expiration.getTime() === expiration.getTime()
    );
  }
}

/**
 * Hands out copies: the same one for as long as nobody has altered it, since one for each call would cost more
 * than all the rest of the call.
 */
export function handingOut(): (credentials: Credentials) => Promise<RoleSession> {
  let copied: Credentials | undefined;
  let copy: RoleSession | undefined;
  let handedOut: Promise<RoleSession>;
  return (credentials) => {
    if (copied !== credentials || !copy?.isStill(credentials)) {
      copied = credentials;
      copy = new RoleSession(credentials);
      handedOut = Promise.resolve(copy);
    }
    return handedOut;
  };
}
