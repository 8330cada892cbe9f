import { githubRepository, organisation } from './organisation';
import type { EnvironmentInput } from './schema';

export default {
  name: 'dev',
  organisation,
  region: 'eu-west-1',
  account: '111122223333',
  state: { backend: 'local' },
  tags: { Team: 'platform' },
  protection: { buckets: 'disposable', hosts: false },

  buckets: [
    { name: 'data', tiering: 'intelligent' },
    { name: 'logs', encryption: 'AES256', expireAfterDays: 90 },
    { name: 'backups', tiering: { infrequentAccessAfterDays: 30, glacierAfterDays: 90 } },
  ],
  accessLogsBucket: 'logs',

  parameters: [
    { path: 'api/config', json: { logLevel: 'debug', requestTimeoutSeconds: 10 } },
    { path: 'database/url', secret: { variable: 'database_url', version: 1 } },
    { path: 'features/flags', json: { newCheckout: true } },
  ],

  repositories: { owner: 'this', names: ['api', 'aux'] },
  github: { repository: githubRepository, oidcProvider: 'this', pushFrom: { branch: 'main' } },

  baseUser: { accessKeys: ['first'] },
  services: {
    aux: {
      namespace: 'aux',
      buckets: { data: 'read-write' },
      parameters: 'all',
    },
    api: { deprecated: true },
  },

  network: { newWithCidr: '10.20.0.0/24' },
  dockerHosts: [
    {
      name: 'docker',
      containers: [{ name: 'web', image: 'public.ecr.aws/nginx/nginx:1.29', ports: ['80:80'] }],
    },
  ],

  broker: { projects: { abc: { buckets: { data: 'read-write' }, parameters: ['features/flags'] } } },
} satisfies EnvironmentInput as EnvironmentInput;
