import { EnvironmentError, environmentFiles, loadEnvironments } from '../environments';
import { constructProblems } from '../stacks/app';

/** Without what refers to other fields. */
const dev = { ...environmentFiles['environments/dev.ts'], broker: undefined };
const qa = environmentFiles['environments/qa.ts'];
const other = { ...qa, name: 'uat', github: { ...qa?.github, oidcProvider: 'shared' } };

/** What a person who made this change reads, line by line. */
function told(files: Record<string, unknown>): string[] {
  try {
    loadEnvironments(files, constructProblems);
    return [];
  } catch (error) {
    if (!(error instanceof EnvironmentError)) throw error;
    const [head = '', ...lines] = error.message.split('\n  ');
    const count = lines.length === 1 ? 'One problem' : `${lines.length} problems`;
    expect(head).toBe(`${count} in the environments; nothing was synthesized:`);
    return lines;
  }
}

/** What is said of a changed dev, without the file's name. */
const toldOf = (change: object) =>
  told({ 'environments/dev.ts': { ...dev, ...change } }).map((line) =>
    line.replace('environments/dev.ts: ', ''),
  );

const long = (length: number) => 'x'.repeat(length);
const bucket = (change: object, name = 'data') => ({
  buckets: [
    { name, ...change },
    { name: 'logs', encryption: 'AES256' },
  ],
  services: { aux: { namespace: 'aux' } },
});
const parameter = (...parameters: object[]) => ({ parameters, services: { aux: { namespace: 'aux' } } });
const host = (...dockerHosts: unknown[]) => ({ dockerHosts });
const project = (abc: object) => ({ broker: { projects: { abc } } });
const ROLE = 'arn:aws:iam::111122223333:role/abc';
const aux = (change: object) => ({ services: { aux: { namespace: 'aux', ...change } } });

const LABEL = 'lower case letters, digits and hyphens, starting with a letter, such as data-2';
const VPC_CIDR = 'an IPv4 range from /16 to /28 whose host bits are zero, such as 10.20.0.0/24';
const CIDR = 'a CIDR range whose host bits are zero, such as 203.0.113.0/24';
const REPOSITORY = 'exactly one repository as OWNER/NAME, without a wildcard';

