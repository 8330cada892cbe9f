import {
  CreateAccessKeyCommand,
  CreateOpenIDConnectProviderCommand,
  CreateRoleCommand,
  CreateUserCommand,
  GetUserCommand,
  IAMClient,
  ListUsersCommand,
  PutRolePolicyCommand,
  PutUserPolicyCommand,
  type CreateRoleCommandInput,
} from '@aws-sdk/client-iam';
import {
  AssumeRoleCommand,
  AssumeRoleWithWebIdentityCommand,
  GetCallerIdentityCommand,
  GetFederationTokenCommand,
  GetSessionTokenCommand,
  STSClient,
  type AssumeRoleCommandInput,
  type AssumeRoleWithWebIdentityCommandInput,
  type Credentials,
  type GetFederationTokenCommandInput,
} from '@aws-sdk/client-sts';
import { startLocalAws, type LocalAws } from '../src';
import { allow, policy } from './cases/policies';
import { asAdministrator, type ClientOptions } from './clients';

jest.setTimeout(60_000);

const HOST = 'token.actions.githubusercontent.com';
const REPOSITORY = 'octo-org/octo-repo';

let aws: LocalAws;
let iam: IAMClient;
/** A user who may do everything, and is in every role's trust. */
let user: ClientOptions;
let userArn: string;
/** Longest session: one hour. */
let role: string;
/** Longest session: two hours. */
let longRole: string;
/** Trusts GitHub's workflows. */
let workflowRole: string;

beforeAll(async () => {
  aws = await startLocalAws();
  iam = new IAMClient(asAdministrator(aws));
  const { User: made } = await iam.send(new CreateUserCommand({ UserName: 'ann' }));
  userArn = made?.Arn ?? '';
  await iam.send(
    new PutUserPolicyCommand({
      UserName: 'ann',
      PolicyName: 'all',
      PolicyDocument: JSON.stringify(policy(allow('*'))),
    }),
  );
  const { AccessKey: key } = await iam.send(new CreateAccessKeyCommand({ UserName: 'ann' }));
  user = {
    ...asAdministrator(aws),
    credentials: { accessKeyId: key?.AccessKeyId ?? '', secretAccessKey: key?.SecretAccessKey ?? '' },
  };
  const trust = policy({
    Effect: 'Allow',
    Principal: { AWS: `arn:aws:iam::${aws.account}:root` },
    Action: ['sts:AssumeRole', 'sts:TagSession', 'sts:SetSourceIdentity'],
  });
  role = await makeRole({ RoleName: 'short', AssumeRolePolicyDocument: JSON.stringify(trust) });
  longRole = await makeRole({
    RoleName: 'long',
    AssumeRolePolicyDocument: JSON.stringify(trust),
    MaxSessionDuration: 7_200,
  });
  for (const name of ['short', 'long'])
    await iam.send(
      new PutRolePolicyCommand({
        RoleName: name,
        PolicyName: 'all',
        PolicyDocument: JSON.stringify(policy(allow('*'))),
      }),
    );
  workflowRole = await makeRole({
    RoleName: 'workflow',
    AssumeRolePolicyDocument: JSON.stringify(
      policy({
        Effect: 'Allow',
        Principal: { Federated: `arn:aws:iam::${aws.account}:oidc-provider/${HOST}` },
        Action: 'sts:AssumeRoleWithWebIdentity',
        Condition: { StringLike: { [`${HOST}:sub`]: `repo:${REPOSITORY}:*` } },
      }),
    ),
  });
});
afterAll(() => aws.stop());

async function makeRole(input: CreateRoleCommandInput): Promise<string> {
  const { Role: made } = await iam.send(new CreateRoleCommand(input));
  return made?.Arn ?? '';
}

const assume = (input: Partial<AssumeRoleCommandInput> = {}, options = user) =>
  new STSClient(options).send(new AssumeRoleCommand({ RoleArn: role, RoleSessionName: 'session', ...input }));

