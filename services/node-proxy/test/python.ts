import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { findMoto } from '@slipway/local-aws';

const run = promisify(execFile);

/**
 * A Python that has boto3: the one on PATH, or the one that runs moto, which needs it.
 *
 * @returns the command and its first arguments
 * @throws when none has it
 */
export async function pythonWithBoto3(): Promise<[string, ...string[]]> {
  const { command, args } = await findMoto();
  const candidates: [string, ...string[]][] = [
    ['python3'],
    // A virtual environment's python, which runs moto as a module; or uv, which runs programs by name.
    args[0] === '-m' ? [command] : [command, ...args.slice(0, -1), 'python'],
  ];
  for (const [python, ...first] of candidates)
    if (await run(python, [...first, '-c', 'import boto3']).catch(() => undefined)) return [python, ...first];
  throw new Error('No Python here has boto3; "pip install boto3" brings it.');
}
