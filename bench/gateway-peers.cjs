/** What the gateway's bench runs besides the API, each as a process of its own: `backend`, or `proxy PORT`. */
const { Agent, createServer, request } = require('node:http');

const [role, port] = process.argv.slice(2);
const body = Buffer.from(
  JSON.stringify({ name: '/bench', type: 'String', version: 1, value: 'x'.repeat(960) }),
);
const agent = new Agent({ keepAlive: true });

/** Stands for AUX: the gateway takes no answer without the request's own id. */
function backend(incoming, response) {
  response
    .writeHead(200, {
      'content-type': 'application/json',
      'content-length': body.length,
      'x-request-id': incoming.headers['x-request-id'] ?? '',
    })
    .end(body);
}

/** The least that a proxy can do: no check, no limit, no log. */
function proxy({ method, url: path, headers }, response) {
  request({ host: '127.0.0.1', port, method, path, headers, agent }, (answer) => {
    response.writeHead(answer.statusCode, answer.headers);
    answer.pipe(response);
  }).end();
}

const server = createServer(role === 'backend' ? backend : proxy).listen(0, '127.0.0.1', () => {
  process.send(server.address().port);
});
process.once('disconnect', () => process.exit());
