import { z } from 'zod';
import { OPERATIONS, type Operation } from './operations';
import { problemBody } from './problem';

/** Every request can meet these. */
const ANY_PROBLEM = [503, 504];

/** The document of what AUX answers to, made from the operations themselves. */
export function openApi() {
  const operations: Record<string, object> = Object.fromEntries(
    Object.entries(OPERATIONS).map(([path, operation]) => [path, { get: operationOf(operation) }]),
  );
  return {
    openapi: '3.1.0',
    info: {
      title: 'AUX',
      version: '1',
      description: 'The internal backend with access to S3 and SSM. The gateway passes on /v1 alone.',
    },
    paths: {
      ...operations,
      '/v1/openapi.json': { get: probe('This document', z.looseObject({ openapi: z.string() })) },
      '/health': { get: probe('Whether the process is alive', z.strictObject({ alive: z.literal(true) })) },
      '/ready': {
        get: probe('Whether AUX can take on its role', z.strictObject({ role: z.string() }), [503]),
      },
    },
  };
}

function operationOf({ summary, query, answer, problems }: Operation) {
  const parameters = Object.entries(query.shape).map(([name, shape]) => {
    const { description, ...schema } = schemaOf(shape as z.ZodType) as { description?: string };
    return {
      name,
      in: 'query',
      required: !(shape as z.ZodType).safeParse(undefined).success,
      ...(description !== undefined && { description }),
      schema,
    };
  });
  return {
    summary,
    parameters,
    responses: {
      '200': {
        description: summary,
        content:
          answer === 'bytes'
            ? { '*/*': { schema: { description: 'The bytes as they are stored' } } }
            : { 'application/json': { schema: schemaOf(answer) } },
      },
      ...problemResponses([...problems, ...ANY_PROBLEM]),
    },
  };
}

function probe(summary: string, answer: z.ZodType, problems: number[] = []) {
  const ok = { description: summary, content: { 'application/json': { schema: schemaOf(answer) } } };
  return { summary, responses: { '200': ok, ...problemResponses(problems) } };
}

function problemResponses(statuses: number[]) {
  const content = { 'application/problem+json': { schema: schemaOf(problemBody) } };
  return Object.fromEntries(statuses.map((status) => [status, { description: 'A problem', content }]));
}

function schemaOf(shape: z.ZodType) {
  const { $schema, ...schema } = z.toJSONSchema(shape);
  return schema;
}
