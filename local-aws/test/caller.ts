import { startLocalAws } from '../src';

/**
 * A caller in a process of its own, for the tests that end it: starts a local AWS, says where it is and
 * waits. On SIGINT it uses the local AWS once more, as a clean-up would.
 */
async function main(): Promise<void> {
  const lifetime = process.argv[2] === 'detached' ? 'detached' : 'caller';
  const { pid, endpoint, motoEndpoint, logFile, stop } = await startLocalAws({ lifetime });
  process.on(
    'SIGINT',
    () =>
      void fetch(endpoint)
        .then(stop)
        .then(() => process.exit(0)),
  );
  setInterval(() => undefined, 60_000);
  console.log(JSON.stringify({ pid, endpoint, motoEndpoint, logFile }));
}

void main();
