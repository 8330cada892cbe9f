import { ECRClient, GetAuthorizationTokenCommand } from '@aws-sdk/client-ecr';
import { DescribeInstancesCommand, EC2Client } from '@aws-sdk/client-ec2';
import { ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { GetParameterCommand, SendCommandCommand, SSMClient } from '@aws-sdk/client-ssm';
import { signedFetch, type SignedRequest, type Signer } from '@slipway/local-aws';
import { names } from '../../stacks/names';
import type { LocalRunAccess } from '../local-run';
import { options, roleArn, type Claim, type Result } from './claim';

/** As EC2 names the session of an instance's role. */
const HOST_ID = 'i-0123456789abcdef0';

/** What a Docker host may do with the role of its instance profile. */
export async function hostClaims(run: LocalRunAccess): Promise<Claim[]> {
  const own = names(run.environment);
  const [host] = run.environment.dockerHosts;
  if (!host) return [];
  const role = roleArn(run, own.dockerHost(host.name));
  const of = options(
    run,
    await run.control.serviceCredentials({
      service: 'ec2.amazonaws.com',
      roleArn: role,
      sessionName: HOST_ID,
    }),
  );
  const ssm = new SSMClient(of);
  const claim = (does: string, expected: Result, request: Claim['request']): Claim => ({
    who: 'Docker host',
    does,
    expected,
    request,
  });
  return [
    claim('reports to Systems Manager', 'allowed', () => asAgent(of, UPDATE_INFORMATION)),
    claim('opens a channel of Session Manager', 'allowed', () => asAgent(of, CREATE_CHANNEL)),
    claim(`reads ${own.parameter('api/config')}`, 'denied', () =>
      ssm.send(new GetParameterCommand({ Name: own.parameter('api/config') })),
    ),
    claim('runs a command on another host', 'denied', () =>
      ssm.send(
        new SendCommandCommand({ DocumentName: 'AWS-RunShellScript', InstanceIds: ['i-0fedcba9876543210'] }),
      ),
    ),
    claim(`lists ${own.bucket('data')}`, 'denied', () =>
      new S3Client(of).send(new ListObjectsV2Command({ Bucket: own.bucket('data') })),
    ),
    claim('lists instances', 'denied', () => new EC2Client(of).send(new DescribeInstancesCommand({}))),
    claim('gets a login to ECR', 'denied', () =>
      new ECRClient(of).send(new GetAuthorizationTokenCommand({})),
    ),
  ];
}

/** What the SSM agent sends; no SDK has these. */
const UPDATE_INFORMATION: SignedRequest = {
  service: 'ssm',
  path: '/',
  headers: {
    'content-type': 'application/x-amz-json-1.1',
    'x-amz-target': 'AmazonSSM.UpdateInstanceInformation',
  },
  body: JSON.stringify({
    InstanceId: HOST_ID,
    AgentName: 'amazon-ssm-agent',
    AgentStatus: 'Active',
    AgentVersion: '3.3.0.0',
    PlatformType: 'Linux',
  }),
};
const CREATE_CHANNEL: SignedRequest = {
  service: 'ssmmessages',
  path: `/v1/control-channel/${HOST_ID}`,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ MessageSchemaVersion: '1.0', RequestId: '00000000-0000-4000-8000-000000000000' }),
};

/** moto has none of this, so any answer but a refusal means that it got past the decision. */
async function asAgent(signer: Signer, request: SignedRequest): Promise<void> {
  const answer = await signedFetch(signer, request);
  const text = await answer.text();
  if (
    /AccessDenied|can't tell what this request needs/.test(
      text + (answer.headers.get('x-amzn-errortype') ?? ''),
    )
  )
    throw Object.assign(new Error(text), { name: 'AccessDeniedException' });
}