describe('each problem is told in a line of its own', () => {
  const cases: Record<string, Record<string, readonly [change: object, ...lines: string[]]>> = {
    names: {
      'a bad bucket name': [bucket({}, 'Data_1'), `buckets[0].name is "Data_1"; expected ${LABEL}`],
      'one that is too long': [
        bucket({}, long(31)),
        `buckets[0].name is "${long(31)}"; expected at most 30 characters`,
      ],
      'one that is too long in all': [
        { ...bucket({}, long(30)), organisation: long(20), name: long(16) },
        `buckets[0].name is "${long(20)}-${long(30)}-${long(16)}"; expected at most 63 characters in all, this has 68`,
      ],
      "a host's that is too long in all": [
        { ...host({ name: long(30) }), organisation: long(20), name: long(16) },
        `dockerHosts[0].name is "${long(20)}-${long(30)}-${long(16)}"; expected at most 64 characters in all, this has 68`,
      ],
      'one of CDKTF': [
        { organisation: '${TfToken[TOKEN.0]}' },
        `organisation is "\${TfToken[TOKEN.0]}"; expected ${LABEL}`,
      ],
      'a bucket name twice': [
        { buckets: [{ name: 'data' }, { name: 'logs', encryption: 'AES256' }, { name: 'data' }] },
        'buckets[2].name is "data"; expected one of its own: buckets[0].name is the same',
      ],
      'a parameter twice': [
        parameter({ path: 'a/b', value: '1' }, { path: 'a/b', json: 2 }),
        'parameters[1].path is "a/b"; expected one of its own: parameters[0].path is the same',
      ],
      'a variable twice': [
        parameter(
          { path: 'a', secret: { variable: 'v', version: 1 } },
          { path: 'b', secret: { variable: 'v', version: 1 } },
        ),
        'parameters[1].secret.variable is "v"; expected one of its own: parameters[0].secret.variable is the same',
      ],
      'a Docker host twice': [
        host({ name: 'a' }, { name: 'b' }, { name: 'a' }, { name: 'a' }),
        'dockerHosts[2].name is "a"; expected one of its own: dockerHosts[0].name is the same',
        'dockerHosts[3].name is "a"; expected one of its own: dockerHosts[0].name is the same',
      ],
      'a repository twice': [
        { repositories: { owner: 'this', names: ['api', 'api'] } },
        'repositories.names[1] is "api"; expected one of its own: repositories.names[0] is the same',
      ],
      'an access key twice': [
        { baseUser: { accessKeys: ['first', 'first'] } },
        'baseUser.accessKeys[1] is "first"; expected one of its own: baseUser.accessKeys[0] is the same',
      ],
    },

    fields: {
      'an unknown one': [{ colour: 'blue' }, 'colour is "blue"; expected no such field here'],
      'an unknown one inside': [
        bucket({ versioned: true }),
        'buckets[0].versioned is true; expected no such field here',
      ],
      'a missing one': [{ region: undefined }, 'region is missing; expected text in quotes'],
      'text for a number': [
        bucket({ expireAfterDays: '30' }),
        'buckets[0].expireAfterDays is "30"; expected a number',
      ],
      'a fraction of a GiB': [
        host({ name: 'a', volumeSizeGib: 8.5 }),
        'dockerHosts[0].volumeSizeGib is 8.5; expected a whole number',
      ],
      'too small a disk': [
        host({ name: 'a', volumeSizeGib: 4 }),
        'dockerHosts[0].volumeSizeGib is 4; expected at least 8',
      ],
      'a number for text': [{ account: 111122223333 }, 'account is 111122223333; expected text in quotes'],
      'text for a list': [{ buckets: 'data' }, 'buckets is "data"; expected a list in [ ]'],
      'null for a list': [{ dockerHosts: null }, 'dockerHosts is null; expected a list in [ ]'],
      'null in a list': [host(null), 'dockerHosts[0] is null; expected fields in { }'],
      'a list for fields': [{ protection: [] }, 'protection is []; expected fields in { }'],
      'a list for names with values': [{ tags: ['a'] }, 'tags is ["a"]; expected names with values in { }'],
      'fields for text': [
        { name: { first: 1, second: 2 } },
        'name is { first, second }; expected text in quotes',
      ],
      'a function': [{ region: () => 'eu-west-1' }, 'region is a function; expected text in quotes'],
      'a big number': [{ account: 3n }, 'account is 3; expected text in quotes'],
      'none of the choices': [
        { protection: { buckets: 'none', hosts: 'yes' } },
        "protection.buckets is \"none\"; expected 'disposable' or 'keep-objects' or 'locked'",
        'protection.hosts is "yes"; expected true or false',
      ],
      'a long value': [{ colour: long(200) }, `colour is "${long(76)}...; expected no such field here`],
    },

    'the account and its region': {
      'too few digits': [
        { account: '1234' },
        'account is "1234"; expected an AWS account id of 12 digits, in quotes',
      ],
      'no region': [{ region: 'Ireland' }, 'region is "Ireland"; expected an AWS region, such as eu-west-1'],
      'no backend': [
        { state: { backend: 'gcs' } },
        "state.backend is \"gcs\"; expected a backend, 'local' or 's3'",
      ],
      'no state': [{ state: null }, "state is null; expected a backend, 'local' or 's3'"],
      'a bad backend': [
        {
          state: {
            backend: 's3',
            bucket: 'B',
            region: 'x',
            kmsKeyArn: 'arn:aws:kms:eu-west-1:111122223333:alias/a',
          },
        },
        'state.bucket is "B"; expected an S3 bucket name',
        'state.region is "x"; expected an AWS region, such as eu-west-1',
        'state.kmsKeyArn is "arn:aws:kms:eu-west-1:111122223333:alias/a"; expected the ARN of a KMS key, not of an alias',
      ],
    },

    tags: {
      'a key of ours': [
        { tags: { Environment: 'x' } },
        'tags.Environment is "x"; expected another key: Slipway sets this one itself',
      ],
      'a key of AWS': [
        { tags: { 'aws:x': 'y' } },
        'tags["aws:x"] is "y"; expected another key: AWS keeps aws: to itself',
      ],
      'a value of Terraform': [
        { tags: { 'cost center': '${file("x")}' } },
        'tags["cost center"] is "${file(\\"x\\")}"; expected letters, digits, spaces and _ . : / = + - @',
      ],
      'a number': [{ tags: { Cost: 7 } }, 'tags.Cost is 7; expected text in quotes'],
    },

    networks: {
      'a malformed range': [
        { network: { newWithCidr: '10.0.0/24' } },
        `network.newWithCidr is "10.0.0/24"; expected ${VPC_CIDR}`,
      ],
      'host bits': [
        { network: { newWithCidr: '10.0.0.1/24' } },
        `network.newWithCidr is "10.0.0.1/24"; expected ${VPC_CIDR}`,
      ],
      'more than a VPC takes': [
        { network: { newWithCidr: '10.0.0.0/8' } },
        `network.newWithCidr is "10.0.0.0/8"; expected ${VPC_CIDR}`,
      ],
      'IPv6 for a VPC': [
        { network: { newWithCidr: '2001:db8::/56' } },
        `network.newWithCidr is "2001:db8::/56"; expected ${VPC_CIDR}`,
      ],
      'host bits of IPv6': [
        host({ name: 'a', webCidrs: ['2001:db8::1/64', '2001:db8::/32', '::/0', '10.0.0.0/08'] }),
        `dockerHosts[0].webCidrs[0] is "2001:db8::1/64"; expected ${CIDR}`,
        `dockerHosts[0].webCidrs[3] is "10.0.0.0/08"; expected ${CIDR}`,
      ],
      neither: [{ network: {} }, 'network is {}; expected either newWithCidr or existing'],
      both: [
        {
          network: {
            newWithCidr: '10.0.0.0/24',
            existing: { vpcId: 'vpc-01234567', subnetId: 'subnet-01234567' },
          },
        },
        'network is { newWithCidr, existing }; expected either newWithCidr or existing',
      ],
      'half of an existing one': [
        { network: { existing: { vpcId: 'vpc-1' } } },
        'network.existing.vpcId is "vpc-1"; expected a VPC id, such as vpc-0123456789abcdef0',
        'network.existing.subnetId is missing; expected text in quotes',
      ],
      'SSH from anywhere': [
        host({ name: 'a', sshCidrs: ['10.0.0.0/8', '0.0.0.0/0'] }),
        'dockerHosts[0].sshCidrs[1] is "0.0.0.0/0"; expected a range of your own, /8 or narrower: SSH is never open to anyone (Session Manager needs no open port)',
      ],
      "the name of a role that is another's": [
        host({ name: 'aux-role' }),
        'dockerHosts[0].name is "aux-role"; expected another name: the role kantox-aux-role-dev exists for another purpose',
      ],
      'text for a list of ranges': [
        host({ name: 'a', webCidrs: '10.0.0.0/8' }),
        'dockerHosts[0].webCidrs is "10.0.0.0/8"; expected a list in [ ]',
      ],
    },

    GitHub: {
      'any repository': [
        github({ repository: 'kantox/*' }),
        `github.repository is "kantox/*"; expected ${REPOSITORY}`,
      ],
      'any owner': [
        github({ repository: '*/slipway' }),
        `github.repository is "*/slipway"; expected ${REPOSITORY}`,
      ],
      'any branch': [
        github({ pushFrom: { branch: 'release/*' } }),
        'github.pushFrom.branch is "release/*"; expected the exact name of a branch, no wildcard',
      ],
      'any environment': [
        github({ pushFrom: { environment: '?' } }),
        'github.pushFrom.environment is "?"; expected the exact name of a GitHub environment, no wildcard',
      ],
      'no place to push from': [
        github({ pushFrom: {} }),
        'github.pushFrom is {}; expected either branch or environment',
      ],
    },

    buckets: {
      'KMS on the logs bucket': [
        { ...bucket({}), accessLogsBucket: 'data' },
        'buckets[0].encryption is "KMS"; expected \'AES256\': S3 delivers access logs to no bucket that is encrypted with KMS',
      ],
      'an unknown logs bucket': [
        { accessLogsBucket: 'log' },
        'accessLogsBucket is "log"; expected the name of one that exists: data, logs, backups',
      ],
      'no buckets at all': [
        { buckets: [], ...aux({}) },
        'accessLogsBucket is "logs"; expected the name of one that exists: there is none',
      ],
      'an unknown tiering': [
        bucket({ tiering: 'clever' }),
        'buckets[0].tiering is "clever"; expected \'intelligent\', or days such as { infrequentAccessAfterDays: 30 }',
      ],
      'a slip in the tiering': [
        bucket({ tiering: { glacierAfterDay: 90 } }),
        'buckets[0].tiering.glacierAfterDay is 90; expected no such field here',
        'buckets[0].tiering is { glacierAfterDay }; expected infrequentAccessAfterDays, glacierAfterDays or both',
      ],
      'Standard-IA too soon': [
        bucket({ tiering: { infrequentAccessAfterDays: 10 } }),
        'buckets[0].tiering.infrequentAccessAfterDays is 10; expected at least 30 days (a limit of S3 Standard-IA)',
      ],
      'Glacier too soon after it': [
        bucket({ tiering: { infrequentAccessAfterDays: 30, glacierAfterDays: 45 } }),
        'buckets[0].tiering.glacierAfterDays is 45; expected at least 60: an object stays in Standard-IA for 30 days or more',
      ],
      'gone before they move': [
        bucket({ expireAfterDays: 30, tiering: { infrequentAccessAfterDays: 30 } }),
        'buckets[0].expireAfterDays is 30; expected more than 30, when objects move to cheaper storage',
      ],
      'one to keep that is not there': [
        { protection: { buckets: 'locked', keep: ['data', 'archive'], hosts: true } },
        'protection.keep[1] is "archive"; expected a bucket that stands under buckets: to give this one up, take it out of keep first',
      ],
      'no days': [bucket({ expireAfterDays: 0 }), 'buckets[0].expireAfterDays is 0; expected at least 1 day'],
    },

    parameters: {
      'both a value and JSON': [
        parameter({ path: 'a', value: 'x', json: 1 }),
        'parameters[0] is { path, value, json }; expected a path, and exactly one of value, json and secret',
      ],
      'neither of them': [
        parameter({ path: 'a' }),
        'parameters[0] is { path }; expected a path, and exactly one of value, json and secret',
      ],
      'a bad path': [
        parameter({ path: '/a', value: 'x' }),
        'parameters[0].path is "/a"; expected letters, digits, and . - _ between slashes, with none at the start, such as api/config',
      ],
      'JSON that is too large': [
        parameter({ path: 'a', json: { text: 'é'.repeat(2100) } }),
        'parameters[0].json is (text, not shown); expected at most 4096 bytes, this has 4211',
      ],
      'a value that is too large': [
        parameter({ path: 'a', value: long(4097) }),
        'parameters[0].value is (text, not shown); expected at most 4096 bytes, this has 4097',
      ],
      'JSON that is none': [
        parameter({ path: 'a', json: { run: () => 1 } }),
        'parameters[0].json.run is a function; expected data that JSON can hold',
      ],
      "a secret's own text, which isn't told": [
        parameter(
          { path: 'a', secret: 'hunter2' },
          { path: 'b', secret: { variable: 'b', version: 1, value: 'hunter2' } },
        ),
        'parameters[0].secret is (text, not shown); expected fields in { }',
        'parameters[1].secret.value is (text, not shown); expected no such field here',
      ],
      "a variable's name that Terraform keeps to itself": [
        parameter({ path: 'a', secret: { variable: 'version', version: 0 } }),
        'parameters[0].secret.variable is "version"; expected another name: Terraform keeps this one to itself',
        'parameters[0].secret.version is 0; expected at least 1',
      ],
    },

    services: {
      'a bucket that there is not': [
        aux({ buckets: { dta: 'read' } }),
        'services.aux.buckets.dta is "read"; expected the name of one that exists: data, logs, backups',
      ],
      'a parameter that there is not': [
        aux({ parameters: ['api/config', 'api/confg'] }),
        'services.aux.parameters[1] is "api/confg"; expected the name of one that exists: api/config, database/url, features/flags',
      ],
      'unknown access': [
        aux({ buckets: { data: 'write' } }),
        "services.aux.buckets.data is \"write\"; expected 'read' or 'read-write'",
      ],
      'text for a list of parameters': [
        aux({ parameters: 'some' }),
        'services.aux.parameters is "some"; expected \'all\', or a list of paths',
      ],
      'two that are active': [
        { services: { aux: { namespace: 'aux' }, api: { namespace: 'api' } } },
        'services is ["aux", "api"]; expected exactly one service that is not deprecated: the base user may take on one role and no more',
      ],
      'none that is active': [
        { services: { api: { deprecated: true } } },
        'services is []; expected exactly one service that is not deprecated: the base user may take on one role and no more',
      ],
      'one that is active and deprecated': [
        aux({ deprecated: true }),
        'services.aux is { namespace, deprecated }; expected either namespace, with buckets and parameters, or deprecated: true',
      ],
      'a bad name': [
        { services: { Aux: { namespace: 'aux' } } },
        `services.Aux is { namespace }; expected another key: ${LABEL}`,
      ],
      'three access keys': [
        { baseUser: { accessKeys: ['a', 'b', 'c'] } },
        'baseUser.accessKeys is ["a", "b", "c"]; expected one or two labels (IAM allows two keys a user)',
      ],
      'no access key': [
        { baseUser: { accessKeys: [] } },
        'baseUser.accessKeys is []; expected one or two labels',
      ],
    },

    'the credentials broker': {
      'a bucket that there is not': [
        project({ buckets: { dta: 'read' } }),
        'broker.projects.abc.buckets.dta is "read"; expected the name of one that exists: data, logs, backups',
      ],
      'a parameter that there is not': [
        project({ parameters: ['api/config', 'api/confg'] }),
        'broker.projects.abc.parameters[1] is "api/confg"; expected the name of one that exists: api/config, database/url, features/flags',
      ],
      'a role that is made here and elsewhere': [
        project({ buckets: {}, roleArn: ROLE }),
        'broker.projects.abc is { buckets, roleArn }; expected either what its role may use (buckets, parameters) or the roleArn of one that is there',
      ],
      'a role with a wildcard': [
        project({ roleArn: `${ROLE}*` }),
        `broker.projects.abc.roleArn is "${ROLE}*"; expected the ARN of a role, without a wildcard`,
      ],
      "a project's id that is no part of a name": [
        { broker: { projects: { 'a b': {} } } },
        'broker.projects["a b"] is {}; expected another key: up to 32 letters, digits and . _ -, starting with a letter or digit, such as abc',
      ],
      "a role's name that is too long in all": [
        {
          organisation: long(20),
          name: long(16),
          broker: { projects: { [long(20)]: {}, [long(21)]: { roleArn: ROLE } } },
        },
        `broker.projects.${long(20)} is "${long(20)}-project-${long(20)}-${long(16)}"; expected at most 64 characters in all, this has 66`,
      ],
      'credentials that live longer than STS lets them': [
        { broker: { sessionSeconds: 7200, localhostPort: 0 } },
        'broker.sessionSeconds is 7200; expected at most 3600',
        'broker.localhostPort is 0; expected at least 1',
      ],
      'a topic that is none': [
        { broker: { alarmTopics: ['operators'] } },
        'broker.alarmTopics[0] is "operators"; expected the ARN of an SNS topic',
      ],
      'another way to know a head node': [
        { broker: { headNodeAuth: 'none' } },
        "broker.headNodeAuth is \"none\"; expected 'secret' or 'iam'",
      ],
      "a host whose role is called as the broker's, or as a project's": [
        { ...host({ name: 'broker' }, { name: 'project-abc' }), ...project({}) },
        'dockerHosts[0].name is "broker"; expected another name: the role kantox-broker-dev exists for another purpose',
        'dockerHosts[1].name is "project-abc"; expected another name: the role kantox-project-abc-dev exists for another purpose',
      ],
    },
  };

  describe.each(Object.entries(cases))('%s', (_, group) => {
    test.each(Object.entries(group))('%s', (_, [change, ...lines]) => {
      expect(toldOf(change)).toEqual(lines);
    });
  });

  function github(change: object) {
    return { github: { ...dev.github, ...change } };
  }
});

