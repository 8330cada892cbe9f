import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { $ } from 'zx';
import { difference, renamed } from '../scripts/access/difference';
import { accessOf } from '../scripts/access/grants';
import { configurationsAt } from '../scripts/access/revision';
import { accessPage } from '../scripts/access/page';
import { accessTable, differenceTable } from '../scripts/access/text';
import type { Body, Configuration } from '../scripts/configurations';
import { shipped, synthesized } from './synthesized';

jest.setTimeout(60_000);

const ROOT = join(__dirname, '..');
const GOLDEN = join(__dirname, 'golden');

const configurations: readonly Configuration[] = shipped.map((environment) => {
  const { resource = {}, data = {} } = synthesized(environment).configuration;
  return { environment: environment.name, resource, data };
});
function named(name: string): Configuration {
  const found = configurations.find(({ environment }) => environment === name);
  if (!found) throw new Error(`There is no environment ${name}.`);
  return found;
}
const dev = named('dev');
const accessOfDev = accessOf(dev);

const access = (...args: string[]) =>
  $({
    cwd: ROOT,
    quiet: true,
    nothrow: true,
    env: { PATH: process.env.PATH, HOME: process.env.HOME },
  })`${process.execPath} --require tsx/cjs ${join(ROOT, 'scripts/access.ts')} ${args}`;

/** dev with other arguments of the one resource of a type whose name starts so. */
function changed(type: string, construct: string, change: (body: Body) => Body): Configuration {
  const found = Object.entries(dev.resource[type] ?? {}).find(([id]) => id.startsWith(construct));
  if (!found) throw new Error(`dev has no ${type} ${construct}.`);
  const [id, body] = found;
  return {
    ...dev,
    resource: { ...dev.resource, [type]: { ...dev.resource[type], [id]: { ...body, ...change(body) } } },
  };
}

const replaced = (argument: string, from: string, to: string) => (body: Body) => {
  const before = body[argument] as string;
  expect(before).toContain(from);
  return { [argument]: before.replace(from, to) };
};

/** What `after` allows and dev doesn't, or the other way round, as lines with a mark. */
async function changesTo(after: Configuration): Promise<string> {
  const [before, now] = await Promise.all([accessOfDev, accessOf(after)]);
  return stripVTControlCharacters(differenceTable('', difference(before, now), now, 200)).replaceAll(
    / +/g,
    ' ',
  );
}

test.each(shipped)('who may do what in $name is what is stated', async ({ name }) => {
  const file = join(GOLDEN, `access-${name}.txt`);
  const now = `${stripVTControlCharacters(accessTable(await accessOf(named(name)), { width: 140, actions: true }))}\n`;
  if (process.env.UPDATE_GOLDEN) writeFileSync(file, now);
  const stated = existsSync(file) ? readFileSync(file, 'utf8') : '';
  if (now === stated) return;
  const [lines, golden] = [now.split('\n'), stated.split('\n')];
  throw new Error(
    [
      `Who may do what in ${name} is another than in test/golden/access-${name}.txt:`,
      ...lines.filter((line) => !golden.includes(line)).map((line) => `  + ${line}`),
      ...golden.filter((line) => !lines.includes(line)).map((line) => `  - ${line}`),
      'If that is meant, accept it: UPDATE_GOLDEN=1 npx jest test/access-report',
    ].join('\n'),
  );
});

const aux = 'access_service-aux';
const further =
  (...statements: object[]) =>
  (body: Body) => {
    const document = JSON.parse(body.policy as string) as { Statement: object[] };
    return { policy: JSON.stringify({ ...document, Statement: [...document.Statement, ...statements] }) };
  };
const createUsers = { Effect: 'Allow', Action: 'iam:CreateUser', Resource: '*' };

