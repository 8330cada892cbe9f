import {
  AddUserToGroupCommand,
  AttachRolePolicyCommand,
  AttachUserPolicyCommand,
  CreateAccessKeyCommand,
  CreateGroupCommand,
  CreatePolicyCommand,
  CreateRoleCommand,
  CreateUserCommand,
  IAMClient,
  PutGroupPolicyCommand,
  PutRolePolicyCommand,
  PutUserPolicyCommand,
  type Tag,
} from '@aws-sdk/client-iam';
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import type { ClientOptions } from '../clients';
import type { Caller, Case, Who } from './case';
import type { PolicyDocument } from './policies';
import { ACCOUNT, OTHER_ACCOUNT, type World } from './world';

export interface Outcome {
  result: 'allowed' | 'denied';
  /** What the refusal says, or whatever else went wrong. */
  message: string;
}

/** Codes of a refusal by policy, in the words of each service. */
const DENIED = new Set([
  'AccessDenied',
  'AccessDeniedException',
  'UnauthorizedOperation',
  'UnauthorizedAccess',
]);

let cases = 0;
const clients = new Map<ClientOptions, { iam: IAMClient; sts: STSClient }>();

/** Makes the caller and sends the request. */
export async function runCase(one: Case, world: World): Promise<Outcome> {
  const caller = typeof one.caller === 'function' ? one.caller(world) : (one.caller ?? {});
  const who = await makeCaller(caller, world);
  await one.given?.(world, who);
  try {
    await one.does(who, world);
    return { result: 'allowed', message: '' };
  } catch (error) {
    const { name, message } = error as Error;
    if (DENIED.has(name) || isBareRefusal(error)) return { result: 'denied', message };
    if (one.beyondMoto === true) return { result: 'allowed', message };
    throw new Error(`${one.name}: neither allowed nor denied, but ${name}: ${message}`, { cause: error });
  }
}

/** A HEAD request's answer has no body, and so no code: the SDK calls it by its status, or not at all. */
function isBareRefusal(error: unknown): boolean {
  const { $metadata: metadata, name } = error as { $metadata?: { httpStatusCode?: number }; name: string };
  return metadata?.httpStatusCode === 403 && ['403', 'Forbidden', 'UnknownError', 'Unknown'].includes(name);
}

async function makeCaller(caller: Caller, world: World): Promise<Who> {
  const account = caller.account ?? ACCOUNT;
  const name = `case-${(cases += 1)}`;
  const endpoint = caller.plain === true ? world.aws.plainEndpoint : world.aws.endpoint;
  const options = { ...world.administrator, endpoint, maxAttempts: 1 };
  if (caller.kind === 'anonymous')
    return {
      options: { ...options, ...withoutSignature },
      arn: 'anonymous',
      principalArn: '',
      account,
      name,
    };
  const { iam } = clientsOf(account === OTHER_ACCOUNT ? world.otherAdministrator : world.administrator);
  return caller.kind === 'role'
    ? makeRole(caller, { account, name, options, iam }, world)
    : makeUser(caller, { account, name, options, iam });
}

/** Clients of an administrator's, made once: their connections stay open from case to case. */
function clientsOf(options: ClientOptions): { iam: IAMClient; sts: STSClient } {
  const known = clients.get(options) ?? { iam: new IAMClient(options), sts: new STSClient(options) };
  clients.set(options, known);
  return known;
}

/** The SDK leaves a request unsigned when its signer does nothing. */
const withoutSignature = { signer: { sign: <T>(request: T) => Promise.resolve(request) } } as object;

interface Made {
  account: string;
  name: string;
  options: Who['options'];
  iam: IAMClient;
}

