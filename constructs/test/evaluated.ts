import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { mapTexts } from './planted';
import type { Configuration } from './synthesized';

/** What Terraform makes of values, in one run without any provider; of what it can't evaluate, its refusal. */
export function evaluated(terraform: string, values: Record<string, unknown>): Record<string, unknown> {
  const folder = mkdtempSync(join(tmpdir(), 'slipway-literal-'));
  try {
    const names = Object.keys(values);
    const output = Object.fromEntries(
      names.map((name, index) => [`value${index}`, { value: values[name], sensitive: true }]),
    );
    writeFileSync(join(folder, 'main.tf.json'), JSON.stringify({ output }, null, 1));
    // The guard lets an environment into its own workspace only.
    mkdirSync(join(folder, 'terraform.tfstate.d', 'dev'), { recursive: true });
    const { PATH, HOME, GOGC } = process.env;
    const { status, stderr } = spawnSync(terraform, ['apply', '-auto-approve', '-no-color'], {
      cwd: folder,
      env: { PATH, HOME, GOGC, CHECKPOINT_DISABLE: '1', TF_WORKSPACE: 'dev' },
      encoding: 'utf8',
      maxBuffer: 64 * 1024 * 1024,
    });
    if (status !== 0) {
      const refused = names.filter((_, index) => stderr.includes(`output.value${index}.`));
      if (refused.length === 0) throw new Error(`Terraform could not evaluate anything:\n${stderr}`);
      const others = Object.fromEntries(
        names.filter((name) => !refused.includes(name)).map((name) => [name, values[name]]),
      );
      const refusal = 'Terraform refuses what was synthesized.';
      return {
        ...evaluated(terraform, others),
        ...Object.fromEntries(refused.map((name) => [name, refusal])),
      };
    }
    const state = readFileSync(join(folder, 'terraform.tfstate.d', 'dev', 'terraform.tfstate'), 'utf8');
    const { outputs } = JSON.parse(state) as { outputs: Record<string, { value: unknown }> };
    return Object.fromEntries(names.map((name, index) => [name, outputs[`value${index}`]?.value]));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** What refers to a resource, a variable or to itself; Terraform could only evaluate it with a provider. */
export function referencesOf(configuration: Configuration): string[] {
  return [
    ...new Set(JSON.stringify(configuration).match(/\$\{(?:aws_|data\.|ephemeral\.|self\.|var\.)[^}]*\}/g)),
  ].map((reference) => JSON.parse(`"${reference}"`) as string);
}

/** All blocks in which Terraform evaluates, as values. Addresses may hold a planted text, and are looked at apart. */
export function withoutReferences(
  { provider, resource, data, output }: Configuration,
  references: string[],
): unknown {
  const bodies = (blocks: Configuration['resource']) =>
    Object.fromEntries(Object.entries(blocks ?? {}).map(([type, named]) => [type, Object.values(named)]));
  const texts = mapTexts({ provider, resource: bodies(resource), data: bodies(data), output }, (text) =>
    references.reduce((rest, reference) => rest.replaceAll(reference, () => 'a reference'), text),
  );
  return JSON.parse(JSON.stringify(texts, (name, value: unknown) => (name === '//' ? undefined : value)));
}

/** What AWS, cloud-init and Docker Compose read in turn: JSON in texts, files in user data, `$$` in a compose file. */
export function decoded(value: unknown): unknown {
  if (typeof value === 'string') {
    if (value.startsWith('#cloud-config\n')) return decoded(parse(value));
    return /^[[{]/.test(value) ? decoded(JSON.parse(value)) : value;
  }
  if (Array.isArray(value)) return value.map(decoded);
  if (typeof value !== 'object' || value === null) return value;
  if ('encoding' in value && 'content' in value && 'path' in value) {
    const content = Buffer.from(String(value.content), 'base64').toString();
    const isCompose = value.path === '/opt/app/compose.yaml';
    return {
      path: value.path,
      content: isCompose ? mapTexts(parse(content), (text) => text.replaceAll('$$', () => '$')) : content,
    };
  }
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, decoded(inner)]));
}
