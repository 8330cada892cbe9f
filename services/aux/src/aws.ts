import { Readable } from 'node:stream';
import { GetObjectCommand, ListBucketsCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import {
  GetParameterCommand,
  GetParametersByPathCommand,
  type Parameter as SsmParameter,
  SSMClient,
} from '@aws-sdk/client-ssm';
import type { roleCredentials } from '@slipway/runtime';

/** AWS answers in well under a second; two attempts fit into the time that a request has. */
const CLIENT = {
  maxAttempts: 2,
  requestHandler: {
    connectionTimeout: 1000,
    requestTimeout: 3000,
    throwOnRequestTimeout: true,
    socketTimeout: 30_000,
  },
};

export interface StoredObject {
  body: Readable;
  contentType: string;
  contentLength: number | undefined;
  etag: string | undefined;
}

export interface Parameter {
  name: string;
  type: 'String' | 'StringList' | 'SecureString';
  version: number;
  /** Left out where it is a secret that wasn't asked for. */
  value?: string;
}

/** All that AUX asks of AWS. A `signal` ends a call early. @throws errors of the SDK and of the runtime */
export type Aws = ReturnType<typeof awsOf>;

/** @param customEndpoint whether the SDK talks to something else than AWS: buckets are then addressed by path */
export function awsOf(options: {
  region: string;
  credentials: ReturnType<typeof roleCredentials>;
  customEndpoint: boolean;
}) {
  const { region, credentials, customEndpoint } = options;
  const s3 = new S3Client({ ...CLIENT, region, credentials, forcePathStyle: customEndpoint });
  const ssm = new SSMClient({ ...CLIENT, region, credentials });
  return {
    /** Takes on the role, unless it is held already. */
    async takeOnRole(): Promise<void> {
      await credentials();
    },

    async listBuckets(after: string | undefined, signal: AbortSignal) {
      const command = new ListBucketsCommand({ MaxBuckets: 1000, ContinuationToken: after });
      const { Buckets = [], ContinuationToken } = await s3.send(command, { abortSignal: signal });
      return { buckets: Buckets.map(({ Name = '' }) => Name), after: ContinuationToken };
    },

    /** A thousand at once, in the order of their keys. */
    async listObjects(
      bucket: string,
      { prefix, after }: { prefix: string | undefined; after: string | undefined },
      signal: AbortSignal,
    ) {
      const command = new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix, StartAfter: after });
      const { Contents = [], IsTruncated } = await s3.send(command, { abortSignal: signal });
      const objects = Contents.map(({ Key = '', Size = 0, LastModified }) => ({
        key: Key,
        size: Size,
        lastModified: LastModified?.toISOString(),
      }));
      return { objects, after: IsTruncated ? objects.at(-1)?.key : undefined };
    },

    async readObject(bucket: string, key: string, signal: AbortSignal): Promise<StoredObject> {
      const command = new GetObjectCommand({ Bucket: bucket, Key: key });
      const { Body, ContentType, ContentLength, ETag } = await s3.send(command, { abortSignal: signal });
      if (!(Body instanceof Readable)) throw new Error('S3 answered without a body');
      return {
        body: Body,
        contentType: ContentType ?? 'application/octet-stream',
        contentLength: ContentLength,
        etag: ETag,
      };
    },

    /** Ten at once, all below the path; secrets stay encrypted and are left out. */
    async listParameters(path: string, after: string | undefined, signal: AbortSignal) {
      const command = new GetParametersByPathCommand({ Path: path, Recursive: true, NextToken: after });
      const { Parameters = [], NextToken } = await ssm.send(command, { abortSignal: signal });
      return { parameters: Parameters.map((each) => parameterOf(each, false)), after: NextToken };
    },

    /** @param decrypt whether the value of a secret is asked for */
    async readParameter(name: string, decrypt: boolean, signal: AbortSignal): Promise<Parameter> {
      const command = new GetParameterCommand({ Name: name, WithDecryption: decrypt });
      const { Parameter: found } = await ssm.send(command, { abortSignal: signal });
      if (!found) throw new Error('SSM answered without a parameter');
      return parameterOf(found, decrypt);
    },
  };
}

function parameterOf({ Name, Type, Version, Value }: SsmParameter, decrypted: boolean): Parameter {
  const hidden = Type === 'SecureString' && !decrypted;
  return {
    name: Name ?? '',
    type: Type ?? 'String',
    version: Version ?? 0,
    ...(!hidden && { value: Value ?? '' }),
  };
}
