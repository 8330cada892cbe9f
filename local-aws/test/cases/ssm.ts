import {
  DescribeParametersCommand,
  GetParameterCommand,
  GetParameterHistoryCommand,
  GetParametersByPathCommand,
  GetParametersCommand,
  LabelParameterVersionCommand,
  PutParameterCommand,
  SendCommandCommand,
  SSMClient,
  StartSessionCommand,
  TerminateSessionCommand,
  type Target,
} from '@aws-sdk/client-ssm';
import type { Case, Who } from './case';
import { arn as ec2Arn, newInstance } from './ec2';
import { about } from './making';
import { allow, deny, policy, type Statement } from './policies';
import { ACCOUNT, REGION, type World } from './world';

const RETRIEVAL = 'Systems Manager User Guide, "How Parameter Store authorizes parameter retrieval"';
const RESTRICTING = 'Systems Manager User Guide, "Restricting access to specific parameters and paths"';
const ACCESS =
  'Systems Manager User Guide, "Restricting access to Parameter Store parameters using IAM policies"';
const CONDITIONS = 'Systems Manager User Guide, "Preventing access to Parameter Store API operations"';
const ARN_OF_PARAMETER =
  'Service Authorization Reference, "AWS Systems Manager": the ARN of a parameter is arn:…:parameter/${ParameterNameWithoutLeadingSlash}';
const COMMANDS = 'Systems Manager User Guide, "Setting up Run Command"';
const SESSIONS = 'Systems Manager User Guide, "Additional sample IAM policies for Session Manager"';
const DOCUMENT_CHECK =
  'Systems Manager User Guide, "Enforce a session document permission check for the AWS CLI"';

const arn = (resource: string) => `arn:aws:ssm:${REGION}:${ACCOUNT}:${resource}`;
const parameter = (name: string) => arn(`parameter/${name}`);

/** What is named after the caller. */
const OWN = parameter('${aws:username}/*');

const gets =
  (name: string | ((who: Who) => string)): Case['does'] =>
  (who) =>
    new SSMClient(who.options).send(
      new GetParameterCommand({ Name: typeof name === 'string' ? name : name(who) }),
    );

const getsSeveral =
  (...names: string[]): Case['does'] =>
  ({ options }) =>
    new SSMClient(options).send(new GetParametersCommand({ Names: names }));

const getsPath =
  (path: string): Case['does'] =>
  ({ options }) =>
    new SSMClient(options).send(new GetParametersByPathCommand({ Path: path, Recursive: true }));

const newParameter =
  (name: string): Case['given'] =>
  ({ administrator }, who) =>
    new SSMClient(administrator).send(
      new PutParameterCommand({ Name: `/${who.name}/${name}`, Value: 'value', Type: 'String' }),
    );

const puts =
  (input: { Overwrite?: boolean; Tags?: { Key: string; Value: string }[] } = {}): Case['does'] =>
  ({ options, name }) =>
    new SSMClient(options).send(
      new PutParameterCommand({ Name: `/${name}/config`, Value: 'new', Type: 'String', ...input }),
    );

const newSecureParameter: Case['given'] = ({ administrator }, { name }) =>
  new SSMClient(administrator).send(
    new PutParameterCommand({ Name: `/${name}/password`, Value: 'value', Type: 'SecureString' }),
  );

const getsDecrypted: Case['does'] = ({ options, name }) =>
  new SSMClient(options).send(new GetParameterCommand({ Name: `/${name}/password`, WithDecryption: true }));

const sendsCommand = ({ options }: Who, to: { InstanceIds?: string[]; Targets?: Target[] }) =>
  new SSMClient(options).send(
    new SendCommandCommand({ DocumentName: 'AWS-RunShellScript', Parameters: { commands: ['id'] }, ...to }),
  );

const startsSession = ({ options }: Who, target: string, document?: string) =>
  new SSMClient(options).send(new StartSessionCommand({ Target: target, DocumentName: document }));

