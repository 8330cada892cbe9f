import { randomBytes } from 'node:crypto';
import type { Session } from '../src/record';
import { slabs } from '../src/slabs';
import { boundedStore } from '../src/store';

function session(n: number, more: Partial<Session['credentials']> = {}): Session {
  return {
    deadline: n + 0.5,
    refreshFrom: n + 0.25,
    checkFrom: n,
    wanted: n % 2 === 1,
    question: { target: `/dev/sessions/${n}?roleSessionName=a%20b`, authorization: `token ${n}` },
    credentials: {
      accessKeyId: `ASIA${n}`,
      secretAccessKey: randomBytes(30).toString('base64'),
      sessionToken: randomBytes(600).toString('base64'),
      accountId: undefined,
      expiration: new Date(n * 1e9).toISOString(),
      ...more,
    },
  };
}

describe('the store', () => {
  test.each([
    ['base64', {}],
    ['base64 with an end of its own', { sessionToken: 'IQoJ+/8=', secretAccessKey: 'ab==' }],
    ['what only looks like it', { sessionToken: 'ab=c', secretAccessKey: 'abcd=' }],
    ['base64url', { sessionToken: randomBytes(500).toString('base64url').replace(/^../, '-_') }],
    ['any characters', { sessionToken: '!"$%&/()=?'.repeat(99), accountId: '111122223333' }],
    ['the longest', { sessionToken: 'a.'.repeat(8000) }],
    ['a single character', { accessKeyId: 'A', secretAccessKey: '0', sessionToken: '1' }],
  ])('gives back %s as it was', (_, more) => {
    const store = boundedStore(10);
    const put = session(7, more);
    store.put('a', put);
    expect({ ...store.find('a'), question: store.question('a') }).toEqual(put);
  });

  test('of all comings and goings every answer is the one that was put, and no more than fit', () => {
    const store = boundedStore(50);
    const model = new Map<string, Session>();
    for (let n = 0; n < 5000; n += 1) {
      const key = `key ${Math.floor(Math.random() * 100)}`;
      if (n % 7 === 0) {
        store.drop(key);
        model.delete(key);
      } else {
        const put = session(n, { sessionToken: 'x'.repeat(1 + Math.floor(Math.random() * 300)) });
        store.put(key, put);
        model.delete(key);
        model.set(key, put);
        const [oldest] = model.keys();
        if (model.size > 50 && oldest !== undefined) model.delete(oldest);
      }
      const asked = `key ${Math.floor(Math.random() * 100)}`;
      expect(store.find(asked)?.credentials).toEqual(model.get(asked)?.credentials);
      expect(store.question(asked)).toEqual(model.get(asked)?.question);
    }
    expect(store.size()).toBe(model.size);
  });

  test('changes times in place', () => {
    const store = boundedStore(1);
    const put = session(2);
    store.put('a', put);
    store.mark('a', { checkFrom: 9, refreshFrom: 8, wanted: true });
    expect(store.times('a')).toEqual({ deadline: 2.5, refreshFrom: 8, checkFrom: 9, wanted: true });
    expect(store.find('a')?.credentials).toEqual(put.credentials);
  });

  test('goes round all that is in it, whatever comes and goes meanwhile', () => {
    const store = boundedStore(100);
    for (let n = 0; n < 60; n += 1) store.put(`key ${n}`, session(n));
    const seen = new Set<string>();
    for (let part = 0; part < 8; part += 1) {
      for (const key of store.round(10)) seen.add(key);
      store.drop('key 1');
      store.put('key 2', session(2));
      store.put(`new ${part}`, session(part));
    }
    expect(seen.size).toBeGreaterThanOrEqual(60);
    expect([...Array(20).keys()].flatMap(() => store.round(10)).length).toBeGreaterThan(100);
  });
});

describe('memory that is given back', () => {
  test('is wiped at once, and used again', () => {
    const slab = slabs();
    const written = (reference: number) => {
      const { memory, start } = slab.at(reference);
      return memory.subarray(start, start + 28);
    };
    const reference = slab.write(Buffer.from('a secret that must not stay '));
    const block = written(reference);
    const other = slab.write(Buffer.from('another'));
    expect(block.toString()).toBe('a secret that must not stay ');
    slab.free(reference);
    expect([...block].every((byte) => byte === 0)).toBe(true);
    expect(slab.write(Buffer.from('b'))).toBe(reference);
    expect(written(other).toString()).toContain('another');
  });

  test('is used for blocks of any other size when nothing is left in it', () => {
    const memory = slabs();
    const filled = (bytes: number) => Array.from({ length: 2000 }, () => memory.write(Buffer.alloc(bytes)));
    const most = Math.max(...filled(1024).map((reference) => (memory.free(reference), reference)));
    for (let bytes = 1; bytes <= 1024; bytes += 100) {
      const references = filled(bytes);
      expect(Math.max(...references)).toBeLessThan(most + 8192);
      for (const reference of references) memory.free(reference);
      expect(() => memory.at(references[0] ?? 0)).toThrow('given back');
    }
  });
});
