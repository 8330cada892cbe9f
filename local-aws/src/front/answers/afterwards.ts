import type { IncomingMessage } from 'node:http';
import type { Credentials } from '../authentication/credentials';
import type { Decision } from '../authorization/decide';
import { pinsOf } from '../authorization/principals';
import type { World } from '../authorization/world';
import { isRecord, records, text, type Ask, type Mapping } from '../mapping/ask';
import { s3Ask } from '../mapping/services/s3';
import { keyAsks, managedKeyOf, requestedKey } from '../mapping/services/s3-encryption';
import { decryptParameter } from '../mapping/services/ssm';
import type { Refusal } from '../refusal';
import { wholeAnswer } from './forward';
import { blockPublicAccess, learnPublicAccess } from './public-access';
import { TELLS_OF_USERS, withBoundary, withUserIds } from './users';

export interface Watcher {
  readonly judge: (asks: readonly Ask[]) => Promise<Decision[]>;
  readonly refuse: (decision: Decision) => Refusal;
  readonly log: (decisions: readonly Decision[]) => void;
  /** @param changed the body, where the answer's own isn't to be sent */
  readonly send: (changed: Buffer | undefined) => void;
}

/**
 * What moto's answer tells that the request didn't: keys that are given out, the encryption of what is read.
 *
 * @throws Refusal where AWS would have refused what moto gave
 */
export async function watchAnswer(
  mapping: Mapping,
  response: IncomingMessage,
  { credentials, world }: { credentials: Credentials; world: World },
  watcher: Watcher,
): Promise<void> {
  const { call, account } = mapping;
  const { prefix } = call.service;
  const done = response.statusCode !== undefined && response.statusCode < 300;
  forgetWhatChanged(mapping);
  await learn(mapping, done, credentials);
  if (prefix === 'iam' && TELLS_OF_USERS.has(call.operation)) {
    const xml = (await wholeAnswer(response)).toString('utf8');
    if (call.operation === 'CreateAccessKey' && done) learnKey(xml, account, credentials);
    const name = /<UserName>([^<]+)<\/UserName>/.exec(xml)?.[1] ?? '';
    const boundary =
      done && /^(Get|Create)User$/.test(call.operation)
        ? world.identities.userBoundary(account, name)
        : undefined;
    watcher.send(Buffer.from(withUserIds(withBoundary(xml, boundary))));
    return;
  }
  if (prefix === 's3' && call.operation === 'CreateMultipartUpload' && done) {
    const body = await wholeAnswer(response);
    const [, upload = ''] = /<UploadId>([^<]+)</.exec(body.toString('utf8')) ?? [];
    const key = await requestedKey(mapping);
    if (key !== undefined) world.uploadKeys.set(upload, key);
    watcher.send(body);
    return;
  }
  if (prefix === 's3' && (call.operation === 'GetObject' || call.operation === 'HeadObject'))
    await checkObject(mapping, response, watcher);
  if (
    prefix === 'ssm' &&
    READS_PARAMETERS.has(call.operation) &&
    call.input.WithDecryption === true &&
    done
  ) {
    const body = await wholeAnswer(response);
    await checkParameters(mapping, body, watcher);
    watcher.send(body);
    return;
  }
  watcher.send(undefined);
}

/** Before the client hears of a change, nothing that was read before it counts any more. */
function forgetWhatChanged(mapping: Mapping): void {
  if (changesNothing(mapping)) return;
  const { call, account, world } = mapping;
  if (call.service.prefix === 'iam') world.identities.changed(account, call.input);
  else world.changed(call.service.prefix, account);
}

/** Whether an operation changes nothing that decisions look at. */
function changesNothing({ call, head }: Mapping): boolean {
  if (call.service.prefix === 'apigateway') return head.method === 'GET';
  return CHANGES_NOTHING.test(call.operation);
}

const CHANGES_NOTHING =
  /^(Get|List|Describe|Head|BatchGet|BatchCheck|Query$|Scan$|Encrypt$|Decrypt$|ReEncrypt$|GenerateData|PutMetricData$|PutLogEvents$|PutObject$|UploadPart$|Send)/;

