import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  CreateAccessKeyCommand,
  CreateRoleCommand,
  CreateUserCommand,
  IAMClient,
  PutUserPolicyCommand,
  UpdateAccessKeyCommand,
} from '@aws-sdk/client-iam';
import { startLocalAws, type LocalAws } from '@slipway/local-aws';
import { $ } from 'zx';
import { environmentFiles } from '../environments';
import { ageInDays, busyUntil } from '../scripts/keys/age';
import { labelsIn, newLabel, withLabels } from '../scripts/keys/label-list';
import { proveKey } from '../scripts/keys/prove-key';

jest.setTimeout(60_000);

const ROOT = join(__dirname, '..');

describe('labels in an environment’s file', () => {
  test.each(Object.entries(environmentFiles))(
    '%s: are read and changed, and nothing else is',
    (file, input) => {
      const source = readFileSync(join(ROOT, file), 'utf8');
      const labels = labelsIn(file, source);
      expect(labels).toEqual(input.baseUser.accessKeys);
      const { source: edited, diff } = withLabels(file, source, [...labels, 'from-2026-11-24']);
      expect(labelsIn(file, edited)).toEqual([...labels, 'from-2026-11-24']);
      expect(withLabels(file, edited, labels).source).toBe(source);
      expect(diff.split('\n').map((line) => line[0])).toEqual(['e', '-', '+']);
    },
  );

  test.each([
    ['none', 'baseUser: {}'],
    ['two lists', "accessKeys: ['a'], accessKeys: ['b']"],
    ['what is not a label', "accessKeys: ['a', ...others]"],
    ['a comment among them', "accessKeys: ['a', /* 'b' */ 'c']"],
  ])('with %s are left to a person', (_, source) => {
    expect(() => labelsIn('environments/x.ts', source)).toThrow(
      "environments/x.ts doesn't state accessKeys as one plain list",
    );
  });

  test('tell the day of the key, and are never used twice', () => {
    const now = new Date('2026-11-24T23:59:00Z');
    expect(newLabel(['first'], now)).toBe('from-2026-11-24');
    expect(newLabel(['from-2026-11-24'], now)).toBe('from-2026-11-24-2');
    expect(newLabel(['from-2026-11-24', 'from-2026-11-24-2'], now)).toBe('from-2026-11-24-3');
  });
});

test('an old key may go when it has been quiet for two hours', () => {
  const now = new Date('2026-11-24T12:00:00Z');
  expect(busyUntil(undefined, now)).toBeUndefined();
  expect(busyUntil(new Date('2026-11-24T10:00:00Z'), now)).toBeUndefined();
  expect(busyUntil(new Date('2026-11-24T10:01:00Z'), now)).toEqual(new Date('2026-11-24T12:01:00Z'));
  expect(ageInDays(new Date('2026-11-22T12:01:00Z'), now)).toBe(1);
});

describe('the proof of a key', () => {
  const user = { UserName: 'base' };
  let aws: LocalAws;
  let iam: IAMClient;
  let key: Parameters<typeof proveKey>[0];
  const set = (Status: 'Active' | 'Inactive') =>
    iam.send(new UpdateAccessKeyCommand({ ...user, AccessKeyId: key.access_key_id, Status }));

  beforeAll(async () => {
    aws = await startLocalAws({ account: '111122223333' });
    process.env.AWS_ENDPOINT_URL = aws.endpoint;
    const credentials = aws.administrators['111122223333'];
    iam = new IAMClient({ region: aws.region, ...(credentials && { credentials }) });
    const document = (statement: object) =>
      JSON.stringify({ Version: '2012-10-17', Statement: { Effect: 'Allow', ...statement } });
    await iam.send(new CreateUserCommand(user));
    const { AccessKey } = await iam.send(new CreateAccessKeyCommand(user));
    const { Role } = await iam.send(
      new CreateRoleCommand({
        RoleName: 'aux',
        AssumeRolePolicyDocument: document({
          Principal: { AWS: 'arn:aws:iam::111122223333:user/base' },
          Action: 'sts:AssumeRole',
        }),
      }),
    );
    const role_arn = Role?.Arn ?? '';
    await iam.send(
      new PutUserPolicyCommand({
        ...user,
        PolicyName: 'assume',
        PolicyDocument: document({ Action: 'sts:AssumeRole', Resource: role_arn }),
      }),
    );
    key = {
      access_key_id: AccessKey?.AccessKeyId ?? '',
      secret_access_key: AccessKey?.SecretAccessKey ?? '',
      region: aws.region,
      role_arn,
    };
  });
  afterAll(() => aws.stop());

  test('waits until IAM knows it everywhere', async () => {
    await set('Inactive');
    const proof = proveKey(key, 20_000);
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    await set('Active');
    expect(await proof).toContain(':assumed-role/aux/slipway-rotation');
  });

  test('fails in a sentence when it never does, and one without the role fails, too', async () => {
    await set('Inactive');
    await expect(proveKey(key, 1_000)).rejects.toThrow(
      `The key ${key.access_key_id} didn't work within 1 s (InvalidClientTokenId`,
    );
    await set('Active');
    await expect(proveKey({ ...key, role_arn: `${key.role_arn}-of-qa` }, 1_000)).rejects.toThrow(
      'AccessDenied',
    );
  });
});

test.each([[['--status', '--delete'], '--status, --deactivate and --delete exclude each other.']])(
  '%j is refused in a sentence',
  async (args, sentence) => {
    const { exitCode, stdout, stderr } = await $({
      cwd: ROOT,
      quiet: true,
      nothrow: true,
    })`${process.execPath} --require tsx/cjs ${join(ROOT, 'scripts/rotate-base-keys.ts')} ${args}`;
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
    expect(stderr).toContain(sentence);
    expect(stderr).not.toMatch(/\bat .*\.(js|ts):\d+/);
  },
);
