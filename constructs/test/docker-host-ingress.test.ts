import { ingressProblems, ingressRules } from '../src/docker-host-ingress';

const open = (ingress: Parameters<typeof ingressRules>[0]) =>
  ingressRules(ingress).map(({ cidr, fromPort, toPort }) => `${cidr} ${fromPort}-${toPort}`);

test('anyone reaches the web ports, and nobody SSH', () => {
  expect(open({})).toEqual(['0.0.0.0/0 80-80', '0.0.0.0/0 443-443', '0.0.0.0/0 8000-8100']);
});

test('only those who are named reach the web ports', () => {
  expect(open({ webCidrs: ['203.0.113.0/24'] })).toEqual([
    '203.0.113.0/24 80-80',
    '203.0.113.0/24 443-443',
    '203.0.113.0/24 8000-8100',
  ]);
  expect(open({ webCidrs: [] })).toEqual([]);
});

test('those who are named reach SSH', () => {
  expect(open({ webCidrs: [], sshCidrs: ['203.0.113.0/24', '2001:db8::/32'] })).toEqual([
    '203.0.113.0/24 22-22',
    '2001:db8::/32 22-22',
  ]);
});

test('a range that is named twice is one', () => {
  const twice = ['203.0.113.0/24', '203.0.113.0/24'];
  expect(open({ webCidrs: twice, sshCidrs: twice })).toHaveLength(4);
});

test("a rule's id does not depend on the other rules", () => {
  const ids = (webCidrs: string[]) => ingressRules({ webCidrs }).map(({ id }) => id);
  expect(ids(['203.0.113.0/24', '198.51.100.0/24'])).toEqual(
    expect.arrayContaining(ids(['198.51.100.0/24'])),
  );
  expect(ids(['198.51.100.0/24'])[0]).toBe('80-from-198-51-100-0-24');
});

test.each([
  '0.0.0.0/0',
  '::/0',
  '0.0.0.0/1',
  '128.0.0.0/1',
  '64.0.0.0/7',
  '::/1',
  '8000::/1',
  '2000::/3',
  '10.0.0.0',
  '',
])('SSH is not opened to %j', (cidr) => {
  expect(ingressProblems({ sshCidrs: ['203.0.113.0/24', cidr] }, 'dockerHosts[0].')).toEqual([
    {
      path: 'dockerHosts[0].sshCidrs[1]',
      value: cidr,
      expected: expect.stringContaining('SSH is never open to anyone') as string,
    },
  ]);
});

test.each(['10.0.0.0/8', '203.0.113.7/32', '2001:db8::/32', '2001::/16'])(
  'SSH can be opened to %s',
  (cidr) => {
    expect(ingressProblems({ sshCidrs: [cidr] }, '')).toEqual([]);
  },
);

test('the web ports may be open to anyone', () => {
  expect(ingressProblems({ webCidrs: ['0.0.0.0/0', '::/0'] }, '')).toEqual([]);
});
