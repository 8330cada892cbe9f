import { spawnSync } from 'node:child_process';

/** A Python that has boto3: the user's own, or the system's, for which Debian has the package python3-boto3. */
export function pythonWithBoto3(): string {
  const found = ['python3', '/usr/bin/python3'].find(
    (python) => spawnSync(python, ['-c', 'import boto3']).status === 0,
  );
  if (found === undefined) throw new Error('No python3 here has boto3: install it (Debian: python3-boto3).');
  return found;
}
