import { randomBytes } from 'node:crypto';
import { digest } from '../services/node-proxy/src/request';
import type { Session } from '../services/node-proxy/src/record';
import { boundedStore } from '../services/node-proxy/src/store';

/** Prints what so many sessions take, in bytes of this process: in the store, or as objects in a Map. */
const [kind, count] = [process.argv[2], Number(process.argv[3])];

const store = boundedStore(count);
const map = new Map<string, Session>();
const before = process.memoryUsage().rss;
for (let n = 0; n < count; n += 1) {
  const session = sessionOf(n);
  const key = digest(session.question.authorization);
  if (kind === 'store') store.put(key, session);
  else map.set(key, session);
}
global.gc?.();
console.log(JSON.stringify({ bytes: process.memoryUsage().rss - before, kept: store.size() + map.size }));

function sessionOf(n: number): Session {
  const [deadline, refreshFrom, checkFrom] = [3_600_000.5 + n, 2_400_000.5 + n, 5000.5 + n];
  return {
    ...{ deadline, refreshFrom, checkFrom, wanted: true },
    question: {
      target: `/dev/sessions/${n}/cluster/alpha/project/abc?roleSessionName=alpha-user1-node7`,
      authorization: randomBytes(32).toString('base64url'),
    },
    credentials: {
      accessKeyId: `ASIA${String(n).padStart(16, '0')}`,
      secretAccessKey: randomBytes(30).toString('base64'),
      sessionToken: randomBytes(600).toString('base64'),
      accountId: undefined,
      expiration: '2026-11-28T21:40:42Z',
    },
  };
}
