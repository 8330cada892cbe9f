import { chmodSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { environmentFiles } from '../../environments';
import { REPOSITORY } from '../terraform';
import { noPlainLabels } from './errors';

/** The labels of an environment's access keys, where its file states them: oldest first. */
export interface LabelList {
  /** Relative to the repository, such as `environments/dev.ts`. */
  file: string;
  labels: string[];
}

/** `accessKeys: [ … ]` of quoted labels and nothing else, so that what is rewritten is understood. */
const LIST = /accessKeys:\s*\[((?:\s*(?:'[a-z0-9-]+'|"[a-z0-9-]+")\s*,?)+)\s*\]/g;

/** @throws OperatorError when the file states them in another form */
export function readLabels(environment: string): LabelList {
  const [file = ''] = Object.entries(environmentFiles).find(([, { name }]) => name === environment) ?? [];
  return { file, labels: labelsIn(file, readFileSync(join(REPOSITORY, file), 'utf8')) };
}

/** Labels that a source states. */
export function labelsIn(file: string, source: string): string[] {
  const [found, ...more] = [...source.matchAll(LIST)];
  if (found === undefined || more.length > 0) throw noPlainLabels(file);
  return [...(found[1] ?? '').matchAll(/[a-z0-9-]+/g)].map(([label]) => label);
}

export interface Edit {
  /** What is to be written. */
  source: string;
  /** The lines that change, as a diff shows them. */
  diff: string;
}

/** The same file with other labels. */
export function withLabels(file: string, source: string, labels: string[]): Edit {
  labelsIn(file, source);
  const edited = source.replace(LIST, `accessKeys: [${labels.map((label) => `'${label}'`).join(', ')}]`);
  const [before, after] = [source.split('\n'), edited.split('\n')];
  const changed = (lines: string[], others: string[], mark: string) =>
    lines.filter((line) => !others.includes(line)).map((line) => `${mark} ${line}`);
  return {
    source: edited,
    diff: [file, ...changed(before, after, '-'), ...changed(after, before, '+')].join('\n'),
  };
}

export function planLabels({ file }: LabelList, labels: string[]): Edit {
  return withLabels(file, readFileSync(join(REPOSITORY, file), 'utf8'), labels);
}

/** Written beside and moved into place, so that a cut-off run leaves a whole file. */
export function writeLabels({ file }: LabelList, { source }: Edit): void {
  const path = join(REPOSITORY, file);
  const { mode } = statSync(path);
  writeFileSync(`${path}.part`, source);
  // Not narrowed by the umask of whoever runs this.
  chmodSync(`${path}.part`, mode);
  renameSync(`${path}.part`, path);
}

/** A label that tells when its key was made: `from-2026-11-24`, or `from-2026-11-24-2` where that one is taken. */
export function newLabel(taken: string[], now = new Date()): string {
  const label = `from-${now.toISOString().slice(0, 10)}`;
  for (let count = 2; ; count += 1) {
    const candidate = count === 2 ? label : `${label}-${count - 1}`;
    if (!taken.includes(candidate)) return candidate;
  }
}
