import { z } from 'zod';
import { problemBody } from './problem';

const PASSED_METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const;

/** What the gateway itself may answer to a request that it would pass on. */
const OF_THE_GATEWAY: Readonly<Record<number, string>> = {
  400: 'The query is not well-formed',
  404: 'No such path',
  413: 'The body is over 64 KiB',
  414: 'Path and query are over 4096 characters',
  421: 'The gateway is not called by that name',
  502: 'AUX gave no usable answer',
  503: 'AUX can not be reached; Retry-After says when to try again',
  504: 'AUX gave no answer in time',
};

/** The document of the gateway. What is behind /v1 says so itself, at /v1/openapi.json. */
export function openApi() {
  const alive = z.strictObject({ alive: z.literal(true) });
  return {
    openapi: '3.1.0',
    info: {
      title: 'API',
      version: '1',
      description: 'The public gateway. /v1/openapi.json describes what it passes on.',
    },
    paths: {
      '/health': { get: own('Whether the process is alive', alive) },
      '/ready': { get: own('Whether the gateway takes requests; AUX may be away', alive) },
      '/openapi.json': { get: own('This document', z.looseObject({ openapi: z.string() }), [421]) },
      '/v1/{path}': {
        parameters: [
          {
            name: 'path',
            in: 'path',
            required: true,
            description: "A path of AUX's; no percent sign, and no segment that begins with a dot",
            schema: { type: 'string' },
          },
        ],
        ...Object.fromEntries(PASSED_METHODS.map((method) => [method, passed()])),
      },
    },
  };
}

function own(summary: string, answer: z.ZodType, problems: number[] = []) {
  const ok = { description: summary, content: { 'application/json': { schema: schemaOf(answer) } } };
  return { summary, responses: { '200': ok, ...problemResponses(problems) } };
}

function passed() {
  return {
    summary: 'Passed on to AUX',
    responses: {
      ...problemResponses(Object.keys(OF_THE_GATEWAY).map(Number)),
      default: { description: "AUX's answer, as it is" },
    },
  };
}

function problemResponses(statuses: number[]) {
  const content = { 'application/problem+json': { schema: schemaOf(problemBody) } };
  return Object.fromEntries(
    statuses.map((status) => [status, { description: OF_THE_GATEWAY[status] ?? 'A problem', content }]),
  );
}

function schemaOf(shape: z.ZodType) {
  const { $schema, ...schema } = z.toJSONSchema(shape);
  return schema;
}