const withToken = async (
  token: Parameters<LocalAws['githubToken']>[0] | string = { repository: REPOSITORY },
  input: Partial<AssumeRoleWithWebIdentityCommandInput> = {},
) =>
  new STSClient(user).send(
    new AssumeRoleWithWebIdentityCommand({
      RoleArn: workflowRole,
      RoleSessionName: 'GitHubActions',
      WebIdentityToken: typeof token === 'string' ? token : await aws.githubToken(token),
      ...input,
    }),
  );

const sessionToken = (seconds?: number, options = user) =>
  new STSClient(options).send(new GetSessionTokenCommand({ DurationSeconds: seconds }));

const federate = (input: Partial<GetFederationTokenCommandInput> = {}, options = user) =>
  new STSClient(options).send(new GetFederationTokenCommand({ Name: 'carol', ...input }));

const whoAmI = async (options: ClientOptions) => {
  const { Account, Arn, UserId } = await new STSClient(options).send(new GetCallerIdentityCommand({}));
  return { Account, Arn, UserId };
};

const as = ({ Credentials: given }: { Credentials?: Credentials | undefined }): ClientOptions => ({
  ...user,
  credentials: {
    accessKeyId: given?.AccessKeyId ?? '',
    secretAccessKey: given?.SecretAccessKey ?? '',
    sessionToken: given?.SessionToken ?? '',
  },
});

/** How long it lasts from now, in seconds. */
const lasts = ({ Credentials: given }: { Credentials?: Credentials | undefined }) =>
  Math.round(((given?.Expiration?.getTime() ?? 0) - Date.now()) / 1000);

const refused = (name: string, message: string | RegExp) => ({
  name,
  message: typeof message === 'string' ? message : (expect.stringMatching(message) as string),
});

describe('durations', () => {
  test('a session of a role lasts an hour unless asked otherwise', async () => {
    const seconds = lasts(await assume({ RoleArn: longRole }));

    expect(seconds).toBeGreaterThan(3_590);
    expect(seconds).toBeLessThanOrEqual(3_600);
  });

  test('a session of a role lasts as long as it is asked for, up to what the role allows', async () => {
    expect(lasts(await assume({ RoleArn: longRole, DurationSeconds: 7_200 }))).toBeGreaterThan(7_190);
    expect(lasts(await assume({ DurationSeconds: 900 }))).toBeLessThanOrEqual(900);
  });

  test('a session does not outlast what the role allows', async () => {
    await expect(assume({ DurationSeconds: 3_601 })).rejects.toMatchObject(
      refused(
        'ValidationError',
        'The requested DurationSeconds exceeds the MaxSessionDuration set for this role.',
      ),
    );
  });

  test("a workflow's session does not outlast what the role allows", async () => {
    await makeProvider();

    await expect(withToken(undefined, { DurationSeconds: 3_601 })).rejects.toMatchObject(
      refused(
        'ValidationError',
        'The requested DurationSeconds exceeds the MaxSessionDuration set for this role.',
      ),
    );
  });

  test('a session lasts a quarter of an hour at the least, and half a day at the most', async () => {
    await expect(assume({ DurationSeconds: 899 })).rejects.toMatchObject(
      refused(
        'ValidationError',
        /at 'durationSeconds' failed to satisfy constraint: Member must have value greater than or equal to 900$/,
      ),
    );
    await expect(assume({ DurationSeconds: 43_201 })).rejects.toMatchObject(
      refused(
        'ValidationError',
        /at 'durationSeconds' failed to satisfy constraint: Member must have value less than or equal to 43200$/,
      ),
    );
  });

  test('a session that a session began lasts an hour at the most', async () => {
    const first = as(await assume());

    expect(lasts(await assume({ RoleArn: longRole, DurationSeconds: 3_600 }, first))).toBeGreaterThan(3_590);
    await expect(assume({ RoleArn: longRole, DurationSeconds: 3_601 }, first)).rejects.toMatchObject(
      refused(
        'ValidationError',
        'The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining',
      ),
    );
  });

  // AWS re:Post Knowledge Center, "Why did I receive the error ... exceeds the 1 hour session limit for roles assumed by role chaining".
  test('a session that GetSessionToken began leads to an hour at the most', async () => {
    await expect(
      assume({ RoleArn: longRole, DurationSeconds: 7_200 }, as(await sessionToken())),
    ).rejects.toMatchObject(
      refused(
        'ValidationError',
        'The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining',
      ),
    );
  });

  test("a user's own session lasts half a day, and a day and a half at the most", async () => {
    expect(lasts(await sessionToken())).toBeGreaterThan(43_190);
    expect(lasts(await sessionToken(129_600))).toBeGreaterThan(129_590);
    await expect(sessionToken(129_601)).rejects.toMatchObject(
      refused('ValidationError', /at 'durationSeconds' failed to satisfy constraint: .* 129600$/),
    );
    await expect(sessionToken(899)).rejects.toMatchObject(
      refused('ValidationError', /at 'durationSeconds' failed to satisfy constraint: .* 900$/),
    );
  });

  test('a federated user has half a day, and a day and a half at the most', async () => {
    expect(lasts(await federate())).toBeGreaterThan(43_190);
    await expect(federate({ DurationSeconds: 129_601 })).rejects.toMatchObject(
      refused('ValidationError', /at 'durationSeconds' failed to satisfy constraint: .* 129600$/),
    );
  });
});

