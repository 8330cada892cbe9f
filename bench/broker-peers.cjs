/**
 * Peers of `npm run bench -- broker`, each a process of its own:
 *
 * - `aws`: what the broker asks of AWS, answered at the socket at once: DynamoDB as a map, one role, STS. Counts calls.
 * - `bare`: a node:http server that answers with the bytes of the broker's answer.
 */
const { createServer } = require('node:http');

const [, , kind, bytes = ''] = process.argv;
const counts = {};
const count = (name) => {
  counts[name] = (counts[name] ?? 0) + 1;
};

const SECRET = 'the head node of the bench';
const ROLE = 'arn:aws:iam::123456789012:role/slipway-project-example';
const items = new Map();
const found = (table, key) =>
  table === 'mapping' ? { ProjectId: { S: 'example' }, RoleArn: { S: ROLE } } : items.get(key.SessionId.S);

const DYNAMODB = {
  GetItem: ({ TableName, Key }) => ({ Item: found(TableName, Key) }),
  BatchGetItem: ({ RequestItems }) => ({
    Responses: Object.fromEntries(
      Object.entries(RequestItems).map(([table, { Keys }]) => [
        table,
        Keys.map((key) => found(table, key)).filter(Boolean),
      ]),
    ),
    UnprocessedKeys: {},
  }),
  PutItem: ({ Item }) => {
    items.set(Item.SessionId.S, Item);
    return {};
  },
  // The one update on the way: where a user has credentials.
  UpdateItem: ({ Key, ExpressionAttributeValues: values }) => {
    items.set(Key.SessionId.S, { ...Key, Scopes: values[':scope'] });
    return {};
  },
};

let issued = 0;
function sts() {
  count('AssumeRole');
  issued += 1;
  const expiration = new Date(Date.now() + 3_600_000).toISOString();
  return `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials><AccessKeyId>ASIA${issued}</AccessKeyId><SecretAccessKey>${'s'.repeat(40)}</SecretAccessKey><SessionToken>${'t'.repeat(400)}</SessionToken><Expiration>${expiration}</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`;
}

function aws(request, response) {
  const target = request.headers['x-amz-target'] ?? '';
  let body = '';
  request.on('data', (chunk) => (body += chunk));
  request.on('end', () => {
    if (target === '') return response.end(sts());
    const [service, operation] = target.split('.');
    count(operation);
    const answer = service.startsWith('DynamoDB')
      ? DYNAMODB[operation](JSON.parse(body))
      : { ARN: 'arn', Name: 'secret', SecretString: SECRET };
    response.setHeader('content-type', 'application/x-amz-json-1.0');
    response.end(JSON.stringify(answer));
  });
}

const answer = Buffer.from(bytes, 'base64');
function bare(request, response) {
  response.writeHead(200, {
    'content-type': 'application/json',
    'content-length': answer.length,
    'cache-control': 'no-store',
  });
  response.end(answer);
}

const server = createServer(kind === 'aws' ? aws : bare);
server.listen(0, '127.0.0.1', 4096, () => process.send({ port: server.address().port, secret: SECRET }));
process.on('message', () => process.send(counts));
process.on('disconnect', () => process.exit());
