import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parse } from 'yaml';

/** As much of the Kubernetes API as the real kubectl needs to read and apply one secret. */
export interface KubernetesApi {
  /** For KUBECONFIG. */
  kubeconfig: string;
  /** Secrets by `namespace/name`, as last applied. */
  secrets: Map<string, unknown>;
  stop: () => Promise<void>;
}

export async function startKubernetesApi(): Promise<KubernetesApi> {
  const secrets = new Map<string, unknown>();
  const server: Server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      const [status, answer] = reply(
        request.method ?? '',
        new URL(request.url ?? '', 'http://api').pathname,
        body,
        secrets,
      );
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
    });
  });
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  const { port } = server.address() as AddressInfo;
  return {
    kubeconfig: JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'test', cluster: { server: `http://127.0.0.1:${port}` } }],
      users: [{ name: 'test', user: {} }],
      contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
      'current-context': 'test',
    }),
    secrets,
    stop: () =>
      new Promise((done) => {
        server.closeAllConnections();
        server.close(() => {
          done();
        });
      }),
  };
}

const SECRET = /^\/api\/v1\/namespaces\/([^/]+)\/secrets\/([^/]+)$/;

function reply(method: string, path: string, body: string, secrets: Map<string, unknown>): [number, unknown] {
  const fixed = FIXED[path];
  if (fixed) return [200, fixed];
  const [, namespace, name] = SECRET.exec(path) ?? [];
  const key = `${namespace ?? ''}/${name ?? ''}`;
  if (name && method === 'PATCH') secrets.set(key, parse(body));
  const secret = secrets.get(key);
  if (secret) return [200, secret];
  return [
    404,
    {
      kind: 'Status',
      apiVersion: 'v1',
      status: 'Failure',
      reason: 'NotFound',
      code: 404,
      message: `${path} not found`,
    },
  ];
}

/** What kubectl asks before anything else: which APIs there are, and whether the server checks fields. */
const FIXED: Record<string, unknown> = {
  '/api': { kind: 'APIVersions', versions: ['v1'] },
  '/apis': { kind: 'APIGroupList', apiVersion: 'v1', groups: [] },
  '/api/v1': {
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion: 'v1',
    resources: [
      { name: 'secrets', singularName: 'secret', namespaced: true, kind: 'Secret', verbs: ['get', 'patch'] },
    ],
  },
  '/openapi/v3': { paths: { 'api/v1': { serverRelativeURL: '/openapi/v3/api/v1' } } },
  '/openapi/v3/api/v1': {
    openapi: '3.0.0',
    info: { title: 'test', version: '1' },
    paths: {
      '/api/v1/namespaces/{namespace}/secrets/{name}': {
        patch: {
          'x-kubernetes-group-version-kind': { group: '', version: 'v1', kind: 'Secret' },
          parameters: [{ name: 'fieldValidation', in: 'query', schema: { type: 'string' } }],
          responses: {},
        },
      },
    },
  },
};
