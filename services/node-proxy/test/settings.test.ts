import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { contents, readSettings } from '../src/settings';

const folder = mkdtempSync(join(tmpdir(), 'slipway-settings-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

function file(text: string): string {
  const name = join(folder, 'proxy.conf');
  writeFileSync(name, text);
  return name;
}

test('the defaults are those of the first users', () => {
  expect(readSettings(['--hostname', 'abc.example'], {})).toEqual({
    hostname: 'https://abc.example',
    stage: undefined,
    port: 9999,
    ipv6: false,
    cache_mode: 'store',
    max_queue_size: 1_000_000,
    recheck_seconds: 5,
    bind_uid: false,
    ca: undefined,
    log_level: 'info',
  });
});

test.each([
  ['abc.example', 'https://abc.example'],
  ['abc.example:8443', 'https://abc.example:8443'],
  ['https://abc.example/', 'https://abc.example'],
  ['http://127.0.0.1:8080', 'http://127.0.0.1:8080'],
  ['http://localhost:8080', 'http://localhost:8080'],
  ['http://[::1]:8080', 'http://[::1]:8080'],
])('--hostname %s leads to %s', (given, origin) => {
  expect(readSettings(['--hostname', given], {})?.hostname).toBe(origin);
});

test.each([
  'abc.example/dev',
  'https://abc.example/dev',
  'https://abc.example?a=b',
  'https://abc.example#a',
  'https://user:pass@abc.example',
  'user:pass@abc.example',
  'http://abc.example',
  'http://127.0.0.1.evil.example',
  'http://0.0.0.0:80',
  'ftp://abc.example',
  'abc example',
  '//abc.example',
  'abc.example\\@evil.example',
])('--hostname %s leads nowhere', (given) => {
  const refused = () => readSettings(['--hostname', given], {});
  expect(refused).toThrow(/--hostname is wrong \(the host alone, .*http:\/\/ only on this machine\)/);
  expect(refused).not.toThrow('pass@');
});

test('a flag goes before a variable, and that before the file', () => {
  const config = file(
    '# The API\nSLIPWAY_PROXY_HOSTNAME=a.example\n\n SLIPWAY_PROXY_PORT=1 \nSLIPWAY_PROXY_BIND_UID=true\nSLIPWAY_PROXY_IPV6=\n',
  );
  const env = { SLIPWAY_PROXY_PORT: '2', SLIPWAY_PROXY_MAX_QUEUE_SIZE: '2', SLIPWAY_PROXY_CA: '' };
  expect(readSettings(['--config', config, '--max_queue_size=3', '--ipv6'], env)).toMatchObject({
    hostname: 'https://a.example',
    port: 2,
    max_queue_size: 3,
    bind_uid: true,
    ipv6: true,
    ca: undefined,
  });
});

test.each([
  [[], /--hostname is not given/],
  [['--hostname=a', '--port=70000', '--cache_mode=both'], /--port is wrong.*--cache_mode is wrong/],
  [['--hostname=a', '--stage=../x'], /--stage is wrong/],
  [['--hostname=a', '--max_queue_size=0'], /--max_queue_size is wrong/],
  [['--hostname=a', '--recheck_seconds=-1'], /--recheck_seconds is wrong/],
  [['--hostnam=a'], /Unknown option '--hostnam'/],
  [['--hostname'], /'--hostname <value>' argument missing/],
  [['a.example'], /Unexpected argument 'a.example'/],
  [['--config', '/nonexistent'], /nonexistent of --config can't be read \(ENOENT\)/],
])('%j is refused', (args, message) => {
  expect(() => readSettings(args, {})).toThrow(message);
});

test.each(['SLIPWAY_PROXY_HOST=a', 'HOSTNAME=a', 'SLIPWAY_PROXY_PORT', '--port=1'])(
  'a line %j in the file is named',
  (line) => {
    const config = file(`SLIPWAY_PROXY_HOSTNAME=a.example\n${line}\n`);
    expect(() => readSettings(['--config', config], {})).toThrow(
      /line 2 of .*proxy\.conf is not SLIPWAY_PROXY_NAME/,
    );
  },
);

test('certificates that are not there are named with their flag', () => {
  expect(() => contents('/nonexistent.pem', '--ca')).toThrow(
    "/nonexistent.pem of --ca can't be read (ENOENT)",
  );
});

test('--help asks for nothing else', () => {
  expect(readSettings(['--help'], {})).toBeUndefined();
});
