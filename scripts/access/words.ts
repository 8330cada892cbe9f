import type { Condition } from './grants';
import { patternsOf } from './patterns';
import type { Home } from './policies';

/** Services as people call them. */
const SERVICES: Readonly<Record<string, string>> = {
  apigateway: 'API Gateway',
  cloudwatch: 'CloudWatch',
  dynamodb: 'DynamoDB',
  events: 'EventBridge',
  lambda: 'Lambda',
  logs: 'Logs',
  secretsmanager: 'Secrets Manager',
  ssmmessages: 'Session Manager',
  sts: 'Roles',
  '*': 'Any service',
};

/** The service of an action, such as S3. */
export function serviceIn(action: string): string {
  const [service = ''] = action.split(':');
  return action.includes(' ') ? "AWS's policy" : (SERVICES[service] ?? service.toUpperCase());
}

/** What an ARN or a pattern stands for, in words. Its own account and region go without saying. */
export function resourceIn(pattern: string, home: Home, ofObjects = false): string {
  return patternsOf(pattern)
    .map((each) => oneResource(each, home, ofObjects))
    .join(' that is also ');
}

function oneResource(arn: string, home: Home, ofObjects: boolean): string {
  if (arn === '*') return 'anything';
  const [head, partition = '', service = '', region = '', account = '', ...rest] = arn.split(':');
  if (head !== 'arn') return arn;
  const named = nameIn(service, rest.join(':'), ofObjects);
  if (named === undefined || partition === '*') return arn;
  const elsewhere = [
    region === '' || region === home.region ? '' : region === '*' ? ' in any region' : ` in ${region}`,
    account === '' || account === home.account
      ? ''
      : account === '*'
        ? ' of any account'
        : ` of account ${account}`,
  ];
  return `${named}${elsewhere.join('')}`;
}

function nameIn(service: string, name: string, ofObjects: boolean): string | undefined {
  if (service === 's3') {
    const [bucket = '', ...path] = name.split('/');
    const key = path.join('/');
    if (path.length > 0) return `objects of ${bucket}${key === '*' ? '' : ` at ${key}`}`;
    return ofObjects ? `objects that match ${bucket}` : `bucket ${bucket}`;
  }
  if (name === '*') return `anything of ${serviceIn(service)}`;
  // Kinds end with a slash, in some services with a colon; paths of API Gateway begin with a slash.
  const [, kind = '', below = ''] = /^\/?([^/:]+)[/:](.*)$/.exec(name) ?? [];
  if (below === '') return undefined;
  if (service === 'secretsmanager') return `${kind} ${below.replace(/-\?{6}$/, '')}`;
  if (service === 'logs') return `${kind.replaceAll('-', ' ')} ${below.replace(/:\*$/, '')}`;
  if (service === 'apigateway' && name === '/apis/*') return 'any API and what is in it';
  if (service === 'ssm' && kind === 'parameter')
    return below.endsWith('/*') ? `parameters below /${below.slice(0, -2)}` : `parameter /${below}`;
  return below === '*' ? `any ${kind.replaceAll('-', ' ')}` : `${kind.replaceAll('-', ' ')} ${below}`;
}

/** A list in which a bucket and its objects go together. */
export function listed(resources: readonly string[]): string[] {
  const isTold = (resource: string) => resources.includes(resource);
  return resources.flatMap((each) => {
    if (each.startsWith('objects of ') && isTold(each.replace('objects of ', 'bucket '))) return [];
    const objects = each.replace('bucket ', 'objects of ');
    return objects !== each && isTold(objects) ? [`${each} and its objects`] : [each];
  });
}

/** Who a principal is. Of an issuer of tokens everyone is meant where no condition says whose they are. */
export function principalIn(who: string, home: Home, conditions: readonly Condition[] = []): string {
  if (who === '*') return 'anyone at all';
  if (who === 'Key:access key') return 'whoever holds its access key';
  if (who === 'Unread:') return "somebody, maybe (this report can't read it)";
  if (who.startsWith('Service:')) return `the AWS service ${who.slice('Service:'.length)}`;
  const [, , , , account = '', name = ''] = who.split(':');
  if (name === 'root') {
    return account === home.account
      ? 'whom the account lets by its own policies'
      : `whom account ${account} lets by its own policies`;
  }
  if (name === 'oidc-provider/token.actions.githubusercontent.com' && account === home.account)
    return conditions.some(({ key }) => key.endsWith(':sub'))
      ? "GitHub's workflows"
      : 'any workflow of anyone on GitHub';
  return who.startsWith('arn:') ? resourceIn(who, home) : who;
}

