import { HeadBucketCommand, PutBucketPolicyCommand } from '@aws-sdk/client-s3';
import { shownArn } from '../authentication/principal';
import { decide } from '../authorization/decide';
import { isPublic } from '../authorization/evaluator';
import { readPolicy } from '../authorization/policy';
import { pinsOf } from '../authorization/principals';
import { orNothing } from '../authorization/moto-clients';
import type { Bucket, World } from '../authorization/world';
import { text, type Mapping } from '../mapping/ask';
import { s3Ask } from '../mapping/services/s3';
import { invalid, Refusal } from '../refusal';
import { publicAccessOf } from './public-access';
import type { Response } from './refusal-response';

/** S3 User Guide, "Bucket policies": 20 KB. */
const MOST_BYTES = 20 * 1024;

export const BUCKET_POLICY_OPERATIONS = new Set(['GetBucketPolicy', 'PutBucketPolicy', 'DeleteBucketPolicy']);

/**
 * Bucket policies are kept here and never reach moto, which refuses objects for conditions that it doesn't read.
 *
 * @throws Refusal as S3 does
 */
export async function answerBucketPolicy(mapping: Mapping): Promise<Response> {
  const { call, world } = mapping;
  const name = text(call.input.Bucket) ?? '';
  const bucket = world.buckets.get(name);
  if (bucket === undefined) throw invalid('NoSuchBucket', 'The specified bucket does not exist', 404);
  switch (call.operation) {
    case 'GetBucketPolicy':
      if (bucket.policy === undefined)
        throw invalid('NoSuchBucketPolicy', 'The bucket policy does not exist', 404);
      return { status: 200, headers: { 'content-type': 'application/json' }, body: bucket.policy.text };
    case 'PutBucketPolicy':
      await put(bucket, name, mapping);
      break;
    default:
      delete bucket.policy;
  }
  return { status: 204, headers: {}, body: '' };
}

async function put(bucket: Bucket, name: string, { body, caller, world }: Mapping): Promise<void> {
  const policy = body.toString('utf8');
  if (Buffer.byteLength(policy) > MOST_BYTES)
    throw invalid('PolicyTooLarge', `Policy exceeds the limit of ${MOST_BYTES} bytes.`);
  const document = readPolicy(policy);
  if (document === undefined)
    throw invalid('MalformedPolicy', "Policies must be valid JSON and the first byte must be '{'");
  const own = `arn:aws:s3:::${name}`;
  for (const statement of document.Statement) {
    if (statement.Principal === undefined && statement.NotPrincipal === undefined)
      throw invalid('MalformedPolicy', 'Missing required field Principal');
    const resources = [statement.Resource ?? statement.NotResource].flat();
    if (
      !resources.every(
        (resource) =>
          typeof resource === 'string' &&
          (resource === own || resource.startsWith(`${own}/`) || /[*?]/.test(resource)),
      )
    )
      throw invalid('MalformedPolicy', 'Policy has invalid resource');
  }
  if (bucket.publicAccess.blockPublicPolicy && isPublic(document))
    throw new Refusal(
      'denied',
      `User: ${shownArn(caller)} is not authorized to perform: s3:PutBucketPolicy on resource: "${own}" because public policies are prevented by the BlockPublicPolicy setting in S3 Block Public Access.`,
    );
  bucket.policy = { text: policy, document, pins: await pinsOf(document, world.identities) };
}

/**
 * S3 delivers access logs into a bucket whose policy lets it; moto looks for the policy on its own side. So it gets
 * just that statement, where the real policy allows as much.
 */
export async function lendLogDelivery(mapping: Mapping): Promise<void> {
  const { body, call, world, account, head } = mapping;
  const xml = body.toString('utf8');
  const target = /<TargetBucket>([^<]+)<\/TargetBucket>/.exec(xml)?.[1];
  if (target === undefined) return;
  const prefix = /<TargetPrefix>([^<]*)<\/TargetPrefix>/.exec(xml)?.[1] ?? '';
  const source = `arn:aws:s3:::${text(call.input.Bucket) ?? ''}`;
  const ask = s3Ask('PutObject', `arn:aws:s3:::${target}/${prefix}log`, mapping, {
    'aws:SourceAccount': account,
    'aws:SourceArn': source,
    'aws:SecureTransport': 'true',
    's3:TlsVersion': '1.3',
  });
  const decision = await decide({
    asker: { kind: 'service', service: 'logging.s3.amazonaws.com' },
    ask,
    region: call.region,
    head,
    world,
  });
  if (decision?.allowed !== true) return;
  const statement = {
    Effect: 'Allow',
    Principal: { Service: 'logging.s3.amazonaws.com' },
    Action: 's3:PutObject',
    Resource: `arn:aws:s3:::${target}/*`,
  };
  const owner = { account: world.buckets.get(target)?.account ?? account, region: call.region };
  await orNothing(
    world.client('s3', owner).send(
      new PutBucketPolicyCommand({
        Bucket: target,
        Policy: JSON.stringify({ Version: '2012-10-17', Statement: [statement] }),
      }),
    ),
  );
}

/** A bucket that was made by something else than a request: a stack of CloudFormation's. */
export async function learnBucket(
  world: World,
  name: string,
  account: string,
  region: string,
): Promise<void> {
  if (name === '' || world.buckets.has(name)) return;
  const found = await orNothing(
    world.client('s3', { account, region }).send(new HeadBucketCommand({ Bucket: name })),
  );
  if (found === undefined) return;
  world.buckets.set(name, {
    account,
    region,
    publicAccess: await publicAccessOf(world, { account, region }, name),
  });
}