describe('a file that is no environment at all', () => {
  test.each([
    [undefined, 'missing'],
    [null, 'null'],
    [[], '[]'],
    ['dev', '"dev"'],
    [5, '5'],
    [() => dev, 'a function'],
  ])('%p', (whole, shown) => {
    expect(told({ 'environments/new.ts': whole })).toEqual([
      `environments/new.ts: the default export is ${shown}; expected fields in { }`,
    ]);
  });

  test('an empty one is told each field that it needs', () => {
    const lines = told({ 'environments/new.ts': {} });
    expect(lines).toContain('environments/new.ts: name is missing; expected text in quotes');
    expect(lines).toHaveLength(Object.keys(dev).length - 2); // tags have a default, and a broker may be left out
  });

  test('whatever stands in whatever place, it is told and nothing crashes', () => {
    const nasty = [
      null,
      undefined,
      [],
      {},
      '',
      'x',
      0,
      NaN,
      true,
      1n,
      () => 1,
      Symbol('s'),
      new Date(),
      [[]],
      [null],
      { a: null },
    ];
    for (const field of Object.keys(dev)) {
      for (const value of nasty) expect(() => toldOf({ [field]: value })).not.toThrow();
    }
  });
});

describe('across environments', () => {
  test('all problems of all files at once', () => {
    const files = {
      'environments/dev.ts': { ...dev, region: 'x', accessLogsBucket: 'nowhere' },
      'environments/qa.ts': null,
      'environments/uat.ts': { ...other, ...host({ name: 'a', sshCidrs: ['0.0.0.0/0'] }) },
    };
    expect(told(files).map((line) => line.replace(/ is .*/, ''))).toEqual([
      'environments/dev.ts: region',
      'environments/dev.ts: accessLogsBucket',
      'environments/qa.ts: the default export',
      'environments/uat.ts: dockerHosts[0].sshCidrs[0]',
    ]);
  });

  test('a name has one environment', () => {
    const files = { 'environments/qa.ts': qa, 'environments/qa2.ts': { ...qa, organisation: 'other' } };
    expect(told(files)).toEqual([
      'environments/qa2.ts: name is "qa"; expected a name of its own: environments/qa.ts has the name qa already',
    ]);
  });

  test("an account's repositories and OIDC provider have one owner", () => {
    const files = { 'environments/dev.ts': dev, 'environments/uat.ts': { ...dev, name: 'uat' } };
    const expected = (what: string) => `'shared': environments/dev.ts has ${what} already`;
    expect(told(files)).toEqual([
      `environments/uat.ts: github.oidcProvider is "this"; expected ${expected("GitHub's OIDC provider of account 111122223333")}`,
      ...['api', 'aux'].map((name) => {
        const what = `the repository kantox-${name} of account 111122223333 in eu-west-1`;
        return `environments/uat.ts: repositories.owner is "this"; expected ${expected(what)}`;
      }),
    ]);
    const elsewhere = { ...dev, name: 'uat', account: '999999999999' };
    expect(told({ ...files, 'environments/uat.ts': elsewhere })).toEqual([]);
  });

  test("no environment's wildcard takes in another's buckets and roles", () => {
    const files = { 'environments/dev.ts': dev, 'environments/eu-dev.ts': { ...other, name: 'eu-dev' } };
    const line = (file: string, name: string) =>
      `${file}: name is "${name}"; expected another name: what is called kantox-*-dev in account 111122223333 belongs to environments/dev.ts`;
    expect(told(files)).toEqual([line('environments/eu-dev.ts', 'eu-dev')]);

    const organisation = 'kantox-labs';
    const ofLabs = { ...other, name: 'eu-dev', organisation };
    expect(told({ ...files, 'environments/eu-dev.ts': ofLabs })).toEqual([
      line('environments/eu-dev.ts', 'eu-dev'),
    ]);
    const harmless = [
      { ...other, name: 'devel' },
      { ...ofLabs, organisation: 'kantoxlabs' },
      { ...ofLabs, account: '999999999999' },
    ];
    for (const environment of harmless)
      expect(told({ ...files, 'environments/eu-dev.ts': environment })).toEqual([]);
  });
});

