import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What is wrong with a service: it answers with this, or not at all. */
export type Fault = { status: number; body: string } | 'no answer';

/**
 * A way to the local AWS on which single services can be out of order: what the local AWS itself can't be made to show.
 *
 * @returns where it listens, and the faults by the service's name in signatures, such as `dynamodb`
 */
export async function faultyWay(endpoint: string) {
  const faults = new Map<string, Fault>();
  const calls = new Map<string, number>();
  const { hostname, port } = new URL(endpoint);
  const server: Server = createServer((incoming, outgoing) => {
    const service =
      /Credential=[^/]+\/\d+\/[^/]+\/([^/]+)\//.exec(incoming.headers.authorization ?? '')?.[1] ?? '';
    calls.set(service, (calls.get(service) ?? 0) + 1);
    const fault = faults.get(service);
    if (fault === 'no answer') {
      incoming.socket.destroy();
      return;
    }
    if (fault) {
      incoming.resume();
      outgoing.writeHead(fault.status, { 'content-type': 'application/x-amz-json-1.0' }).end(fault.body);
      return;
    }
    const { method, url: path, headers } = incoming;
    const onward = request({ hostname, port, method, path, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    onward.on('error', () => outgoing.destroy());
    incoming.pipe(onward);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    faults,
    /** Requests so far, by service. */
    calls,
    stop: () =>
      new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
      }),
  };
}
