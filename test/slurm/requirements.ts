import { spawnSync } from 'node:child_process';

const PROGRAMS = ['munged', 'slurmctld', 'slurmd', 'sbatch', 'scontrol', 'unshare', 'setpriv'];

/** Why a cluster can't run on this machine; undefined where it can. */
export function missingForSlurm(): string | undefined {
  if (process.platform !== 'linux') return 'SLURM runs on Linux';
  if (process.getuid?.() !== 0) return 'SLURM starts jobs of other users as root alone';
  const missing = PROGRAMS.filter((name) => spawnSync('which', [name]).status !== 0);
  if (missing.length > 0) return `not installed: ${missing.join(', ')} (Debian: slurm-wlm, munge)`;
  // A container may hold them back.
  const node = spawnSync('unshare', ['--mount', '--pid', '--fork', '--mount-proc', 'true']);
  return node.status === 0 ? undefined : 'mount and process namespaces are not permitted';
}