const FINANCE = { StringLike: { 'ssm:resourceTag/Finance': 'WebServers' } };

const COMMANDS_TO_FINANCE = policy(
  allow('ssm:SendCommand', 'arn:aws:ssm:*:*:document/*'),
  allow('ssm:SendCommand', 'arn:aws:ec2:*:*:instance/*', FINANCE),
);

const instanceWith = (tags: Record<string, string>) => (world: World) => newInstance(world, tags);

const WITH_DOCUMENT_CHECK: Statement['Condition'] = {
  BoolIfExists: { 'ssm:SessionDocumentAccessCheck': 'true' },
};

const NO_OVERWRITING = policy(
  allow('ssm:PutParameter', parameter('*')),
  deny('ssm:PutParameter', parameter('*'), { StringEquals: { 'ssm:Overwrite': ['true'] } }),
);

export const ssm: Case[] = [
  {
    name: 'a parameter below an allowed path can be read',
    source:
      'Systems Manager User Guide, "How AWS Systems Manager works with IAM": access to all parameters in one level of a hierarchy by parameter/Dev/ERP/Oracle/*',
    service: 'ssm',
    caller: { policies: [policy(allow('ssm:GetParameter', parameter('cases/dev/*')))] },
    does: gets('/cases/dev/config'),
    expect: 'allowed',
  },
  {
    name: 'a parameter below another path can not be read',
    source:
      'Systems Manager User Guide, "How AWS Systems Manager works with IAM": access to all parameters in one level of a hierarchy by parameter/Dev/ERP/Oracle/*',
    service: 'ssm',
    caller: { policies: [policy(allow('ssm:GetParameter', parameter('cases/dev/*')))] },
    does: gets('/cases/prod/config'),
    expect: 'denied',
    says: /ssm:GetParameter on resource: arn:aws:ssm:eu-west-1:111122223333:parameter\/cases\/prod\/config/,
  },
  {
    name: 'a second slash in an ARN matches no parameter',
    source: ARN_OF_PARAMETER,
    service: 'ssm',
    caller: { policies: [policy(allow('ssm:GetParameter', parameter('/cases/dev/config')))] },
    does: gets('/cases/dev/config'),
    expect: 'denied',
  },
  {
    name: 'a parameter can be read by its ARN',
    source:
      'Systems Manager API Reference, "GetParameter": Name is the name or the Amazon Resource Name (ARN) of the parameter',
    service: 'ssm',
    caller: { policies: [policy(allow('ssm:GetParameter', parameter('cases/dev/config')))] },
    does: gets(parameter('cases/dev/config')),
    expect: 'allowed',
  },
  {
    name: 'a version behind the name is not in the ARN',
    source: `Systems Manager User Guide, "Working with parameter versions": parameter-name:version-number refers to a version of the parameter; ${ARN_OF_PARAMETER}`,
    service: 'ssm',
    caller: { policies: [policy(allow('ssm:GetParameter', parameter('cases/dev/config')))] },
    does: gets('/cases/dev/config:1'),
    expect: 'allowed',
  },
  {
    name: 'a label behind the name is not in the ARN',
    source: `Systems Manager User Guide, "Working with parameter labels": parameter-name:label-name refers to a version of the parameter; ${ARN_OF_PARAMETER}`,
    service: 'ssm',
    caller: { policies: [policy(allow('ssm:GetParameter', parameter('${aws:username}/config')))] },
    given: async (world, who) => {
      await newParameter('config')?.(world, who);
      await new SSMClient(world.administrator).send(
        new LabelParameterVersionCommand({ Name: `/${who.name}/config`, Labels: ['current'] }),
      );
    },
    does: gets(({ name }) => `/${name}/config:current`),
    expect: 'allowed',
  },
  {
    name: 'several parameters take leave for each',
    source: `${RETRIEVAL}: GetParameters is authorized against each requested parameter`,
    service: 'ssm',
    caller: { policies: [policy(allow('ssm:GetParameters', parameter('cases/*')))] },
    does: getsSeveral('/cases/dev/config', '/cases/prod/config'),
    expect: 'allowed',
  },
  {
    name: 'one parameter of several that may not be read denies all',
    source: `${RETRIEVAL}: GetParameters is authorized against each requested parameter`,
    service: 'ssm',
    caller: { policies: [policy(allow('ssm:GetParameters', parameter('cases/dev/*')))] },
    does: getsSeveral('/cases/dev/config', '/cases/prod/config'),
    expect: 'denied',
    says: /parameter\/cases\/prod\/config/,
  },
  {
    name: 'a denial to get a parameter is none to get parameters',
    source: `${RETRIEVAL}: denying ssm:GetParameter has no effect on calls to ssm:GetParameters`,
    service: 'ssm',
    caller: {
      policies: [
        policy(allow('ssm:*', parameter('cases/*')), deny('ssm:GetParameter', parameter('cases/*'))),
      ],
    },
    does: getsSeveral('/cases/dev/config'),
    expect: 'allowed',
  },
  {
    name: 'a denial of all that begins with GetParameter takes in each way to the value',
    source: `${RETRIEVAL}: the wildcard pattern ssm:GetParameter* covers all four actions`,
    service: 'ssm',
    caller: {
      policies: [
        policy(allow('ssm:*', parameter('cases/*')), deny('ssm:GetParameter*', parameter('cases/*'))),
      ],
    },
    does: ({ options }) =>
      new SSMClient(options).send(new GetParameterHistoryCommand({ Name: '/cases/dev/config' })),
    expect: 'denied',
    says: /with an explicit deny/,
  },
  {
    name: 'the history of a parameter shows what reading it does not',
    source: `${ACCESS}: who is denied GetParameter but allowed GetParameterHistory can see the current parameter`,
    service: 'ssm',
    caller: {
      policies: [
        policy(
          allow('ssm:GetParameterHistory', parameter('cases/*')),
          deny('ssm:GetParameter', parameter('cases/*')),
        ),
      ],
    },
    does: ({ options }) =>
      new SSMClient(options).send(new GetParameterHistoryCommand({ Name: '/cases/dev/config' })),
    expect: 'allowed',
  },
  {
    name: 'whoever may list a path sees what he is denied below it',
    source: `${RETRIEVAL}: GetParametersByPath for /a returns every parameter under that path, /a/b among them, even where it is denied`,
    service: 'ssm',
    caller: {
      policies: [
        policy(
          allow('ssm:GetParametersByPath', parameter('${aws:username}')),
          deny('ssm:GetParameter*', parameter('${aws:username}/b')),
        ),
      ],
    },
    given: newParameter('b'),
    does: async ({ options, name }) => {
      const { Parameters: found = [] } = await new SSMClient(options).send(
        new GetParametersByPathCommand({ Path: `/${name}`, Recursive: true }),
      );
      if (found.length !== 1) throw new Error(`${found.length} parameters below /${name}`);
    },
    expect: 'allowed',
  },
  {
    name: 'a path is not listed by leave for what is below it',
    source: `${RETRIEVAL}: GetParametersByPath is authorized against the path in the request rather than the parameters that it returns`,
    service: 'ssm',
    caller: { policies: [policy(allow('ssm:GetParametersByPath', parameter('cases/dev/*')))] },
    does: getsPath('/cases'),
    expect: 'denied',
    says: /ssm:GetParametersByPath on resource: \S*:parameter\/cases /,
  },
  {
    name: 'a path is protected by denying all above it, up to the root',
    source: `${RESTRICTING}: for /myapp/restricted/db-password deny ssm:GetParametersByPath for /myapp/restricted, /myapp and /`,
    service: 'ssm',
    caller: {
      policies: [
        policy(
          allow('ssm:GetParametersByPath'),
          deny('ssm:GetParametersByPath', [parameter('cases/prod'), parameter('cases'), parameter('')]),
        ),
      ],
    },
    does: getsPath('/'),
    expect: 'denied',
    says: /with an explicit deny/,
  },
  {
    name: 'a parameter can be made where none may be overwritten',
    source: `${CONDITIONS}, ssm:Overwrite: entities with this policy can create parameters`,
    service: 'ssm',
    caller: { policies: [NO_OVERWRITING] },
    does: puts(),
    expect: 'allowed',
  },
  {
    name: 'a parameter can not be changed where none may be overwritten',
    source: `${CONDITIONS}, ssm:Overwrite: entities with this policy can't make changes to existing parameters`,
    service: 'ssm',
    caller: { policies: [NO_OVERWRITING] },
    given: newParameter('config'),
    does: puts({ Overwrite: true }),
    expect: 'denied',
    says: /with an explicit deny/,
  },
  {
    name: 'a parameter with tags takes leave to tag it',
    source:
      'AWS CloudFormation User Guide, "AWS::SSM::Parameter": creating a parameter, to which tags are added, takes ssm:PutParameter and ssm:AddTagsToResource',
    service: 'ssm',
    caller: { policies: [policy(allow('ssm:PutParameter', OWN))] },
    does: puts({ Tags: [{ Key: 'environment', Value: 'dev' }] }),
    expect: 'denied',
    says: /ssm:AddTagsToResource/,
  },
  {
    name: 'a parameter can be read by its tag',
    source:
      'Systems Manager User Guide, "How AWS Systems Manager works with IAM": tags of parameters control access by ssm:resourceTag/key-name or aws:ResourceTag/key-name',
    service: 'ssm',
    caller: {
      policies: [
        policy(allow('ssm:GetParameter', '*', { StringEquals: { 'aws:ResourceTag/environment': 'dev' } })),
      ],
    },
    given: (world, who) =>
      puts({ Tags: [{ Key: 'environment', Value: 'dev' }] })(
        { ...who, options: { ...who.options, ...world.administrator } },
        world,
      ),
    does: gets(({ name }) => `/${name}/config`),
    expect: 'allowed',
  },
  {
    name: 'a parameter can be read by its tag in the name of the service',
    source:
      'Systems Manager User Guide, "How AWS Systems Manager works with IAM": tags of parameters control access by ssm:resourceTag/key-name or aws:ResourceTag/key-name',
    service: 'ssm',
    caller: {
      policies: [
        policy(allow('ssm:GetParameter', '*', { StringEquals: { 'ssm:resourceTag/environment': 'dev' } })),
      ],
    },
    given: (world, who) =>
      puts({ Tags: [{ Key: 'environment', Value: 'dev' }] })(
        { ...who, options: { ...who.options, ...world.administrator } },
        world,
      ),
    does: gets(({ name }) => `/${name}/config`),
    expect: 'allowed',
  },
  {
    name: 'a parameter can not be read by a tag that it does not have',
    source:
      'Systems Manager User Guide, "How AWS Systems Manager works with IAM": tags of parameters control access by ssm:resourceTag/key-name or aws:ResourceTag/key-name',
    service: 'ssm',
    caller: {
      policies: [
        policy(allow('ssm:GetParameter', '*', { StringEquals: { 'aws:ResourceTag/environment': 'dev' } })),
      ],
    },
    does: gets('/cases/dev/config'),
    expect: 'denied',
  },
  {
    name: 'all parameters can be described',
    source: `${ACCESS}: ssm:DescribeParameters on the resource *`,
    service: 'ssm',
    caller: { policies: [policy(allow('ssm:DescribeParameters', '*'))] },
    does: ({ options }) => new SSMClient(options).send(new DescribeParametersCommand({})),
    expect: 'allowed',
  },
  {
    name: 'parameters can not be described by their ARNs',
    source:
      'Service Authorization Reference, "AWS Systems Manager": DescribeParameters has no resource types, so that its statement needs the resource *',
    service: 'ssm',
    caller: { policies: [policy(allow('ssm:DescribeParameters', parameter('cases/*')))] },
    does: ({ options }) => new SSMClient(options).send(new DescribeParametersCommand({})),
    expect: 'denied',
  },
  {
    name: "Amazon's public parameters have no account in their ARNs",
    source:
      'Systems Manager User Guide, "Calling AMI public parameters in Parameter Store": they have ARNs such as arn:aws:ssm:us-east-2::parameter/aws/service/ami-amazon-linux-latest/…',
    service: 'ssm',
    caller: {
      policies: [policy(allow('ssm:GetParameter', `arn:aws:ssm:${REGION}::parameter/aws/service/*`))],
    },
    does: gets('/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64'),
    expect: 'allowed',
  },
  {
    name: "leave for all parameters of the account is none for Amazon's public ones",
    source:
      'Systems Manager User Guide, "Calling AMI public parameters in Parameter Store": they have ARNs such as arn:aws:ssm:us-east-2::parameter/aws/service/ami-amazon-linux-latest/…',
    service: 'ssm',
    caller: { policies: [policy(allow('ssm:GetParameter', parameter('*')))] },
    does: gets('/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64'),
    expect: 'denied',
  },
  {
    name: 'a secret parameter with the default key takes no leave for the key',
    source: `${ACCESS}, IAM permissions for using AWS default keys: all users within the account have access to the default AWS managed key`,
    service: 'ssm',
    caller: { policies: [policy(allow('ssm:GetParameter', OWN))] },
    given: newSecureParameter,
    does: getsDecrypted,
    expect: 'allowed',
  },
  {
    name: 'a denial to decrypt holds for the default key, too',
    source: `${ACCESS}, IAM permissions for using AWS default keys: who must not work with SecureString parameters is explicitly denied access to the default key`,
    service: 'kms',
    caller: { policies: [policy(allow('ssm:GetParameter', OWN), deny('kms:Decrypt'))] },
    given: newSecureParameter,
    does: getsDecrypted,
    expect: 'denied',
    says: /kms:Decrypt/,
  },
  {
    name: 'a command is sent to an instance with the tag of the condition',
    source: `${COMMANDS}, Restricting Run Command access based on tags: any document, on any node that is a Finance WebServer`,
    service: 'ssm',
    caller: { policies: [COMMANDS_TO_FINANCE] },
    ...about(instanceWith({ Finance: 'WebServers' }), (who, id) => sendsCommand(who, { InstanceIds: [id] })),
    expect: 'allowed',
  },
  {
    name: "a command is not sent to an instance without the condition's tag",
    source: `${COMMANDS}, Restricting Run Command access based on tags: AccessDenied for a node that isn't tagged or has another tag`,
    service: 'ssm',
    caller: { policies: [COMMANDS_TO_FINANCE] },
    ...about(instanceWith({ Finance: 'Databases' }), (who, id) => sendsCommand(who, { InstanceIds: [id] })),
    expect: 'denied',
    says: /ssm:SendCommand on resource: arn:aws:ec2:\S*instance\/i-/,
  },
  {
    name: 'a command takes leave for its document',
    source:
      'Service Authorization Reference, "AWS Systems Manager": SendCommand requires the document; Systems Manager User Guide, "How AWS Systems Manager works with IAM": the ARNs of documents owned by Amazon have no account',
    service: 'ssm',
    caller: { policies: [policy(allow('ssm:SendCommand', 'arn:aws:ec2:*:*:instance/*'))] },
    ...about(instanceWith({}), (who, id) => sendsCommand(who, { InstanceIds: [id] })),
    expect: 'denied',
    says: /arn:aws:ssm:eu-west-1::document\/AWS-RunShellScript/,
  },
  {
    name: 'a command can pick its instances by tag',
    source: `${COMMANDS}: ssm:SendCommand on any resource; Systems Manager API Reference, "SendCommand": Targets by tag`,
    service: 'ssm',
    caller: { policies: [policy(allow('ssm:SendCommand'))] },
    does: (who) => sendsCommand(who, { Targets: [{ Key: 'tag:Finance', Values: ['WebServers'] }] }),
    expect: 'allowed',
  },
  {
    name: 'a session is started on an instance with the tag of the condition',
    source: `${SESSIONS}, Restrict access based on tags: any node that is a Finance WebServer`,
    service: 'ssm',
    caller: { policies: [policy(allow('ssm:StartSession', ec2Arn('instance/*'), FINANCE))] },
    ...about(instanceWith({ Finance: 'WebServers' }), (who, id) => startsSession(who, id)),
    expect: 'allowed',
    beyondMoto: true,
  },
  {
    name: "a session is not started on an instance without the condition's tag",
    source: `${SESSIONS}, Restrict access based on tags: AccessDenied for a node that isn't tagged or has another tag`,
    service: 'ssm',
    caller: { policies: [policy(allow('ssm:StartSession', ec2Arn('instance/*'), FINANCE))] },
    ...about(instanceWith({}), (who, id) => startsSession(who, id)),
    expect: 'denied',
    beyondMoto: true,
  },
  {
    name: 'a session with a document of its own takes leave for that document',
    source: `${DOCUMENT_CHECK}, Other scenarios: the system checks whether the user has explicit access to the Session document they specify`,
    service: 'ssm',
    caller: { policies: [policy(allow('ssm:StartSession', ec2Arn('instance/*')))] },
    ...about(instanceWith({}), (who, id) => startsSession(who, id, 'AWS-StartSSHSession')),
    expect: 'denied',
    beyondMoto: true,
    says: /document\/AWS-StartSSHSession/,
  },
  {
    name: 'where documents are checked, a session takes leave for the default one, too',
    source: `${DOCUMENT_CHECK}: with ssm:SessionDocumentAccessCheck true, explicit access to a Session document must be granted to start a session`,
    service: 'ssm',
    caller: { policies: [policy(allow('ssm:StartSession', ec2Arn('instance/*'), WITH_DOCUMENT_CHECK))] },
    ...about(instanceWith({}), (who, id) => startsSession(who, id)),
    expect: 'denied',
    beyondMoto: true,
  },
  {
    name: 'where documents are checked, a session is started with one that is allowed',
    source: `${DOCUMENT_CHECK}: the user must specify the document that the policy names`,
    service: 'ssm',
    caller: {
      policies: [
        policy(
          allow(
            'ssm:StartSession',
            [ec2Arn('instance/*'), arn('document/SSM-SessionManagerRunShell')],
            WITH_DOCUMENT_CHECK,
          ),
        ),
      ],
    },
    ...about(instanceWith({}), (who, id) => startsSession(who, id, 'SSM-SessionManagerRunShell')),
    expect: 'allowed',
    beyondMoto: true,
  },
  {
    name: 'a user can end the sessions that he has started',
    source: `${SESSIONS}, Allow a user to end only sessions they started: session/\${aws:username}-*`,
    service: 'ssm',
    caller: {
      policies: [policy(allow('ssm:TerminateSession', 'arn:aws:ssm:*:*:session/${aws:username}-*'))],
    },
    does: ({ options, name }) =>
      new SSMClient(options).send(new TerminateSessionCommand({ SessionId: `${name}-1a2b3c4d5eEXAMPLE` })),
    expect: 'allowed',
    beyondMoto: true,
  },
  {
    name: "a user can not end another's sessions",
    source: `${SESSIONS}, Allow a user to end only sessions they started: session/\${aws:username}-*`,
    service: 'ssm',
    caller: {
      policies: [policy(allow('ssm:TerminateSession', 'arn:aws:ssm:*:*:session/${aws:username}-*'))],
    },
    does: ({ options }) =>
      new SSMClient(options).send(new TerminateSessionCommand({ SessionId: 'JohnDoe-1a2b3c4d5eEXAMPLE' })),
    expect: 'denied',
    beyondMoto: true,
  },
];
