import { GetPublicAccessBlockCommand, PutPublicAccessBlockCommand } from '@aws-sdk/client-s3';
import { orNothing, type Place } from '../authorization/moto-clients';
import { ALL_BLOCKED, NONE_BLOCKED, type PublicAccessBlock, type World } from '../authorization/world';
import { isRecord, text, type Mapping } from '../mapping/ask';

/**
 * Public access is blocked for every new bucket (S3 User Guide, "Blocking public access to your Amazon S3 storage"),
 * and moto, which blocks none by itself, is told so.
 */
export async function blockPublicAccess(
  world: World,
  place: Place,
  bucket: string,
): Promise<PublicAccessBlock> {
  const command = new PutPublicAccessBlockCommand({
    Bucket: bucket,
    PublicAccessBlockConfiguration: {
      BlockPublicAcls: true,
      IgnorePublicAcls: true,
      BlockPublicPolicy: true,
      RestrictPublicBuckets: true,
    },
  });
  await world.client('s3', place).send(command);
  return ALL_BLOCKED;
}

/** Of a bucket that was made past this front: what moto was told, or what every new one has. */
export async function publicAccessOf(world: World, place: Place, bucket: string): Promise<PublicAccessBlock> {
  const answer = await orNothing(
    world.client('s3', place).send(new GetPublicAccessBlockCommand({ Bucket: bucket })),
  );
  const found = answer?.PublicAccessBlockConfiguration;
  if (found === undefined) return blockPublicAccess(world, place, bucket);
  const { BlockPublicPolicy: policy = false, RestrictPublicBuckets: restrict = false } = found;
  return { blockPublicPolicy: policy, restrictPublicBuckets: restrict };
}

/** From a request that moto has done. */
export function learnPublicAccess({ call, world }: Mapping): void {
  const bucket = world.buckets.get(text(call.input.Bucket) ?? '');
  if (bucket === undefined) return;
  if (call.operation === 'DeletePublicAccessBlock') bucket.publicAccess = NONE_BLOCKED;
  if (call.operation !== 'PutPublicAccessBlock') return;
  const given = call.input.PublicAccessBlockConfiguration;
  const { BlockPublicPolicy: policy, RestrictPublicBuckets: restrict } = isRecord(given) ? given : {};
  bucket.publicAccess = { blockPublicPolicy: policy === true, restrictPublicBuckets: restrict === true };
}
