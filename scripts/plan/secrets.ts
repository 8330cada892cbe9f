import type { Plan, PlannedChange } from './plan-json';

/** Characters. A shorter secret stands in too many other texts by chance: it is known only where it stands alone. */
const SHORTEST_PART = 6;

/** Says whether a text holds a secret of the plan. */
export type HoldsSecret = (text: string) => boolean;

/**
 * Knows every value that the plan marks as sensitive, wherever it stands. Terraform's marks alone don't do: a
 * computed attribute that repeats a sensitive argument carries none (terraform_data's `output` is one).
 */
export function secretsOf(plan: Plan): HoldsSecret {
  const changes: PlannedChange[] = [
    ...[...plan.resource_changes, ...plan.resource_drift].map(({ change }) => change),
    ...Object.values(plan.output_changes),
  ];
  const variables = plan.configuration.root_module.variables;
  const values = [
    ...changes.flatMap((change) => [
      ...marked(change.before, change.before_sensitive),
      ...marked(change.after, change.after_sensitive),
    ]),
    ...Object.entries(plan.variables).flatMap(([name, { value }]) =>
      variables[name]?.sensitive ? texts(value) : [],
    ),
  ];
  const secrets = new Set(values);
  // As it is, and as it stands inside JSON.
  const parts = [...secrets].flatMap((secret) => {
    const json = JSON.stringify(secret);
    return secret.length < SHORTEST_PART ? [json] : [secret, json.slice(1, -1)];
  });
  return (text) => secrets.has(text) || parts.some((part) => text.includes(part));
}

/** Whether Terraform marks any part of a value: `true`, or the value's own shape with `true` in it. */
export function isMarked(marks: unknown): boolean {
  return marks === true || (isTree(marks) && Object.values(marks).some(isMarked));
}

/** What stands at a key of a value or of its marks; `true` marks all that is below. */
export function at(tree: unknown, key: string | number): unknown {
  return tree === true ? true : isTree(tree) ? tree[key] : undefined;
}

function marked(value: unknown, marks: unknown): string[] {
  if (marks === true) return texts(value);
  return isTree(value) && isTree(marks)
    ? Object.keys(value).flatMap((key) => marked(value[key], marks[key]))
    : [];
}

function texts(value: unknown): string[] {
  if (isTree(value)) return Object.values(value).flatMap(texts);
  return typeof value === 'string' || typeof value === 'number' ? [String(value)] : [];
}

function isTree(value: unknown): value is Record<string | number, unknown> {
  return typeof value === 'object' && value !== null;
}
