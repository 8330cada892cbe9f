import { readdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { findProviderMirror, TERRAFORM_1_11_4 } from '@slipway/local-aws';
import { which } from 'zx';
import { awsProviderVersion } from '../../stacks/provider-version';
import { inTime, PATIENCE_MS, type Finding } from './finding';
import { ask, program } from './programs';

const REGISTRY = 'https://registry.terraform.io/.well-known/terraform.json';

/** On PATH; else in local-aws's cache, or where it would download it from. */
export async function terraform(): Promise<Finding> {
  const installed = await program('terraform')();
  if (installed.state !== 'missing') return installed;
  const { version, url } = TERRAFORM_1_11_4;
  if (await isCached(`terraform-${version}-`))
    return { ...installed, state: 'fetched', text: `${installed.text}; ${version} is in the cache` };
  const release = await reach(`${url}/`);
  return 'by' in release
    ? {
        ...installed,
        state: 'fetched',
        text: `${installed.text}; the demo fetches ${version} from ${release.by}`,
      }
    : { ...installed, text: `${installed.text}; ${release.problem}` };
}

/** From a mirror on this machine, or from the registry. */
export async function awsProvider(): Promise<Finding> {
  const version = awsProviderVersion();
  const remedy = 'fill a folder with "terraform providers mirror" and set SLIPWAY_PROVIDER_MIRROR to it';
  try {
    const mirror = await inTime(findProviderMirror(version));
    if (mirror !== undefined) return { state: 'found', text: `${version}, ${mirror}` };
  } catch (error) {
    return { state: 'missing', text: (error as Error).message, remedy };
  }
  const registry = await reach(REGISTRY);
  return 'by' in registry
    ? { state: 'found', text: `${version}, ${registry.by}` }
    : { state: 'missing', text: `no mirror, and ${registry.problem}`, remedy };
}

/** What can fetch moto, and how it shows that it works. */
const FETCHERS: Record<string, string[]> = {
  uv: ['--version'],
  pipx: ['--version'],
  python3: ['-c', 'import venv, ensurepip'],
};

/** As local-aws looks for it: what is installed, then what can fetch it. */
export async function moto(): Promise<Finding> {
  const server = await which('moto_server', { nothrow: true });
  if (server) {
    const { failed, late } = await ask(server, ['-h']);
    if (failed === undefined || late) return { state: 'found', text: server };
  }
  const fetchers = await Promise.all(
    Object.entries(FETCHERS).map(async ([name, args]) => {
      const path = await which(name, { nothrow: true });
      return path && (await ask(path, args)).failed === undefined ? [name] : [];
    }),
  );
  const [fetcher] = fetchers.flat();
  if (fetcher !== undefined)
    return { state: 'fetched', text: `not installed; the demo fetches it with ${fetcher}` };
  return {
    state: 'missing',
    text: 'no moto_server, and no uv, pipx or python3 with venv to fetch it',
    remedy: process.platform === 'darwin' ? 'brew install uv' : 'apt install python3 python3-venv',
  };
}

async function isCached(start: string): Promise<boolean> {
  const configured = process.env.XDG_CACHE_HOME ?? '';
  const cache = isAbsolute(configured) ? configured : join(homedir(), '.cache');
  const folders = await readdir(join(cache, 'slipway')).catch(() => []);
  return folders.some((folder) => folder.startsWith(start) && !folder.includes('.partial-'));
}

type Reach = { by: string } | { problem: string };

/** Whether a server answers, whatever it answers. Node asks past the proxy that Terraform would use. */
async function reach(url: string): Promise<Reach> {
  const { host } = new URL(url);
  if (process.env.HTTPS_PROXY ?? process.env.https_proxy) return { by: `${host} (by the proxy; not tried)` };
  try {
    await fetch(url, { method: 'HEAD', signal: AbortSignal.timeout(PATIENCE_MS) });
    return { by: host };
  } catch {
    return { problem: `${host} can't be reached` };
  }
}
