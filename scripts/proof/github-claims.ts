import {
  BatchDeleteImageCommand,
  ECRClient,
  GetAuthorizationTokenCommand,
  InitiateLayerUploadCommand,
} from '@aws-sdk/client-ecr';
import { ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { AssumeRoleWithWebIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { names } from '../../stacks/names';
import type { LocalRunAccess } from '../local-run';
import { options, roleArn, type Claim, type Key, type Result } from './claim';

type Token = Parameters<LocalRunAccess['control']['githubToken']>[0];

/** Who may take on GitHub's roles. */
export function githubClaims(run: LocalRunAccess, other: string): Claim[] {
  const own = names(run.environment);
  const { repository, pushFrom } = run.environment.github;
  const from: Partial<Token> =
    'branch' in pushFrom ? { ref: `refs/heads/${pushFrom.branch}` } : { environment: pushFrom.environment };
  const [owner = '', name = ''] = repository.split('/');
  const claim = (role: string, workflow: string, token: Partial<Token>, expected: Result): Claim => ({
    who: `workflow of ${workflow}`,
    does: `takes on ${role}`,
    expected,
    request: () => takeOnByToken(run, role, { repository, ...token }),
  });
  return [
    claim(own.pushRole, describe(repository, from), from, 'allowed'),
    claim(own.pushRole, `${repository}, another branch`, { ref: 'refs/heads/other' }, 'denied'),
    claim(own.pushRole, `${repository}, a pull request`, { event: 'pull_request' }, 'denied'),
    claim(own.pushRole, `${owner}/${name}-fork`, { ...from, repository: `${owner}/${name}-fork` }, 'denied'),
    claim(
      own.pushRole,
      `${repository}, for another audience`,
      { ...from, audience: 'https://github.com' },
      'denied',
    ),
    claim(
      own.pushRole,
      `${repository}, a token from an hour ago`,
      { ...from, expiresInSeconds: -3600 },
      'denied',
    ),
    claim(
      own.deployRole,
      `${repository}, environment ${run.environment.name}`,
      { environment: run.environment.name },
      'allowed',
    ),
    claim(own.deployRole, `${repository}, environment ${other}`, { environment: other }, 'denied'),
    claim(own.deployRole, describe(repository, from), from, 'denied'),
  ];
}

const describe = (repository: string, { ref, environment }: Partial<Token>) =>
  `${repository}, ${environment === undefined ? (ref ?? '').replace('refs/heads/', 'branch ') : `environment ${environment}`}`;

/** As GitHub's configure-aws-credentials does. */
async function takeOnByToken(run: LocalRunAccess, role: string, token: Token): Promise<Key> {
  const sts = new STSClient({
    ...options(run, run.administrator),
    credentials: { accessKeyId: '', secretAccessKey: '' },
  });
  const { Credentials: given } = await sts.send(
    new AssumeRoleWithWebIdentityCommand({
      RoleArn: roleArn(run, role),
      RoleSessionName: 'GitHubActions',
      WebIdentityToken: await run.control.githubToken(token),
    }),
  );
  return {
    accessKeyId: given?.AccessKeyId ?? '',
    secretAccessKey: given?.SecretAccessKey ?? '',
    sessionToken: given?.SessionToken ?? '',
  };
}

/** What the role may do that pushes images. */
export async function pushClaims(run: LocalRunAccess): Promise<Claim[]> {
  const own = names(run.environment);
  const { repository, pushFrom } = run.environment.github;
  const from: Partial<Token> =
    'branch' in pushFrom ? { ref: `refs/heads/${pushFrom.branch}` } : { environment: pushFrom.environment };
  const of = options(run, await takeOnByToken(run, own.pushRole, { repository, ...from }));
  const ecr = new ECRClient(of);
  const claim = (does: string, expected: Result, request: Claim['request']): Claim => ({
    who: 'push role',
    does,
    expected,
    request,
  });
  const push = (repositoryName: string) => () => ecr.send(new InitiateLayerUploadCommand({ repositoryName }));
  return [
    claim('gets a login to ECR', 'allowed', () => ecr.send(new GetAuthorizationTokenCommand({}))),
    ...run.environment.repositories.names.map((name) =>
      claim(`pushes to ${own.repository(name)}`, 'allowed', push(own.repository(name))),
    ),
    claim(`pushes to ${own.repository('other')}`, 'denied', push(own.repository('other'))),
    claim(`deletes images of ${own.repository('api')}`, 'denied', () =>
      ecr.send(
        new BatchDeleteImageCommand({ repositoryName: own.repository('api'), imageIds: [{ imageTag: 'a' }] }),
      ),
    ),
    claim(`lists ${own.bucket('data')}`, 'denied', () =>
      new S3Client(of).send(new ListObjectsV2Command({ Bucket: own.bucket('data') })),
    ),
  ];
}