describe('what is gained shows, first and with a mark', () => {
  test.each<[what: string, after: Configuration, line: string]>([
    [
      'a further action',
      changed(
        'aws_iam_role_policy',
        'host-docker',
        replaced(
          'policy',
          '"ssm:UpdateInstanceInformation"',
          '"ssm:UpdateInstanceInformation","ssm:GetParameter"',
        ),
      ),
      '+ may SSM: read (GetParameter) parameter /kantox/dev, parameters below /kantox/dev',
    ],
    [
      'a wildcard in a resource',
      changed(
        'aws_iam_role_policy',
        aux,
        replaced('policy', 'arn:aws:s3:::kantox-data-dev"', 'arn:aws:s3:::kantox-*"'),
      ),
      '+ may S3: list, read (GetBucketLocation, ListBucket) bucket kantox-*-dev',
    ],
    [
      'a trust without its conditions',
      changed('aws_iam_role', 'access_github-push', withoutConditions),
      '+ taken on by any workflow of anyone on GitHub',
    ],
    [
      'a wider boundary',
      changed('aws_iam_policy', 'access_boundary', further(createUsers)),
      '+ may IAM: write (CreateUser) anything',
    ],
    [
      'a bucket that lets anyone read',
      changed(
        'aws_s3_bucket_policy',
        'bucket-data',
        replaced('policy', '"Deny","Action":["s3:*"]', '"Allow","Action":["s3:GetObject"]'),
      ),
      '+ lets in anyone at all S3: read (GetObject) on objects of kantox-data-dev over plain HTTP',
    ],
    [
      'a denial that is gone',
      changed('aws_s3_bucket_policy', 'bucket-data', replaced('policy', '"Deny"', '"Allow"')),
      '+ denied no more anyone at all S3:',
    ],
    [
      "a policy of AWS's own, on a role without a boundary",
      withManagedPolicy('arn:aws:iam::aws:policy/AdministratorAccess'),
      'arn:aws:iam::aws:policy/AdministratorAccess',
    ],
    [
      'what this report can not read',
      { ...dev, resource: { ...dev.resource, aws_iam_group_policy: { admins: { policy: '{}' } } } },
      "+ lets in somebody, maybe (this report can't read it)",
    ],
  ])('%s', async (_, after, line) => {
    const changes = await changesTo(after);
    expect(changes).toContain(line);
    expect(changes.indexOf('+ Access gained')).toBeLessThan(changes.indexOf(line));
  });
});

test.each<[what: string, after: Configuration]>([
  [
    'the same, written otherwise',
    changed(
      'aws_iam_role_policy',
      aux,
      replaced('policy', '"s3:GetObject","s3:GetObjectVersion"', '"s3:GetObjectVersion","s3:getobject"'),
    ),
  ],
  ['what the boundary keeps out', changed('aws_iam_role_policy', aux, further(createUsers))],
])('%s is no gain', async (_, after) => {
  expect(await changesTo(after)).toContain('Nothing is gained.\n\nNothing is lost.');
});

test('a policy that says what is not allowed is refused in a sentence', async () => {
  const after = changed(
    'aws_iam_role_policy',
    aux,
    further({ Effect: 'Allow', NotAction: 'iam:*', Resource: '*' }),
  );
  await expect(accessOf(after)).rejects.toThrow(
    /^The policy of the role kantox-aux-role-dev can't be put into a table/,
  );
});

test('of two environments only what differs beside their names is told', async () => {
  const now = await accessOfDev;
  const { gained, lost } = difference(await accessOf(renamed(named('prod'), dev)), now);
  const told = stripVTControlCharacters(differenceTable('', { gained, lost }, now, 200));
  expect(told).toMatch(/\+ +may +S3: write \(DeleteBucket\) +bucket kantox-\*-dev/);
  expect(told).toMatch(
    /- +taken on by +GitHub's workflows of kantox\/slipway, from the GitHub environment dev/,
  );
  expect(told).not.toMatch(/aux-role/);
});