describe('input', () => {
  test.each(['a', 'x'.repeat(65), 'with space', 'with/slash', 'with:colon', 'ümlaut'])(
    'the session name %s is refused',
    async (name) => {
      await expect(assume({ RoleSessionName: name })).rejects.toMatchObject(
        refused('ValidationError', /at 'roleSessionName' failed to satisfy constraint/),
      );
    },
  );

  test.each(['ab', 'x'.repeat(64), 'a_b+c=d,e.f@g-h'])('the session name %s is taken', async (name) => {
    const { AssumedRoleUser: session } = await assume({ RoleSessionName: name });

    expect(session?.Arn).toBe(`arn:aws:sts::${aws.account}:assumed-role/short/${name}`);
  });

  test.each(['a', 'with space'])('the external id %s is refused', async (id) => {
    await expect(assume({ ExternalId: id })).rejects.toMatchObject(
      refused('ValidationError', /at 'externalId' failed to satisfy constraint/),
    );
  });

  test.each(['a', 'with space', 'x'.repeat(65)])('the source identity %s is refused', async (identity) => {
    await expect(assume({ SourceIdentity: identity })).rejects.toMatchObject(
      refused('ValidationError', /at 'sourceIdentity' failed to satisfy constraint/),
    );
  });

  test('tags of 50 at the most, with keys that differ in more than case', async () => {
    const tags = Array.from({ length: 51 }, (_none, index) => ({ Key: `key-${index}`, Value: 'x' }));

    await assume({ Tags: tags.slice(1) });
    await expect(assume({ Tags: tags })).rejects.toMatchObject(
      refused(
        'ValidationError',
        /at 'tags' failed to satisfy constraint: Member must have length less than or equal to 50$/,
      ),
    );
    await expect(
      assume({
        Tags: [
          { Key: 'team', Value: 'blue' },
          { Key: 'Team', Value: 'green' },
        ],
      }),
    ).rejects.toThrow();
  });

  test('tags with a reserved name are refused', async () => {
    await expect(assume({ Tags: [{ Key: 'aws:team', Value: 'blue' }] })).rejects.toThrow();
  });

  test('a source identity with a reserved name is refused', async () => {
    await expect(assume({ SourceIdentity: 'aws:ann' })).rejects.toThrow();
  });

  test('tags with a long key or value are refused', async () => {
    await expect(assume({ Tags: [{ Key: 'x'.repeat(129), Value: 'x' }] })).rejects.toMatchObject(
      refused('ValidationError', /Member must have length less than or equal to 128$/),
    );
    await expect(assume({ Tags: [{ Key: 'x', Value: 'x'.repeat(257) }] })).rejects.toMatchObject(
      refused('ValidationError', /Member must have length less than or equal to 256$/),
    );
  });

  test('a session policy that is no policy is refused', async () => {
    await expect(assume({ Policy: '{"Version"' })).rejects.toMatchObject({
      name: 'MalformedPolicyDocumentException',
    });
  });

  test('session policies are of 10 managed ones at the most', async () => {
    const arns = Array.from({ length: 11 }, (_none, index) => ({
      arn: `arn:aws:iam::${aws.account}:policy/p${index}`,
    }));

    await expect(assume({ PolicyArns: arns })).rejects.toThrow();
  });

  test.each(['c', 'x'.repeat(33), 'with space'])('the federated name %s is refused', async (name) => {
    await expect(federate({ Name: name })).rejects.toMatchObject(
      refused('ValidationError', /at 'name' failed to satisfy constraint/),
    );
  });

  test('what is no ARN of a role is refused', async () => {
    await expect(assume({ RoleArn: `arn:aws:iam::${aws.account}:user/ann` })).rejects.toMatchObject({
      name: 'ValidationError',
    });
  });

  test('a role that is not there is refused like one that is closed', async () => {
    const missing = `arn:aws:iam::${aws.account}:role/missing`;

    await expect(assume({ RoleArn: missing })).rejects.toMatchObject(
      refused(
        'AccessDenied',
        `User: ${userArn} is not authorized to perform: sts:AssumeRole on resource: ${missing}`,
      ),
    );
  });
});