async function learn(mapping: Mapping, done: boolean, credentials: Credentials): Promise<void> {
  if (!done) return;
  const { call, account, world } = mapping;
  const { input, operation, service } = call;
  if (service.prefix === 's3') {
    const bucket = text(input.Bucket) ?? '';
    const place = { account, region: call.region };
    if (operation === 'CreateBucket' && !world.buckets.has(bucket))
      world.buckets.set(bucket, { ...place, publicAccess: await blockPublicAccess(world, place, bucket) });
    learnPublicAccess(mapping);
    if (operation === 'DeleteBucket') world.buckets.delete(bucket);
    if (/^(Create|Delete)Bucket$|^(Put|Delete)BucketEncryption$/.test(operation))
      world.kept.changed(`s3-encryption:${bucket}`);
    return;
  }
  if (service.prefix !== 'iam') return;
  const { identities } = world;
  const user = text(input.UserName) ?? '';
  const key = text(input.AccessKeyId) ?? '';
  switch (operation) {
    case 'CreateRole':
    case 'UpdateAssumeRolePolicy': {
      const role = await identities.role(account, text(input.RoleName) ?? '');
      if (role?.trust !== undefined) world.pins.set(role.arn, await pinsOf(role.trust, identities));
      break;
    }
    case 'CreateUser':
      identities.setUserBoundary(account, user, text(input.PermissionsBoundary));
      break;
    case 'DeleteUser':
      credentials.forgetUser(account, user);
      identities.setUserBoundary(account, user, undefined);
      break;
    case 'UpdateUser': {
      const renamed = text(input.NewUserName);
      if (renamed === undefined) break;
      credentials.renameUser(account, user, renamed);
      identities.setUserBoundary(account, renamed, identities.userBoundary(account, user));
      identities.setUserBoundary(account, user, undefined);
      break;
    }
    case 'DeleteAccessKey':
      credentials.forgetKey(key);
      break;
    case 'UpdateAccessKey':
      credentials.setActive(key, text(input.Status) === 'Active');
      break;
  }
}

function learnKey(xml: string, account: string, credentials: Credentials): void {
  const field = (name: string) => new RegExp(`<${name}>([^<]+)</${name}>`).exec(xml)?.[1];
  const [userName, accessKeyId, secretAccessKey] = [
    field('UserName'),
    field('AccessKeyId'),
    field('SecretAccessKey'),
  ];
  if (userName === undefined || accessKeyId === undefined || secretAccessKey === undefined)
    throw new Error('moto gave out a key in a form that is not known.');
  credentials.learnKey(account, userName, { accessKeyId, secretAccessKey });
}

/**
 * - An object that isn't there is told so only to whoever may list its bucket (S3 API Reference, "GetObject").
 * - One that is encrypted with a key of the account's own takes leave to decrypt, too.
 */
async function checkObject(mapping: Mapping, response: IncomingMessage, watcher: Watcher): Promise<void> {
  const { call } = mapping;
  const bucket = `arn:aws:s3:::${text(call.input.Bucket) ?? ''}`;
  const object = `${bucket}/${text(call.input.Key) ?? ''}`;
  if (response.statusCode === 404) {
    await need([s3Ask('ListBucket', bucket, mapping)], response, watcher);
    return;
  }
  const encryption = String(response.headers['x-amz-server-side-encryption'] ?? '');
  const named = response.headers['x-amz-server-side-encryption-aws-kms-key-id'];
  // Of what there is only a checksum is encrypted, too.
  const readsNothing = call.operation === 'HeadObject' && call.input.ChecksumMode !== 'ENABLED';
  if (!encryption.startsWith('aws:kms') || readsNothing) return;
  const key = typeof named === 'string' ? named : managedKeyOf(text(call.input.Bucket) ?? '', mapping);
  const bucketKey = response.headers['x-amz-server-side-encryption-bucket-key-enabled'] === 'true';
  await need(await keyAsks({ key, bucketKey }, object, ['Decrypt'], mapping), response, watcher);
}

const READS_PARAMETERS = new Set([
  'GetParameter',
  'GetParameters',
  'GetParametersByPath',
  'GetParameterHistory',
]);

async function checkParameters(mapping: Mapping, body: Buffer, watcher: Watcher): Promise<void> {
  const answer: unknown = JSON.parse(body.toString('utf8'));
  if (!isRecord(answer)) return;
  const secrets = records([answer.Parameter, answer.Parameters].flat()).filter(
    ({ Type: type }) => type === 'SecureString',
  );
  for (const parameter of secrets) {
    const name = text(parameter.Name) ?? '';
    const arn =
      text(parameter.ARN) ??
      `arn:aws:ssm:${mapping.call.region}:${mapping.account}:parameter/${name.replace(/^\//, '')}`;
    await need(await decryptParameter(mapping, name, arn), undefined, watcher);
  }
}

async function need(
  asks: readonly Ask[],
  response: IncomingMessage | undefined,
  watcher: Watcher,
): Promise<void> {
  const decisions = await watcher.judge(asks);
  watcher.log(decisions);
  const denied = decisions.find(({ allowed }) => !allowed);
  if (denied === undefined) return;
  response?.resume();
  throw watcher.refuse(denied);
}