describe('the page', () => {
  test('shows nothing of a policy as markup, and needs nothing from elsewhere', async () => {
    const after = changed('aws_iam_role', aux, () => ({ description: '<script>alert("x")</script>' }));
    const page = accessPage(await accessOf(after));
    expect(page).toContain('&#60;script&#62;alert(&#34;x&#34;)&#60;/script&#62;');
    expect(page).not.toMatch(/<script|<link|<img|@import|url\((?!#)|https?:\/\//);
  });
});

describe('a commit', () => {
  let folder: string;
  let clone: string;
  const git = (...args: string[]) =>
    $.sync({ cwd: clone, quiet: true })`git -c user.name=test -c user.email=test@localhost ${args}`.stdout;
  const commit = (file: string, text: string) => {
    writeFileSync(join(clone, file), text);
    git('commit', '--quiet', '--all', '--message', 'change');
  };
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'slipway-clone-'));
    clone = join(folder, 'clone');
    execFileSync('git', ['clone', '--quiet', '--depth', '1', `file://${ROOT}`, clone]);
    symlinkSync(join(ROOT, 'node_modules'), join(clone, 'node_modules'));
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });
  const leftBehind = () => [
    ...git('worktree', 'list').trim().split('\n').slice(1),
    ...readdirSync(tmpdir()).filter((name) => name.startsWith('slipway-revision-') && !before.includes(name)),
  ];
  const before = readdirSync(tmpdir());

  test("is synthesized from its own sources, and leaves nothing behind, even when it can't be", async () => {
    const file = 'constructs/src/policies/role-chain.ts';
    const source = readFileSync(join(clone, file), 'utf8');
    const synthesizer = readFileSync(join(clone, 'stacks/run.cjs'), 'utf8');
    // Without its own alias only the links say whose sources @slipway/constructs stands for.
    writeFileSync(join(clone, 'stacks/run.cjs'), synthesizer.replace(/^ *alias: .*$/m, ''));
    commit(file, source.replace("'ReadObjects'", "'ReadThen'"));
    commit(file, 'broken(');

    const [then] = await configurationsAt('HEAD~1', clone);
    expect(JSON.stringify(then?.resource.aws_iam_role_policy)).toContain('ReadThen');
    expect(leftBehind()).toEqual([]);
    await expect(configurationsAt('HEAD', clone)).rejects.toThrow(
      /^What HEAD allowed can't be read: "cdktf synth" failed/,
    );
    expect(leftBehind()).toEqual([]);
  });
});

test.each([
  [[], 'Expected an environment, such as dev.'],
  [['development'], 'There is no environment development; known are dev, prod, qa'],
  [['dev', '--since=--output=x'], '--output=x is no commit of this repository'],
  [['dev', '--since-output', '/nonexistent'], '/nonexistent is no output of cdktf synth (ENOENT)'],
  [['dev', '--html', '/nonexistent/page.html'], "/nonexistent/page.html can't be written (ENOENT)"],
])('%j is refused in a sentence', async (args, words) => {
  const { exitCode, stdout, stderr } = await access(...args);
  expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
  expect(stderr).toContain(words);
  expect(stderr).not.toMatch(/\bat .*\.(js|ts):\d+/);
});

test('a comparison is printed for a pull request, and ends well', async () => {
  const { exitCode, stdout } = await access('dev', 'qa', '--markdown');
  expect(exitCode).toBe(0);
  expect(stdout).toMatch(/^### .* Access gained$/m);
  expect(stdout).toMatch(/^\| 🔺 \| kantox-deploy-dev/m);
  expect(stdout).toMatch(/^\| 🔻 \| kantox-deploy-dev.* denied now/m);
});

function withManagedPolicy(arn: string): Configuration {
  const unbounded = changed('aws_iam_role', aux, () => ({ permissions_boundary: undefined }));
  const [[, attachment] = ['', {}]] = Object.entries(dev.resource.aws_iam_role_policy_attachment ?? {});
  const [id = ''] = Object.keys(dev.resource.aws_iam_role ?? {}).filter((each) => each.startsWith(aux));
  const attached = { ...attachment, role: `\${aws_iam_role.${id}.name}`, policy_arn: arn };
  return { ...unbounded, resource: { ...unbounded.resource, aws_iam_role_policy_attachment: { attached } } };
}

function withoutConditions({ assume_role_policy: json }: Body): Body {
  const document = JSON.parse(json as string) as { Statement: { Condition?: unknown }[] };
  const Statement = document.Statement.map(({ Condition, ...rest }) => rest);
  return { assume_role_policy: JSON.stringify({ ...document, Statement }) };
}