describe('chains', () => {
  test('a transitive tag is not set again', async () => {
    const first = as(await assume({ Tags: [{ Key: 'team', Value: 'blue' }], TransitiveTagKeys: ['team'] }));

    await expect(
      assume({ RoleArn: longRole, Tags: [{ Key: 'Team', Value: 'green' }] }, first),
    ).rejects.toThrow(/transitive tag key/);
  });

  test('a source identity is not changed', async () => {
    const first = await assume({ SourceIdentity: 'Saanvi' });

    expect(first.SourceIdentity).toBe('Saanvi');
    await expect(assume({ RoleArn: longRole, SourceIdentity: 'Diego' }, as(first))).rejects.toMatchObject({
      name: 'AccessDenied',
    });
    await expect(assume({ RoleArn: longRole }, as(first))).resolves.toMatchObject({
      SourceIdentity: 'Saanvi',
    });
  });
});

describe('sessions', () => {
  const NO_SESSION_TOKEN = refused('AccessDenied', 'Cannot call GetSessionToken with session credentials');
  const NO_FEDERATION = refused('AccessDenied', 'Cannot call GetFederationToken with session credentials');

  test('a role has no sessions of users', async () => {
    const session = as(await assume());

    await expect(sessionToken(undefined, session)).rejects.toMatchObject(NO_SESSION_TOKEN);
    await expect(federate({}, session)).rejects.toMatchObject(NO_FEDERATION);
  });

  test("a user's own session begins no other", async () => {
    const session = as(await sessionToken());

    await expect(sessionToken(undefined, session)).rejects.toMatchObject(NO_SESSION_TOKEN);
    await expect(federate({}, session)).rejects.toMatchObject(NO_FEDERATION);
  });

  test("a user's own session has no access to IAM without MFA", async () => {
    const session = as(await sessionToken());

    await expect(new IAMClient(session).send(new GetUserCommand({}))).rejects.toMatchObject(
      refused('InvalidClientTokenId', 'The security token included in the request is invalid'),
    );
  });

  test('a federated user has no access to IAM, nor to STS but to ask who he is', async () => {
    const session = as(await federate({ Policy: JSON.stringify(policy(allow('*'))) }));

    await expect(new IAMClient(session).send(new ListUsersCommand({}))).rejects.toMatchObject({
      name: 'InvalidClientTokenId',
    });
    await expect(assume({}, session)).rejects.toThrow();
    await expect(sessionToken(undefined, session)).rejects.toThrow();
    await expect(federate({}, session)).rejects.toThrow();
    await expect(whoAmI(session)).resolves.toMatchObject({ UserId: `${aws.account}:carol` });
  });

  test('everyone hears who he is', async () => {
    const [own, ofRole, federated] = await Promise.all([
      sessionToken().then(as),
      assume().then(as),
      federate().then(as),
    ]);
    const account = aws.account;
    const { UserId: id } = await whoAmI(user);

    await expect(whoAmI(user)).resolves.toEqual({ Account: account, Arn: userArn, UserId: id });
    await expect(whoAmI(own)).resolves.toEqual({ Account: account, Arn: userArn, UserId: id });
    await expect(whoAmI(ofRole)).resolves.toEqual({
      Account: account,
      Arn: `arn:aws:sts::${account}:assumed-role/short/session`,
      UserId: expect.stringMatching(/^AROA\w+:session$/) as string,
    });
    await expect(whoAmI(federated)).resolves.toEqual({
      Account: account,
      Arn: `arn:aws:sts::${account}:federated-user/carol`,
      UserId: `${account}:carol`,
    });
  });
});

