import { containerProblems, type Container } from '../src/container';

const web = { name: 'web', image: 'nginx:1.29' } satisfies Container;
const problems = (...containers: unknown[]) => containerProblems(containers, 'containers');
const expected = (container: object) => problems({ ...web, ...container }).map((problem) => problem.expected);

test('a container needs a name and an image, nothing else', () => {
  expect(problems(web)).toEqual([]);
  expect(problems({})).toEqual([
    {
      path: 'containers[0].name',
      value: undefined,
      expected: expect.stringContaining('a name of 2 to 63') as string,
    },
    {
      path: 'containers[0].image',
      value: undefined,
      expected: expect.stringContaining('an image such as') as string,
    },
  ]);
});

test('the container that the first users run passes', () => {
  const first = {
    name: 'web',
    image: 'nginx',
    ports: ['80:80', '8000-8010:8000-8010/tcp', '127.0.0.1:9000:90', '53:53/udp'],
    environment: { NODE_ENV: 'production', 'spring.profile': '$HOME "quoted" \n é' },
    volumes: ['/opt/app:/usr/share/nginx/html', '/opt/app/data:/data:ro'],
    restart: 'always',
    command: ['sh', '-c', 'exec nginx'],
  };
  expect(problems(first, { ...first, name: 'other', ports: ['53:53/tcp'] })).toEqual([]);
});

test('says every problem at once, each with its place', () => {
  const found = problems({ ...web, ports: ['http'], volumes: ['/etc:/etc'] }, 'nginx', {
    ...web,
    privileged: true,
  });
  expect(found.map(({ path }) => path)).toEqual([
    'containers[0].ports[0]',
    'containers[0].volumes[0]',
    'containers[1]',
    'containers[2].privileged',
    'containers[2].name',
  ]);
});

test('what is no list is refused', () => {
  expect(containerProblems({ web }, 'here')).toEqual([
    { path: 'here', value: { web }, expected: 'a list of containers' },
  ]);
});

test.each(['x', '-web', 'we b', 'web/2', 'é1', '__proto__', 'a'.repeat(64), 7])(
  'the name %p is refused',
  (name) => {
    expect(expected({ name })).toEqual([
      'a name of 2 to 63 letters, digits and _ . - that starts with a letter or digit',
    ]);
  },
);

test.each([
  'nginx',
  'library/nginx:latest',
  'localhost:5000/team/app_one__two:v1.2-rc.1',
  '111122223333.dkr.ecr.eu-west-1.amazonaws.com/kantox-api:abc',
  `ghcr.io/a/b@sha256:${'0'.repeat(64)}`,
])('the image %s passes', (image) => {
  expect(expected({ image })).toEqual([]);
});

test.each([
  '',
  'Nginx',
  'nginx:',
  'nginx 1',
  'https://docker.io/nginx',
  'nginx@sha256:12',
  '/nginx',
  'a//b',
  'nginx\n',
  '-v',
  '$(id)',
  null,
])('the image %p is refused', (image) => {
  expect(expected({ image })).toEqual([expect.stringContaining('an image such as nginx:1.29')]);
});

test.each([
  ['80', 'a port such as 80:80'],
  ['80:http', 'a port such as 80:80'],
  ['80:80/sctp', 'a port such as 80:80'],
  ['999.0.0.1:80:80', 'a port such as 80:80'],
  [80, 'a port such as 80:80'],
  ['0:80', 'ports from 1 to 65535'],
  ['80:65536', 'ports from 1 to 65535'],
  ['8010-8000:8010-8000', 'the lower port'],
  ['8000-8010:80', 'as many ports'],
])('the port %p is refused', (port, words) => {
  expect(expected({ ports: [port] })).toEqual([expect.stringContaining(words)]);
});

test.each([
  ['80:80', '80:8080'],
  ['8000-8010:8000-8010', '8010:80'],
  ['0.0.0.0:80:80', '127.0.0.1:80:80'],
])('%s and %s want the same port of the host', (one, other) => {
  expect(problems({ ...web, ports: [one] }, { ...web, name: 'other', ports: [other] })).toEqual([
    {
      path: 'containers[1].ports[0]',
      value: other,
      expected: 'a host port of its own: containers[0].ports[0] has this one already',
    },
  ]);
});

test('one port number may serve tcp and udp, and two addresses', () => {
  expect(expected({ ports: ['53:53/udp', '53:53/tcp', '127.0.0.1:80:80', '127.0.0.2:80:80'] })).toEqual([]);
});

test.each([
  ['/etc:/etc', 'a path under /opt/app'],
  ['/opt/application:/data', 'a path under /opt/app'],
  ['/opt/app/../../etc:/data', "no '.' or '..' part"],
  ['/opt/app/./x:/data', "no '.' or '..' part"],
  ['opt/app:/data', 'a path under /opt/app'],
  ['/var/run/docker.sock:/var/run/docker.sock', 'no Docker socket'],
  ['/opt/app:data', 'a path in the container'],
  ['/opt/app:/data/..', 'a path in the container'],
  ['/opt/app:/$HOME', 'a path in the container'],
  ['/opt/app:/data:rw,z', 'a volume such as'],
  ['/opt/app', 'a volume such as'],
  ['named', 'a volume such as'],
  [{}, 'a volume such as'],
])('the volume %p is refused', (volume, words) => {
  expect(expected({ volumes: [volume] })).toEqual([expect.stringContaining(words)]);
});

test.each(['privileged', 'network_mode', 'pid', 'cap_add', 'devices', 'constructor'])(
  '%s is no field',
  (field) => {
    expect(problems({ ...web, [field]: true })).toEqual([
      {
        path: `containers[0].${field}`,
        value: true,
        expected: expect.stringContaining('no such field here') as string,
      },
    ]);
  },
);

test('variables have plain names and text values, and a wrong value is not shown', () => {
  expect(
    problems({ ...web, environment: { 'A=B': 'x', '1A': 'x', PORT: 80, NUL: 'secret\0', HALF: '\ud800' } }),
  ).toEqual([
    {
      path: 'containers[0].environment',
      value: 'A=B',
      expected: expect.stringContaining('names of letters') as string,
    },
    {
      path: 'containers[0].environment',
      value: '1A',
      expected: expect.stringContaining('names of letters') as string,
    },
    {
      path: 'containers[0].environment.PORT',
      value: '(a number, not shown)',
      expected: expect.stringContaining('text') as string,
    },
    {
      path: 'containers[0].environment.NUL',
      value: '(a string, not shown)',
      expected: expect.stringContaining('NUL') as string,
    },
    {
      path: 'containers[0].environment.HALF',
      value: '(a string, not shown)',
      expected: expect.stringContaining('NUL') as string,
    },
  ]);
});

test.each([
  [{ restart: 'sometimes' }, 'one of no, always, on-failure, unless-stopped'],
  [{ restart: null }, 'one of no, always, on-failure, unless-stopped'],
  [{ environment: ['A=b'] }, 'names with their values'],
  [{ ports: '80:80' }, 'a list of ports'],
  [{ command: 'nginx -g' }, 'a list of arguments'],
])('%p is refused', (container, words) => {
  expect(expected(container)).toEqual([words]);
});