async function makeUser(caller: Caller, { account, name, options, iam }: Made): Promise<Who> {
  const boundary = await managedPolicy(iam, name, caller.boundary);
  const { User: user } = await iam.send(
    new CreateUserCommand({ UserName: name, PermissionsBoundary: boundary, Tags: tags(caller.tags) }),
  );
  for (const [index, document] of (caller.policies ?? []).entries())
    await iam.send(
      new PutUserPolicyCommand({
        UserName: name,
        PolicyName: `inline-${index + 1}`,
        PolicyDocument: JSON.stringify(document),
      }),
    );
  for (const arn of caller.managed ?? [])
    await iam.send(new AttachUserPolicyCommand({ UserName: name, PolicyArn: arn }));
  if (caller.ofGroup) {
    await iam.send(new CreateGroupCommand({ GroupName: `${name}-group` }));
    await iam.send(new AddUserToGroupCommand({ GroupName: `${name}-group`, UserName: name }));
    for (const [index, document] of caller.ofGroup.entries())
      await iam.send(
        new PutGroupPolicyCommand({
          GroupName: `${name}-group`,
          PolicyName: `group-${index + 1}`,
          PolicyDocument: JSON.stringify(document),
        }),
      );
  }
  const { AccessKey: key } = await iam.send(new CreateAccessKeyCommand({ UserName: name }));
  const credentials = {
    accessKeyId: key?.AccessKeyId ?? '',
    secretAccessKey: key?.SecretAccessKey ?? '',
  };
  const arn = user?.Arn ?? '';
  return { options: { ...options, credentials }, arn, principalArn: arn, account, name };
}

async function makeRole(caller: Caller, { account, name, options, iam }: Made, world: World): Promise<Who> {
  const boundary = await managedPolicy(iam, name, caller.boundary);
  const trust = {
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Allow',
        Principal: { AWS: `arn:aws:iam::${account}:root` },
        Action: ['sts:AssumeRole', 'sts:TagSession'],
      },
    ],
  };
  const { Role: role } = await iam.send(
    new CreateRoleCommand({
      RoleName: name,
      AssumeRolePolicyDocument: JSON.stringify(trust),
      PermissionsBoundary: boundary,
      Tags: tags(caller.tags),
    }),
  );
  for (const [index, document] of (caller.policies ?? []).entries())
    await iam.send(
      new PutRolePolicyCommand({
        RoleName: name,
        PolicyName: `inline-${index + 1}`,
        PolicyDocument: JSON.stringify(document),
      }),
    );
  for (const arn of caller.managed ?? [])
    await iam.send(new AttachRolePolicyCommand({ RoleName: name, PolicyArn: arn }));
  const administrator = account === OTHER_ACCOUNT ? world.otherAdministrator : world.administrator;
  const { policy, tags: sessionTags, name: sessionName = 'session' } = caller.session ?? {};
  const { Credentials: given, AssumedRoleUser: session } = await clientsOf(administrator).sts.send(
    new AssumeRoleCommand({
      RoleArn: role?.Arn,
      RoleSessionName: sessionName,
      ...(policy && { Policy: JSON.stringify(policy) }),
      ...(sessionTags && { Tags: tags(sessionTags) }),
    }),
  );
  const credentials = {
    accessKeyId: given?.AccessKeyId ?? '',
    secretAccessKey: given?.SecretAccessKey ?? '',
    sessionToken: given?.SessionToken ?? '',
  };
  return {
    options: { ...options, credentials },
    arn: session?.Arn ?? '',
    principalArn: role?.Arn ?? '',
    account,
    name,
  };
}

async function managedPolicy(
  iam: IAMClient,
  name: string,
  document?: PolicyDocument,
): Promise<string | undefined> {
  if (!document) return undefined;
  const { Policy: policy } = await iam.send(
    new CreatePolicyCommand({ PolicyName: `${name}-boundary`, PolicyDocument: JSON.stringify(document) }),
  );
  return policy?.Arn;
}

function tags(given: Record<string, string> = {}): Tag[] {
  return Object.entries(given).map(([Key, Value]) => ({ Key, Value }));
}
