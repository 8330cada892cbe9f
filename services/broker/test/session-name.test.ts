import fc from 'fast-check';
import { type Owner, sessionName, tagValue, userIdPattern } from '../src/session-name';

/** Names that people and machines have, and those that somebody makes up to meet another's. */
const part = fc.oneof(
  fc.constantFrom(
    'alpha',
    'user1',
    'a',
    'a-b',
    'b',
    'b-c',
    'c',
    'user1-x',
    'x',
    'jürgen',
    'DOM\\user',
    'a b',
    'a.b',
    'a=b',
    '=',
    '*',
    '?',
    'user*',
  ),
  fc.string({ minLength: 1, maxLength: 12, unit: fc.constantFrom('a', 'b', '-', '=', '.', '*', '?', 'ü') }),
  fc.string({ minLength: 1, maxLength: 90, unit: 'grapheme' }),
);
const owners = fc.record({ cluster: part, user: part });
const given = fc
  .tuple(owners, part)
  .map(([owner, node]) => ({ owner, node, name: `${owner.cluster}-${owner.user}-${node}` }));

const same = (a: Owner, b: Owner) => a.cluster === b.cluster && a.user === b.user;

/** IAM's StringLike. */
function isLike(pattern: string, text: string): boolean {
  const source = pattern
    .replaceAll(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`, 's').test(text);
}

test('is cluster-user-node wherever that can be told apart', () => {
  const owner = { cluster: 'alpha', user: 'user1' };
  expect(sessionName(owner, 'alpha-user1-node-7')).toBe('alpha-user1-node-7');
  expect(sessionName(owner, 'node7')).toBe('alpha-user1-node7');
  expect(userIdPattern(owner)).toBe('*:alpha-user1-*');
});

test('is valid, and one owner and node alone have it', () => {
  fc.assert(
    fc.property(given, given, (a, b) => {
      const [first, second] = [sessionName(a.owner, a.name), sessionName(b.owner, b.name)];
      expect(first).toMatch(/^[\w+=,.@-]{2,64}$/);
      if (first === second) expect(b).toEqual(a);
    }),
    { numRuns: 2000 },
  );
});

test("an owner's pattern takes in all of the owner's sessions, and nobody else's", () => {
  fc.assert(
    fc.property(given, given, (a, b) => {
      const pattern = userIdPattern(a.owner);
      expect(isLike(pattern, `AROAEXAMPLE:${sessionName(a.owner, a.name)}`)).toBe(true);
      expect(isLike(pattern, `AROAEXAMPLE:${sessionName(b.owner, b.name)}`)).toBe(same(a.owner, b.owner));
      // Not through what the node says either, which a job may choose.
      expect(isLike(pattern, `AROAEXAMPLE:${sessionName(b.owner, a.name)}`)).toBe(same(a.owner, b.owner));
    }),
    { numRuns: 2000 },
  );
});

test('as a tag is itself, or another one that nobody else has', () => {
  expect(tagValue('1300_4')).toBe('1300_4');
  fc.assert(
    fc.property(part, part, (a, b) => {
      expect(tagValue(a)).toMatch(/^[\p{L}\p{N} _.:/=+@-]{1,256}$/u);
      expect(tagValue(a) === tagValue(b)).toBe(a === b);
    }),
    { numRuns: 2000 },
  );
});
