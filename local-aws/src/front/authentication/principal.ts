import type { PolicyDocument } from '../authorization/policy';

interface Common {
  /** 12 digits. */
  readonly account: string;
  /** What messages and `aws:PrincipalArn` are made of; see `principalArn`. */
  readonly arn: string;
  /** `aws:userid`: a user's unique id, or a role's with the session's name. */
  readonly userId: string;
}

/** May do everything. Its pair is made at the start; no user of IAM stands behind it. */
export interface Administrator extends Common {
  readonly kind: 'administrator';
}

export interface User extends Common {
  readonly kind: 'user';
  readonly userName: string;
  /** Of credentials that GetSessionToken gave. @default - a long-lived key */
  readonly session?: Session;
}

/** A role that has been taken on. */
export interface RoleSession extends Common {
  readonly kind: 'role-session';
  readonly roleArn: string;
  readonly roleName: string;
  /** The role's unique id: one that is made anew under the same name is another role. */
  readonly roleId: string;
  readonly sessionName: string;
  readonly session: Session;
}

/** Credentials that GetFederationToken gave. */
export interface FederatedUser extends Common {
  readonly kind: 'federated-user';
  /** Name of the user that asked for them, whose policies they are under. */
  readonly userName: string;
  readonly federatedBy: { readonly arn: string; readonly id: string };
  readonly session: Session;
}

/** A request without credentials. */
export interface Anonymous {
  readonly kind: 'anonymous';
}

export interface Session {
  /** Milliseconds since 1970. */
  readonly issuedAt: number;
  /** Inline and managed session policies in one. @default - the role's policies alone count */
  readonly policy?: PolicyDocument;
  /** Session tags: `aws:PrincipalTag/…`, over the role's own of the same key. */
  readonly tags: Readonly<Record<string, string>>;
  /** Keys of the tags that go on to the next role of a chain. */
  readonly transitiveTagKeys: readonly string[];
  readonly sourceIdentity?: string;
  /** ARN of the identity provider, or its name, that vouched for a federated session. */
  readonly federatedProvider?: string;
  /** Claims of the web identity's token, by condition key. */
  readonly claims?: Readonly<Record<string, string>>;
}

export type Identified = Administrator | User | RoleSession | FederatedUser;
export type Principal = Identified | Anonymous;

export function sessionOf(principal: Principal): Session | undefined {
  return 'session' in principal ? principal.session : undefined;
}

/** `aws:PrincipalArn`: for a session, the role's ARN and not the session's. */
export function principalArn(principal: Identified): string {
  return principal.kind === 'role-session' ? principal.roleArn : principal.arn;
}

/** How messages name it. */
export function shownArn(principal: Principal): string {
  return principal.kind === 'anonymous' ? 'anonymous' : principal.arn;
}
