import type { IncomingMessage } from 'node:http';
import type { Credentials } from '../authentication/credentials';
import type { Decision } from '../authorization/decide';
import type { World } from '../authorization/world';
import { isRecord, records, text, type Ask, type Mapping } from '../mapping/ask';
import { throughService } from '../mapping/services/kms-through';
import { s3Ask } from '../mapping/services/s3';
import { decryptParameter } from '../mapping/services/ssm';
import type { Refusal } from '../refusal';
import { wholeAnswer } from './forward';
import { withBoundary } from './user-boundaries';

export interface Watcher {
  readonly judge: (ask: Ask) => Promise<Decision>;
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
  learn(mapping, done, credentials);
  forgetWhatChanged(mapping);
  if (prefix === 'iam' && ['CreateAccessKey', 'GetUser', 'CreateUser'].includes(call.operation)) {
    const xml = (await wholeAnswer(response)).toString('utf8');
    if (call.operation === 'CreateAccessKey' && done) learnKey(xml, account, credentials);
    const name = /<UserName>([^<]+)<\/UserName>/.exec(xml)?.[1] ?? '';
    watcher.send(Buffer.from(withBoundary(xml, done ? world.userBoundary(account, name) : undefined)));
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
function forgetWhatChanged({ call, account, head, world }: Mapping): void {
  if (isRead(call.operation, head.method, call.service.prefix)) return;
  world.changed(call.service.prefix, account);
}

/** Operations that change nothing that decisions look at. */
function isRead(operation: string, method: string, prefix: string): boolean {
  if (prefix === 'apigateway') return method === 'GET';
  return /^(Get|List|Describe|Head|BatchGet|BatchCheck|Query$|Scan$|Encrypt$|Decrypt$|ReEncrypt$|GenerateData|PutMetricData$|PutLogEvents$|PutObject$|UploadPart$|Send)/.test(
    operation,
  );
}

function learn({ call, account, world }: Mapping, done: boolean, credentials: Credentials): void {
  if (!done) return;
  const { input, operation, service } = call;
  if (service.prefix === 's3') {
    const bucket = text(input.Bucket) ?? '';
    if (operation === 'CreateBucket' && !world.buckets.has(bucket))
      world.buckets.set(bucket, { account, region: call.region });
    if (operation === 'DeleteBucket') world.buckets.delete(bucket);
    if (/^(Create|Delete)Bucket$|^(Put|Delete)BucketEncryption$/.test(operation))
      world.kept.changed(`s3-encryption:${bucket}`);
    return;
  }
  if (service.prefix !== 'iam') return;
  const user = text(input.UserName) ?? '';
  const key = text(input.AccessKeyId) ?? '';
  switch (operation) {
    case 'CreateUser':
      world.setUserBoundary(account, user, text(input.PermissionsBoundary));
      break;
    case 'DeleteUser':
      credentials.forgetUser(account, user);
      world.setUserBoundary(account, user, undefined);
      break;
    case 'UpdateUser': {
      const renamed = text(input.NewUserName);
      if (renamed === undefined) break;
      credentials.renameUser(account, user, renamed);
      world.setUserBoundary(account, renamed, world.userBoundary(account, user));
      world.setUserBoundary(account, user, undefined);
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
    const decision = await watcher.judge(s3Ask('ListBucket', bucket, mapping));
    if (decision.allowed) return;
    watcher.log([decision]);
    response.resume();
    throw watcher.refuse({ ...decision, action: 's3:ListBucket' });
  }
  const encryption = String(response.headers['x-amz-server-side-encryption'] ?? '');
  const key = response.headers['x-amz-server-side-encryption-aws-kms-key-id'];
  if (!encryption.startsWith('aws:kms') || typeof key !== 'string' || call.operation === 'HeadObject') return;
  await need(
    await throughService(mapping, 's3', key, ['Decrypt'], { 'aws:s3:arn': object }),
    response,
    watcher,
  );
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
  const decisions = await Promise.all(asks.map(watcher.judge));
  watcher.log(decisions);
  const denied = decisions.find(({ allowed }) => !allowed);
  if (denied === undefined) return;
  response?.resume();
  throw watcher.refuse(denied);
}
