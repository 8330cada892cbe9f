import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { findMoto } from '../src';

/** uv, pipx and pip need the network, so scripts stand in for them here. */
let folder: string;
const { PATH, XDG_CACHE_HOME } = process.env;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'find-moto-'));
  process.env.PATH = folder;
  process.env.XDG_CACHE_HOME = path.join(folder, 'cache');
});

afterEach(() => {
  rmSync(folder, { recursive: true });
  process.env.PATH = PATH;
  if (XDG_CACHE_HOME === undefined) delete process.env.XDG_CACHE_HOME;
  else process.env.XDG_CACHE_HOME = XDG_CACHE_HOME;
});

const onPath = (name: string, ...script: string[]) => {
  writeFileSync(path.join(folder, name), ['#!/bin/sh', ...script, ''].join('\n'), { mode: 0o755 });
};
const cache = () => readdirSync(path.join(folder, 'cache', 'slipway'));

test('the moto_server on PATH is taken', async () => {
  process.env.PATH = PATH;

  const { command, args } = await findMoto();

  expect([path.basename(command), args]).toEqual(['moto_server', []]);
});

test('a moto_server that is on PATH but does not work counts as missing: uv fetches it', async () => {
  onPath('moto_server', 'echo "pyenv: moto_server: command not found" >&2', 'exit 127');
  onPath('uv', `echo "$@" > ${folder}/asked`);
  const progress: string[] = [];

  expect(await findMoto((text) => progress.push(text))).toEqual({
    command: path.join(folder, 'uv'),
    args: ['tool', 'run', '--from', 'moto[server]==5.2.1', 'moto_server'],
  });
  expect(readFileSync(path.join(folder, 'asked'), 'utf8')).toBe(
    'tool run --from moto[server]==5.2.1 moto_server -h\n',
  );
  expect(progress).toEqual(['Fetching moto[server]==5.2.1 with uv (only the first time takes long)']);
});

test('without uv, pipx fetches it', async () => {
  onPath('pipx');

  expect(await findMoto()).toEqual({
    command: path.join(folder, 'pipx'),
    args: ['run', '--spec', 'moto[server]==5.2.1', 'moto_server'],
  });
});

test('without both, it is installed once into a virtual environment in the cache', async () => {
  const venv = '/bin/mkdir -p "$3/bin"; /bin/cp "$0" "$3/bin/python"';
  onPath('python3', `echo "$@" >> ${folder}/asked`, `if [ "$2" = venv ]; then ${venv}; fi`);

  const first = await findMoto();
  const second = await findMoto();

  const python = path.join(folder, 'cache', 'slipway', 'moto-5.2.1', 'bin', 'python');
  expect(first).toEqual({ command: python, args: ['-m', 'moto.server'] });
  expect(second).toEqual(first);
  expect(cache()).toEqual(['moto-5.2.1']);
  expect(readFileSync(path.join(folder, 'asked'), 'utf8').match(/pip install/g)).toHaveLength(1);
});

test('an installation that breaks off leaves nothing that could be taken for a whole one', async () => {
  const venv = '/bin/mkdir -p "$3/bin"; /bin/cp "$0" "$3/bin/python"';
  onPath('python3', `if [ "$2" = venv ]; then ${venv}; else echo "no network" >&2; exit 1; fi`);

  await expect(findMoto()).rejects.toThrow('python3: no network');
  expect(cache()).toEqual([]);
});

test('with nothing to be had, one sentence says what to do', async () => {
  await expect(findMoto()).rejects.toThrow(
    /^No moto server could be had on this machine \(moto_server: not on PATH; uv: not on PATH; pipx: not on PATH; python3: not on PATH\): install it with "pip install 'moto\[server\]==5\.2\.1'", or install uv, which fetches it by itself, and run this again\.$/,
  );
});