describe('what is right', () => {
  test('the shipped environments, with the defaults filled in', () => {
    const [loaded] = loadEnvironments(undefined, constructProblems);
    expect(loaded).toMatchObject({
      name: 'dev',
      repositories: { keepLastImages: 5 },
      buckets: [{ encryption: 'KMS', expireOldVersionsAfterDays: 90 }, {}, {}],
      dockerHosts: [{ instanceType: 't3.medium', webCidrs: ['0.0.0.0/0'], sshCidrs: [] }],
    });
  });

  test.each<[string, object]>([
    ['the state in S3', { state: { backend: 's3', bucket: 'state' } }],
    [
      'a repository with ids, as in the tokens of a new one',
      { github: { ...dev.github, repository: 'kantox@12/slipway@34' } },
    ],
    [
      'an IPv6 range, SSH from a place of one’s own',
      host({ name: 'a', webCidrs: ['::/0'], sshCidrs: ['203.0.113.7/32'] }),
    ],
    [
      'an existing network',
      { network: { existing: { vpcId: 'vpc-01234567', subnetId: 'subnet-0123456789abcdef0' } } },
    ],
    [
      'text that looks like a template of Terraform',
      parameter({ path: 'a', value: '${TfToken[TOKEN.0]} ${file("x")}' }),
    ],
    ['no Docker host', { dockerHosts: [] }],
  ])('%s', (_, change) => {
    expect(toldOf(change)).toEqual([]);
  });
});
