import { githubRepository, organisation } from './organisation';
import type { EnvironmentInput } from './schema';

export default {
  name: 'prod',
  organisation,
  region: 'eu-west-1',
  account: '444455556666',
  state: { backend: 'local' },
  tags: { Team: 'platform' },
  protection: { buckets: 'locked', keep: ['data', 'logs', 'backups'], hosts: true },

  buckets: [
    { name: 'data', tiering: 'intelligent' },
    { name: 'logs', encryption: 'AES256', expireAfterDays: 365 },
    { name: 'backups', tiering: { infrequentAccessAfterDays: 30, glacierAfterDays: 90 } },
  ],
  accessLogsBucket: 'logs',

  parameters: [
    { path: 'api/config', json: { logLevel: 'warn', requestTimeoutSeconds: 10 } },
    { path: 'database/url', secret: { variable: 'database_url', version: 1 } },
    { path: 'features/flags', json: { newCheckout: false } },
  ],

  repositories: { owner: 'this', names: ['api', 'aux'] },
  github: { repository: githubRepository, oidcProvider: 'this', pushFrom: { environment: 'prod' } },

  baseUser: { accessKeys: ['first'] },
  services: {
    aux: {
      namespace: 'aux',
      buckets: { data: 'read-write' },
      parameters: 'all',
    },
    api: { deprecated: true },
  },

  network: { newWithCidr: '10.22.0.0/24' },
  dockerHosts: [
    {
      name: 'docker',
      containers: [{ name: 'web', image: 'public.ecr.aws/nginx/nginx:1.29', ports: ['80:80'] }],
    },
  ],
} satisfies EnvironmentInput as EnvironmentInput;
