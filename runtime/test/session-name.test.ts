import { canBeSessionName, sessionName } from '../src/session-name';

const RULE = /^[\w+=,.@-]{2,64}$/;

test('a given name is taken as it is', () => {
  expect(sessionName('alice@example.com', 'service', 'host')).toBe('alice@example.com');
});

test('without one it is made from service and host, or from the host', () => {
  expect(sessionName(undefined, 'aux', 'pod-1')).toBe('aux@pod-1');
  expect(sessionName(undefined, undefined, 'pod-1')).toBe('pod-1');
});

test('names that differ beyond 64 characters stay different', () => {
  const names = ['a', 'b'].map((last) => sessionName('x'.repeat(64) + last, undefined));
  expect(names[0]).toMatch(RULE);
  expect(names[0]).toHaveLength(64);
  expect(names[0]).not.toBe(names[1]);
});

test('a name of 64 characters is left alone', () => {
  expect(sessionName('x'.repeat(64), undefined)).toBe('x'.repeat(64));
});

test('a service or host that STS would refuse is made to fit, and stays distinct', () => {
  const names = ['my service', 'my/service', 'é', ''].map((service) => sessionName(undefined, service, 'h'));
  for (const name of [...names, sessionName(undefined, undefined, 'h')]) expect(name).toMatch(RULE);
  expect(new Set(names).size).toBe(4);
});

test.each(['a', '', 'has space', 'line\n', 'ünï'])('%j cannot be a session name', (name) => {
  expect(canBeSessionName(name)).toBe(false);
});