let provider: Promise<unknown> | undefined;
const makeProvider = () =>
  (provider ??= iam.send(
    new CreateOpenIDConnectProviderCommand({ Url: `https://${HOST}`, ClientIDList: ['sts.amazonaws.com'] }),
  ));

describe('tokens', () => {
  beforeAll(makeProvider);

  test('a workflow takes on its role', async () => {
    const answer = await withToken();

    expect(answer).toMatchObject({
      AssumedRoleUser: { Arn: `arn:aws:sts::${aws.account}:assumed-role/workflow/GitHubActions` },
      SubjectFromWebIdentityToken: `repo:${REPOSITORY}:ref:refs/heads/main`,
      Audience: 'sts.amazonaws.com',
    });
    await expect(whoAmI(as(answer))).resolves.toMatchObject({ Account: aws.account });
  });

  test('a workflow that the role does not trust is refused in few words', async () => {
    await expect(withToken({ repository: 'evil-org/octo-repo' })).rejects.toMatchObject(
      refused('AccessDenied', 'Not authorized to perform sts:AssumeRoleWithWebIdentity'),
    );
  });

  test('what is no token is refused', async () => {
    await expect(withToken('garbage')).rejects.toMatchObject({ name: 'InvalidIdentityTokenException' });
  });

  test('a token for another audience is refused', async () => {
    await expect(
      withToken({ repository: REPOSITORY, audience: 'https://github.com/octo-org' }),
    ).rejects.toMatchObject(refused('InvalidIdentityTokenException', 'Incorrect token audience'));
  });

  test('a token that has expired is refused', async () => {
    await expect(withToken({ repository: REPOSITORY, expiresInSeconds: -60 })).rejects.toMatchObject(
      refused(
        'ExpiredTokenException',
        /^Token expired: current date\/time \d+ must be before the expiration date\/time \d+$/,
      ),
    );
  });

  test('a token that was changed is refused', async () => {
    const [head = '', , signature = ''] = (await aws.githubToken({ repository: 'evil-org/repo' })).split('.');
    const [, claims = ''] = (await aws.githubToken({ repository: REPOSITORY })).split('.');

    await expect(withToken(`${head}.${claims}.${signature}`)).rejects.toMatchObject({
      name: 'InvalidIdentityTokenException',
    });
  });

  test('a token that says it needs no signature is refused', async () => {
    const [, claims = ''] = (await aws.githubToken({ repository: REPOSITORY })).split('.');
    const head = Buffer.from(JSON.stringify({ alg: 'none', typ: 'JWT' })).toString('base64url');

    await expect(withToken(`${head}.${claims}.`)).rejects.toMatchObject({
      name: 'InvalidIdentityTokenException',
    });
  });

  test('a token of an issuer that the account does not know is refused', async () => {
    const iss = 'https://gitlab.com';

    await expect(withToken({ repository: REPOSITORY, claims: { iss } })).rejects.toMatchObject(
      refused('InvalidIdentityTokenException', `No OpenIDConnect provider found in your account for ${iss}`),
    );
  });
});
