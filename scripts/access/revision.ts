import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { $ } from 'zx';
import { synthesizedConfigurations, type Configuration } from '../configurations';
import { OperatorError } from '../errors';
import { REPOSITORY } from '../terraform';
import { unknownRevision, unreadableRevision } from './errors';

/**
 * What a commit's environments are, synthesized in a worktree of its own in a temporary folder, with the packages that
 * are installed here. Nothing is left behind, whether it fails or is told to end.
 *
 * @param revision such as main, HEAD~1 or a commit's id
 * @param repository with its packages installed. @default - this repository
 * @throws OperatorError when there is no such commit, or it can't be synthesized
 */
export async function configurationsAt(revision: string, repository = REPOSITORY): Promise<Configuration[]> {
  const git = $({ cwd: repository, quiet: true, nothrow: true });
  const commit = await git`git rev-parse --verify --quiet --end-of-options ${`${revision}^{commit}`}`;
  if (commit.exitCode !== 0) throw unknownRevision(revision);

  const folder = mkdtempSync(join(tmpdir(), 'slipway-revision-'));
  const worktree = join(folder, 'checkout');
  const remove = () => {
    spawnSync('git', ['worktree', 'remove', '--force', worktree], { cwd: repository });
    rmSync(folder, { recursive: true, force: true });
  };
  const end = (signal: NodeJS.Signals) => {
    remove();
    process.exit(signal === 'SIGINT' ? 130 : 143);
  };
  const signals = ['SIGINT', 'SIGTERM'] as const;
  for (const signal of signals) process.once(signal, end);
  try {
    const added = await git`git worktree add --detach ${worktree} ${commit.stdout.trim()}`;
    if (added.exitCode !== 0) throw unreadableRevision(revision, added.stderr.trim());
    if (!existsSync(join(worktree, 'stacks', 'run.cjs')))
      throw unreadableRevision(revision, 'it has no stacks/run.cjs, which synthesizes. Name a later commit.');
    linkPackages(repository, worktree);
    return await synthesizedConfigurations(worktree);
  } catch (error) {
    throw error instanceof OperatorError && !error.message.includes(revision)
      ? unreadableRevision(revision, error.message)
      : error;
  } finally {
    for (const signal of signals) process.off(signal, end);
    remove();
  }
}

/** Links each package that is installed here; ours are the worktree's own, and so is the cache. */
function linkPackages(repository: string, worktree: string): void {
  const [here, there] = [repository, worktree].map((folder) => join(folder, 'node_modules')) as [
    string,
    string,
  ];
  mkdirSync(join(there, '@slipway'), { recursive: true });
  for (const name of readdirSync(here))
    if (name !== '@slipway' && name !== '.cache') symlinkSync(join(here, name), join(there, name));
  for (const name of readdirSync(join(here, '@slipway')))
    symlinkSync(join(worktree, name), join(there, '@slipway', name));
}
