/**
 * What the proxy's bench runs besides the proxy, each as a process of its own: `api`, which grants any session
 * credentials as long as STS's are, or `bare BODY`, a server that knows one answer.
 */
const { createServer } = require('node:http');

const [role, body] = process.argv.slice(2);

function api(_, response) {
  const credentials = JSON.stringify({
    AccessKeyId: 'ASIABENCHBENCHBENCH1',
    SecretAccessKey: 's'.repeat(40),
    Token: 'IQoJ'.repeat(200),
    Expiration: new Date(Date.now() + 3_600_000).toISOString(),
  });
  response
    .writeHead(200, { 'content-type': 'application/json', 'content-length': credentials.length })
    .end(credentials);
}

/** The same head and body as the proxy's, with no question asked. */
function bare(_, response) {
  response
    .writeHead(200, {
      'content-type': 'application/json',
      'content-length': body.length,
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    })
    .end(body);
}

const server = createServer(role === 'api' ? api : bare).listen(
  { port: 0, host: '127.0.0.1', backlog: 4096 },
  () => {
    process.send(server.address().port);
  },
);
process.once('disconnect', () => process.exit());