type Words = readonly [
  operator: RegExp,
  key: RegExp,
  words: (values: string, key: string, home: Home) => string | undefined,
];

/** Conditions that our policies state; each line is for exactly one meaning. */
const CONDITIONS: readonly Words[] = [
  [/^StringEquals$/, /^token\.actions\.githubusercontent\.com:sub$/, (subject) => workflowsOf(subject)],
  [
    /^StringEquals$/,
    /^token\.actions\.githubusercontent\.com:aud$/,
    (audience) => `with a token for ${audience}`,
  ],
  [
    /^StringEquals$/,
    /^kms:ViaService$/,
    (services) => `through ${services.replaceAll('.amazonaws.com', '')}`,
  ],
  [/^StringEquals$/, /^aws:ResourceTag\//, (value, tag) => `tagged ${tag}=${value}`],
  [
    /^StringEqualsIfExists$/,
    /^aws:ResourceTag\//,
    (value, tag) => `tagged ${tag}=${value} or without ${tag}`,
  ],
  [/^StringEquals$/, /^aws:RequestTag\//, (value, tag) => `giving it the tag ${tag}=${value}`],
  [/^StringEqualsIfExists$/, /^aws:RequestTag\//, (value, tag) => `giving it no other ${tag} than ${value}`],
  [
    /^StringEquals$/,
    /^iam:PermissionsBoundary$/,
    (arns, _, home) =>
      `under the boundary ${arns
        .split(' or ')
        .map((arn) => resourceIn(arn, home).replace(/^policy /, ''))
        .join(' or ')}`,
  ],
  [/^StringEquals$/, /^iam:PassedToService$/, (service) => `to ${service}`],
  [/^StringNotEquals$/, /^iam:PassedToService$/, (service) => `to any other than ${service}`],
  [/^ArnLike$/, /^aws:SourceArn$/, (arn, _, home) => `for ${resourceIn(arn, home)}`],
  [
    /^ArnEquals$/,
    /^kms:EncryptionContext:aws:logs:arn$/,
    (arn, _, home) => `for the ${resourceIn(arn, home)}`,
  ],
  [/^StringEquals$/, /^aws:RequestedRegion$/, (region) => `in ${region}`],
  [/^StringEquals$/, /^aws:SourceAccount$/, (account) => `for account ${account}`],
  [/^ForAnyValue:StringEquals$/, /^kms:ResourceAliases$/, (aliases) => `that is called ${aliases}`],
  [/^Bool$/, /^aws:SecureTransport$/, (value) => (value === 'false' ? 'over plain HTTP' : undefined)],
  [/^NumericLessThan$/, /^s3:TlsVersion$/, (version) => `over TLS older than ${version}`],
  [/^Null$/, /^aws:ResourceTag\//, (value, tag) => (value === 'true' ? `not tagged ${tag}` : undefined)],
  [/^Null$/, /^kms:ResourceAliases$/, (value) => (value === 'true' ? 'that has no alias' : undefined)],
  [/^Null$/, /^ec2:CreateAction$/, (value) => (value === 'false' ? 'while it is made' : undefined)],
];

/** A condition in words, or as it is written where there are none for it. */
export function conditionIn({ operator, key, values }: Condition, home: Home): string {
  const listed = values.join(' or ');
  for (const [operators, keys, words] of CONDITIONS)
    if (operators.test(operator) && keys.test(key)) {
      const said = words(listed, key.replace(/^[^/]*\//, ''), home);
      if (said !== undefined) return said;
    }
  return `if ${key} ${operator} ${listed}`;
}

function workflowsOf(subject: string): string | undefined {
  const [, repository, kind, name] =
    /^repo:([^:*? ]+):(ref:refs\/heads\/|environment:)([^:*? ]+)$/.exec(subject) ?? [];
  if (repository === undefined || name === undefined) return undefined;
  return `of ${repository}, from ${kind === 'environment:' ? 'the GitHub environment' : 'the branch'} ${name}`;
}
