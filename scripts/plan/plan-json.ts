import { z } from 'zod';
import { unfinishedPlan, unreadablePlan } from './errors';

const change = z.object({
  actions: z.array(z.string()),
  before: z.unknown().optional(),
  after: z.unknown().optional(),
  after_unknown: z.unknown().optional(),
  before_sensitive: z.unknown().optional(),
  after_sensitive: z.unknown().optional(),
  replace_paths: z.array(z.array(z.union([z.string(), z.number()]))).default([]),
  importing: z.unknown().optional(),
});

const resourceChange = z.object({
  address: z.string(),
  previous_address: z.string().optional(),
  mode: z.string(),
  type: z.string(),
  deposed: z.string().optional(),
  action_reason: z.string().optional(),
  change,
});

const rootModule = z.object({
  variables: z.record(z.string(), z.object({ sensitive: z.boolean().default(false) })).default({}),
});

const planShape = z.object({
  format_version: z.string().startsWith('1.'),
  errored: z.boolean().default(false),
  variables: z.record(z.string(), z.object({ value: z.unknown().optional() })).default({}),
  resource_changes: z.array(resourceChange).default([]),
  /** What AWS has and the state has not, or the other way round. */
  resource_drift: z.array(resourceChange).default([]),
  output_changes: z.record(z.string(), change).default({}),
  configuration: z.object({ root_module: rootModule.default({ variables: {} }) }),
});

/** The parts of `terraform show -json PLAN` that a summary needs (Terraform, "JSON Output Format"). */
export type Plan = z.output<typeof planShape>;
export type PlannedChange = z.output<typeof change>;
export type ResourceChange = z.output<typeof resourceChange>;

/**
 * @param text output of `terraform show -json PLAN`
 * @param where it comes from, for errors
 * @throws OperatorError when it is no plan, or one that Terraform did not finish
 */
export function parsePlan(text: string, where: string): Plan {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw unreadablePlan(where, text.startsWith('PK') ? 'it is a plan, but not as JSON' : 'it is no JSON');
  }
  const { data } = planShape.safeParse(json);
  if (!data) throw unreadablePlan(where, 'it is JSON of another kind');
  if (data.errored) throw unfinishedPlan(where);
  return data;
}
