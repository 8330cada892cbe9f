import { setTimeout as sleep } from 'node:timers/promises';
import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { byIam, bySecret } from '../src/head-node';

const MINUTE_MS = 60_000;

/** A Secrets Manager that can be silent or out of order, and a clock that is put forward. */
function theSecret() {
  const told = {
    versions: { AWSCURRENT: 'second', AWSPREVIOUS: 'first' } as Record<string, string>,
    fault: undefined as 'silent' | 'out of order' | undefined,
    now: Date.parse('2026-01-01'),
    /** Looks at the secret: one for each of the two versions. */
    calls: 0,
  };
  const client = {
    send: async ({ input }: { input: { VersionStage: string } }) => {
      told.calls += 1;
      if (told.fault === 'silent') await sleep(3000);
      if (told.fault) throw Object.assign(new Error('out of order'), { name: 'TimeoutError' });
      const SecretString = told.versions[input.VersionStage];
      if (SecretString === undefined) throw Object.assign(new Error(), { name: 'ResourceNotFoundException' });
      return { SecretString };
    },
  } as unknown as SecretsManagerClient;
  const headNode = bySecret(client, 'secret', () => told.now);
  const isHeadNode = (authorization: string) => headNode({ authorization, verifiedPrincipal: undefined });
  return { told, isHeadNode };
}

async function timed<T>(promise: Promise<T>): Promise<{ result: T; ms: number }> {
  const started = performance.now();
  const result = await promise;
  return { result, ms: performance.now() - started };
}

test('a head node with a known secret does not wait for a silent Secrets Manager, for a quarter of an hour', async () => {
  const { told, isHeadNode } = theSecret();
  await isHeadNode('second');
  told.fault = 'silent';
  told.now += 2 * MINUTE_MS;
  for (const { result, ms } of await Promise.all([timed(isHeadNode('second')), timed(isHeadNode('first'))])) {
    expect(result).toBe(true);
    expect(ms).toBeLessThan(2000);
  }
  told.now += 800;
  // Who comes later does not wait again for the same look.
  const { result, ms } = await timed(isHeadNode('second'));
  expect(result).toBe(true);
  expect(ms).toBeLessThan(600);
  expect(told.calls).toBe(4);
  told.now += 14 * MINUTE_MS;
  await expect(isHeadNode('second')).rejects.toThrow('out of order');
});

test('nor for one that is out of order, and anyone else is told to come again', async () => {
  const { told, isHeadNode } = theSecret();
  await isHeadNode('second');
  told.fault = 'out of order';
  told.now += 2 * MINUTE_MS;
  expect(await isHeadNode('second')).toBe(true);
  await expect(isHeadNode('third')).rejects.toThrow('out of order');
});

test('what was withdrawn is believed for a minute from the last look, and no longer', async () => {
  const { told, isHeadNode } = theSecret();
  expect(await isHeadNode('first')).toBe(true);
  told.versions = { AWSCURRENT: 'third', AWSPREVIOUS: 'second' };
  told.now += MINUTE_MS - 1;
  expect(await isHeadNode('first')).toBe(true);
  told.now += 1;
  expect(await isHeadNode('first')).toBe(false);
  expect(await isHeadNode('second')).toBe(true);
});

test('a new version is taken at once, guesses are not looked up more often than every two seconds', async () => {
  const { told, isHeadNode } = theSecret();
  await isHeadNode('first');
  told.versions = { AWSCURRENT: 'third', AWSPREVIOUS: 'second' };
  told.now += 2000;
  expect(await isHeadNode('third')).toBe(true);
  for (let guess = 0; guess < 10; guess += 1) expect(await isHeadNode(`guess ${guess}`)).toBe(false);
  expect(told.calls).toBe(4);
});

test('a secret that was never changed has one version', async () => {
  const { told, isHeadNode } = theSecret();
  told.versions = { AWSCURRENT: 'only' };
  expect([await isHeadNode('only'), await isHeadNode('')]).toEqual([true, false]);
});

test('with IAM, who has no principal is no head node', async () => {
  const of = (verifiedPrincipal: string | undefined) => byIam({ authorization: 'any', verifiedPrincipal });
  // API Gateway's events of routes that are open have been seen with an empty one.
  expect([await of(undefined), await of(''), await of('arn:aws:iam::111122223333:role/head')]).toEqual([
    false,
    false,
    true,
  ]);
});
