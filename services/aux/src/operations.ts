import { z } from 'zod';
import type { Aws } from './aws';

/** What AUX answers to. Every name is in the query: keys and parameter names hold slashes, which a path can't. */
export interface Operation {
  summary: string;
  /** Parameters of the query, all text. */
  query: z.ZodObject;
  /** Shape of the JSON; `bytes` for what is answered as it is stored. */
  answer: z.ZodType | 'bytes';
  /** Statuses besides 200 and those that any request can meet. */
  problems: number[];
  /** @param signal ends when the request's time does, or its client goes */
  run: (query: unknown, aws: Aws, signal: AbortSignal) => Promise<unknown>;
}

const bucket = z.string().min(3).max(63);
const parameterName = z.string().min(1).max(2048);
const after = z.string().max(2048).optional().describe('The "after" of the answer before');

const parameter = z.strictObject({
  name: z.string(),
  type: z.enum(['String', 'StringList', 'SecureString']),
  version: z.int(),
  value: z.string().optional().describe('Left out where it is a secret'),
});
const page = { after: z.string().optional().describe('There is more: ask again with it') };

/** By path. What stands under /v1 goes through the gateway; the rest is for the cluster. */
export const OPERATIONS: Readonly<Record<string, Operation>> = {
  '/v1/buckets': operation({
    summary: 'Lists buckets',
    query: z.strictObject({ after }),
    answer: z.strictObject({ buckets: z.array(z.string()), ...page }),
    problems: [400, 403],
    run: ({ after }, aws, signal) => aws.listBuckets(after, signal),
  }),
  '/v1/objects': operation({
    summary: 'Lists the objects of a bucket, a thousand at once',
    query: z.strictObject({ bucket, prefix: z.string().max(1024).optional(), after }),
    answer: z.strictObject({
      objects: z.array(
        z.strictObject({ key: z.string(), size: z.int(), lastModified: z.iso.datetime().optional() }),
      ),
      ...page,
    }),
    problems: [400, 403, 404],
    run: ({ bucket, prefix, after }, aws, signal) => aws.listObjects(bucket, { prefix, after }, signal),
  }),
  '/v1/object': operation({
    summary: 'Reads an object',
    query: z.strictObject({ bucket, key: z.string().min(1).max(1024) }),
    answer: 'bytes',
    problems: [400, 403, 404],
    run: ({ bucket, key }, aws, signal) => aws.readObject(bucket, key, signal),
  }),
  '/v1/parameters': operation({
    summary: 'Lists the parameters below a path, ten at once; without the values of secrets',
    query: z.strictObject({ path: z.string().startsWith('/').max(2048), after }),
    answer: z.strictObject({ parameters: z.array(parameter), ...page }),
    problems: [400, 403],
    run: ({ path, after }, aws, signal) => aws.listParameters(path, after, signal),
  }),
  '/v1/parameter': operation({
    summary: 'Reads a parameter; without its value where it is a secret',
    query: z.strictObject({ name: parameterName }),
    answer: parameter,
    problems: [400, 403, 404],
    run: ({ name }, aws, signal) => aws.readParameter(name, false, signal),
  }),
  '/secret': operation({
    summary: 'Reads a parameter and decrypts it; in the cluster alone',
    query: z.strictObject({ name: parameterName }),
    answer: parameter,
    problems: [400, 403, 404],
    run: ({ name }, aws, signal) => aws.readParameter(name, true, signal),
  }),
};

/** Lets each `run` see its own query's type. */
function operation<Query extends z.ZodObject>(
  described: Omit<Operation, 'query' | 'run'> & {
    query: Query;
    run: (query: z.infer<Query>, aws: Aws, signal: AbortSignal) => Promise<unknown>;
  },
): Operation {
  const { query, run } = described;
  return { ...described, run: (given, aws, signal) => run(query.parse(given), aws, signal) };
}
