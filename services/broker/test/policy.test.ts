import { render, type Revocation } from '../src/revocation/policy';

const NOW = Date.parse('2026-11-28T12:00:00Z');
const SECOND = 1000;
const HOUR = 3600 * SECOND;

const user = (name: string, cutoff = NOW): Revocation => ({
  kind: 'user',
  who: `*:alpha-${name}-*`,
  cutoff,
  expires: cutoff + HOUR,
});
const session = (id: string, cutoff = NOW): Revocation => ({
  kind: 'session',
  who: id,
  cutoff,
  expires: cutoff + HOUR,
});

interface Statement {
  Effect: string;
  Action: string;
  Resource: string;
  Condition: {
    StringLike?: { 'aws:userid': string[] };
    StringEquals?: { 'aws:PrincipalTag/slipway-session': string[] };
    DateLessThan: { 'aws:TokenIssueTime': string };
  };
}

function statements(document: string | undefined): Statement[] {
  return (JSON.parse(document ?? '{"Statement":[]}') as { Statement: Statement[] }).Statement;
}

/** Whether the policy denies what was issued at a moment. */
function denies(
  document: string | undefined,
  who: { user: string; session?: string },
  issuedAt: number,
): boolean {
  return statements(document).some(({ Condition: { StringLike, StringEquals, DateLessThan } }) => {
    const isHit =
      (StringLike?.['aws:userid'].includes(`*:alpha-${who.user}-*`) ?? true) &&
      (StringEquals?.['aws:PrincipalTag/slipway-session'].includes(who.session ?? '') ?? true);
    return isHit && issuedAt < Date.parse(DateLessThan['aws:TokenIssueTime']);
  });
}

test('denies everything to one user or session, as far as it was issued before', () => {
  const { document, widenedBefore } = render([user('a'), session('7', NOW + SECOND)], NOW, 10_240);
  expect(statements(document)).toEqual([
    {
      Effect: 'Deny',
      Action: '*',
      Resource: '*',
      Condition: {
        StringLike: { 'aws:userid': ['*:alpha-a-*'] },
        DateLessThan: { 'aws:TokenIssueTime': '2026-11-28T12:00:00Z' },
      },
    },
    {
      Effect: 'Deny',
      Action: '*',
      Resource: '*',
      Condition: {
        StringEquals: { 'aws:PrincipalTag/slipway-session': ['7'] },
        DateLessThan: { 'aws:TokenIssueTime': '2026-11-28T12:00:01Z' },
      },
    },
  ]);
  expect(widenedBefore).toBeUndefined();
});

test('what has expired is left out, and with the last one the policy goes', () => {
  expect(
    statements(render([user('a'), user('b', NOW + 60 * SECOND)], NOW + HOUR, 10_240).document),
  ).toHaveLength(1);
  expect(render([user('a')], NOW + HOUR, 10_240).document).toBeUndefined();
});

test('a hundred at once are one statement', () => {
  const all = Array.from({ length: 100 }, (_, index) => user(`user${index}`));
  const { document = '' } = render(all, NOW, 10_240);
  expect(statements(document)).toHaveLength(1);
  expect(document.length).toBeLessThan(2500);
});

describe.each([10, 100, 300, 1000, 4000])('%d, each in a second of its own', (count) => {
  const all = Array.from({ length: count }, (_, index) =>
    index % 3 === 0
      ? session(`job${index}`, NOW + index * SECOND)
      : user(`user${index}`, NOW + index * SECOND),
  ).map((each) => ({ ...each, expires: NOW + 10 * HOUR }));

  test.each([400, 2000, 10_240])(
    'never pass %d characters, and nobody who is revoked slips through',
    (limit) => {
      const { document = '', widenedBefore = 0 } = render(all, NOW, limit);
      expect(document.length).toBeLessThanOrEqual(limit);
      for (const [index, { cutoff }] of all.entries()) {
        const who = index % 3 === 0 ? { user: 'someone', session: `job${index}` } : { user: `user${index}` };
        expect(denies(document, who, cutoff - SECOND)).toBe(true);
        // Wider than asked only as far as it says.
        expect(denies(document, who, Math.max(cutoff, widenedBefore))).toBe(false);
      }
      expect(denies(document, { user: 'bystander' }, NOW + count * SECOND)).toBe(false);
    },
  );
});

test('bystanders are hit only when nothing else fits', () => {
  const all = Array.from({ length: 200 }, (_, index) => user(`user${index}`, NOW + index * SECOND));
  const roomy = render(all, NOW, 10_240);
  expect(denies(roomy.document, { user: 'bystander' }, 0)).toBe(false);
  expect(roomy.widenedBefore).toBeGreaterThan(NOW);
  expect(denies(render(all, NOW, 1000).document, { user: 'bystander' }, NOW)).toBe(true);
});
