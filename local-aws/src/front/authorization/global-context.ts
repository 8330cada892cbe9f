import {
  principalArn,
  sessionOf,
  type Administrator,
  type Identified,
  type Principal,
} from '../authentication/principal';
import type { Ask, Context } from '../mapping/ask';
import type { RequestHead } from '../request-head';
import type { Identity } from './identities';
import type { World } from './world';

/** Of AWS's own doing, such as EC2 that takes on a host's role. */
export interface ServicePrincipal {
  readonly kind: 'service';
  /** Such as `ec2.amazonaws.com`. */
  readonly service: string;
}

/** A token of an identity provider, whose claims are condition keys. */
export interface WebIdentity {
  readonly kind: 'web-identity';
  /** ARN of the identity provider in IAM. */
  readonly provider: string;
}

export type Asker = Principal | ServicePrincipal | WebIdentity;

/**
 * Global condition keys of a request (IAM User Guide, "AWS global condition context keys"). No organization, VPC
 * endpoint or MFA device stands behind any request here, so that their keys are absent, as they would be on AWS.
 */
export function globalContext(
  asker: Asker,
  ask: Ask,
  region: string,
  head: RequestHead,
  now: number,
): Context {
  return {
    ...ABSENT,
    'aws:CurrentTime': new Date(now).toISOString().replace(/\.\d+Z$/, 'Z'),
    'aws:EpochTime': String(Math.floor(now / 1000)),
    'aws:RequestedRegion': region,
    'aws:SecureTransport': String(head.secure),
    'aws:SourceIp': asker.kind === 'service' ? undefined : head.sourceIp,
    'aws:UserAgent': head.headers['user-agent'],
    'aws:referer': head.headers.referer,
    'aws:ViaAWSService': 'false',
    'aws:CalledVia': undefined,
    'aws:CalledViaFirst': undefined,
    'aws:CalledViaLast': undefined,
    'aws:ResourceAccount': ask.account,
    'aws:PrincipalIsAWSService': asker.kind === 'anonymous' ? undefined : String(asker.kind === 'service'),
    'aws:PrincipalServiceName': asker.kind === 'service' ? asker.service : undefined,
    'aws:PrincipalServiceNamesList': asker.kind === 'service' ? [asker.service] : undefined,
    'aws:SourceAccount': undefined,
    'aws:SourceArn': undefined,
    ...(isIdentified(asker) ? identityContext(asker) : NO_IDENTITY),
    ...(asker.kind === 'anonymous' && ANONYMOUS),
    'aws:FederatedProvider': asker.kind === 'web-identity' ? asker.provider : federatedProvider(asker),
  };
}

/** Known to be absent from every request. */
const ABSENT: Context = Object.fromEntries(
  [
    'aws:AssumedRoot',
    'aws:ChatbotSourceArn',
    'aws:Ec2InstanceSourcePrivateIPv4',
    'aws:Ec2InstanceSourceVpc',
    'aws:MultiFactorAuthAge',
    'aws:MultiFactorAuthPresent',
    'aws:PrincipalOrgID',
    'aws:PrincipalOrgPaths',
    'aws:ResourceOrgID',
    'aws:ResourceOrgPaths',
    'aws:SourceOrgID',
    'aws:SourceOrgPaths',
    'aws:SourceOwner',
    'aws:SourceVpc',
    'aws:SourceVpcArn',
    'aws:SourceVpce',
    'aws:VpceAccount',
    'aws:VpceOrgID',
    'aws:VpceOrgPaths',
    'aws:VpcSourceIp',
    'aws:is-mcp-service-action',
  ].map((key) => [key, undefined]),
);

const NO_IDENTITY: Context = {
  'aws:PrincipalAccount': undefined,
  'aws:PrincipalArn': undefined,
  'aws:PrincipalType': undefined,
  'aws:userid': undefined,
  'aws:username': undefined,
  'aws:TokenIssueTime': undefined,
  'aws:SourceIdentity': undefined,
};

const ANONYMOUS: Context = { 'aws:PrincipalAccount': 'anonymous', 'aws:PrincipalType': 'Anonymous' };

const TYPES = {
  administrator: 'User',
  user: 'User',
  'role-session': 'AssumedRole',
  'federated-user': 'FederatedUser',
} as const;

function identityContext(principal: Identified): Context {
  const session = sessionOf(principal);
  return {
    'aws:PrincipalAccount': principal.account,
    'aws:PrincipalArn': principalArn(principal),
    'aws:PrincipalType': TYPES[principal.kind],
    'aws:userid': principal.userId,
    // Only a user has a name.
    'aws:username': principal.kind === 'user' ? principal.userName : undefined,
    'aws:TokenIssueTime': session && new Date(session.issuedAt).toISOString().replace(/\.\d+Z$/, 'Z'),
    'aws:SourceIdentity': session?.sourceIdentity,
    // Temporary credentials say whether there was MFA; a long-lived key says nothing.
    'aws:MultiFactorAuthPresent': session === undefined ? undefined : 'false',
    ...session?.claims,
  };
}

function federatedProvider(asker: Asker): string | undefined {
  return isIdentified(asker) ? sessionOf(asker)?.federatedProvider : undefined;
}

export function isIdentified(asker: Asker): asker is Identified {
  return !['service', 'web-identity', 'anonymous'].includes(asker.kind);
}

/** The user or role behind credentials, as it is now. */
export function identityOf(
  asker: Exclude<Identified, Administrator>,
  { identities }: World,
): Promise<Identity | undefined> {
  return asker.kind === 'role-session'
    ? identities.role(asker.account, asker.roleName)
    : identities.user(asker.account, asker.userName);
}

/** `aws:PrincipalTag/…`: a session's tags, over those of its role or user. */
export async function principalTags(asker: Asker, world: World): Promise<Readonly<Record<string, string>>> {
  if (!isIdentified(asker) || asker.kind === 'administrator') return {};
  const own = await identityOf(asker, world);
  const session = sessionOf(asker);
  // Keys differ in more than case.
  const given = new Set(Object.keys(session?.tags ?? {}).map((key) => key.toLowerCase()));
  const kept = Object.entries(own?.tags ?? {}).filter(([key]) => !given.has(key.toLowerCase()));
  return { ...Object.fromEntries(kept), ...session?.tags };
}
