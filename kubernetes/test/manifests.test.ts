import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Container, Service } from 'kubernetes-types/core/v1';
import type { Deployment } from 'kubernetes-types/apps/v1';
import type { NetworkPolicy } from 'kubernetes-types/networking/v1';
import ts from 'typescript';
import { parse, parseAllDocuments } from 'yaml';
import { loadEnvironments } from '../../environments';
import { kubernetesSecret } from '../../scripts/kubernetes-secret';
import { readSettings as readApiSettings } from '../../services/api/src/settings';
import { readSettings as readAuxSettings } from '../../services/aux/src/settings';

jest.setTimeout(60_000);

interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string };
  spec?: object;
}

const manifests = (service: string) =>
  parseAllDocuments(readFileSync(join(__dirname, '..', `${service}.yaml`), 'utf8')).map((document) => {
    expect(document.errors).toEqual([]);
    return document.toJS() as Manifest;
  });
const services = { aux: manifests('aux'), api: manifests('api') };
const all = Object.values(services).flat();

/** Typed by its kind, which the first test holds it to. */
interface Kinds {
  Deployment: Deployment & Manifest;
  NetworkPolicy: NetworkPolicy;
  Service: Service;
}
function one<Kind extends keyof Kinds>(service: 'aux' | 'api', kind: Kind, name: string = service) {
  return services[service].find((each) => each.kind === kind && each.metadata.name === name) as
    | Kinds[Kind]
    | undefined;
}
const pod = (service: 'aux' | 'api') => one(service, 'Deployment')?.spec?.template;
const container = (service: 'aux' | 'api'): Partial<Container> => pod(service)?.spec?.containers[0] ?? {};

/** The types of Kubernetes' OpenAPI; as literals, so that the compiler refuses what they don't name. */
function problemsOf(documents: Manifest[]): string[] {
  const file = join(__dirname, 'checked.ts');
  const text = documents
    .map((document, index) => {
      const group = document.apiVersion === 'v1' ? 'core/v1' : document.apiVersion.replace('.k8s.io', '');
      return `export const m${index}: import('kubernetes-types/${group}').${document.kind} = ${JSON.stringify(document)};`;
    })
    .join('\n');
  const options: ts.CompilerOptions = {
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    types: [],
    moduleResolution: ts.ModuleResolutionKind.Node10,
  };
  const host = ts.createCompilerHost(options);
  const fileExists = host.fileExists.bind(host);
  const getSourceFile = host.getSourceFile.bind(host);
  host.fileExists = (name) => name === file || fileExists(name);
  host.getSourceFile = (name, ...rest) =>
    name === file ? ts.createSourceFile(name, text, ts.ScriptTarget.ES2022) : getSourceFile(name, ...rest);
  return ts
    .getPreEmitDiagnostics(ts.createProgram([file], options, host))
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
}

test('all are valid by the types of Kubernetes 1.30, and unknown fields, kinds and wrong types are refused', () => {
  expect(problemsOf(all)).toEqual([]);
  const deployment = services.aux.find(({ kind }) => kind === 'Deployment') as Deployment & Manifest;
  const { spec } = deployment;
  const problems = problemsOf([
    { ...deployment, spec: { ...spec, runAsRoot: false } },
    { ...deployment, spec: { ...spec, replicas: '2' } },
    { ...deployment, kind: 'Deploymint' },
    { ...deployment, apiVersion: 'v1' },
  ]);
  expect(problems).toHaveLength(4);
  expect(problems.join()).toMatch(/runAsRoot.* does not exist/);
});

test.each(['aux', 'api'] as const)('%s runs with the least that it needs', (service) => {
  const spec = pod(service)?.spec;
  expect(spec).toMatchObject({
    automountServiceAccountToken: false,
    securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
  });
  expect(container(service).securityContext).toEqual({
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ['ALL'] },
  });
  expect(container(service).resources).toMatchObject({ requests: { cpu: expect.any(String) as string } });
  expect(container(service).resources?.limits).toHaveProperty('memory');
  expect(container(service).readinessProbe?.httpGet?.path).toBe('/ready');
  expect(container(service).livenessProbe?.httpGet?.path).toBe('/health');
  // The sleep, the drain and the grace of graceful-stop.ts.
  expect(spec?.terminationGracePeriodSeconds).toBeGreaterThan(5 + 1 + 20);
  expect(spec).not.toHaveProperty('volumes');
});

test('the secret of setup-k8s-secrets is the one that AUX names, in its namespace alone, and all that it needs', () => {
  for (const environment of loadEnvironments()) {
    const [service = '', access] =
      Object.entries(environment.services).find(([, each]) => 'namespace' in each) ?? [];
    if (!access || !('namespace' in access)) throw new Error(`${environment.name} has none`);
    const secret = parse(
      kubernetesSecret({
        environment: environment.name,
        service,
        namespace: access.namespace,
        credentials: { access_key_id: 'a', secret_access_key: 'b', region: 'eu-west-1', role_arn: 'c' },
      }),
    ) as { metadata: { name: string; namespace: string }; stringData: Record<string, string> };
    expect(one('aux', 'Deployment')?.metadata.namespace).toBe(secret.metadata.namespace);
    expect(container('aux').envFrom).toEqual([{ secretRef: { name: secret.metadata.name } }]);
    expect(() => readAuxSettings(secret.stringData)).not.toThrow();
  }
  expect(readFileSync(join(__dirname, '../api.yaml'), 'utf8')).not.toMatch(/secretRef|secretKeyRef|AWS_/);
  const variables = container('api').env?.map(({ name, value = '' }) => [name, value]) ?? [];
  expect(readApiSettings(Object.fromEntries(variables) as Record<string, string>).AUX_URL).toBe(
    'http://aux.aux:8080',
  );
  expect(container('api')).not.toHaveProperty('envFrom');
});

test('who may reach whom', () => {
  for (const service of ['aux', 'api'] as const)
    expect(one(service, 'NetworkPolicy', 'nothing-by-default')?.spec).toEqual({
      podSelector: {},
      policyTypes: ['Ingress', 'Egress'],
    });
  const peer = (namespace: string, labels: Record<string, string>) => [
    {
      namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
      podSelector: { matchLabels: labels },
    },
  ];
  const dns = {
    to: peer('kube-system', { 'k8s-app': 'kube-dns' }),
    ports: [
      { protocol: 'UDP', port: 53 },
      { protocol: 'TCP', port: 53 },
    ],
  };
  const http = [{ protocol: 'TCP', port: 8080 }];
  const api = one('api', 'NetworkPolicy')?.spec;
  expect(api?.egress).toEqual([dns, { to: peer('aux', labelsOf('aux')), ports: http }]);
  const aux = one('aux', 'NetworkPolicy')?.spec;
  expect(aux?.ingress).toEqual([{ from: peer('api', labelsOf('api')), ports: http }]);
  expect(aux?.egress).toEqual([
    dns,
    {
      to: [{ ipBlock: { cidr: '0.0.0.0/0', except: ['169.254.0.0/16'] } }],
      ports: [{ protocol: 'TCP', port: 443 }],
    },
  ]);
  for (const service of ['aux', 'api'] as const) {
    const labels = labelsOf(service);
    expect(one(service, 'NetworkPolicy')?.spec?.podSelector.matchLabels).toEqual(labels);
    expect(one(service, 'Service')?.spec?.selector).toEqual(labels);
    expect(container(service).ports).toEqual([{ name: 'http', containerPort: 8080 }]);
  }
});

function labelsOf(service: 'aux' | 'api'): Record<string, string> {
  return pod(service)?.metadata?.labels ?? {};
}
