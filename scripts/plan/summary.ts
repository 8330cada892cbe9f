import { createHash } from 'node:crypto';
import { UNKNOWN, type Difference } from './differences';
import { isEmpty, type Change, type PlanChanges, type Remark } from './plan-changes';

/** What decides who may do what. */
const ACCESS = /^aws_iam_|^aws_kms_(key|key_policy|grant)$|_policy$|_public_access_block$|security_group/;

export interface SummaryOptions {
  /** What is planned: an environment or a file. */
  title: string;
  /** The environment, if it is one: for the command that tells what access is gained. */
  environment?: string;
  /** Only what was changed outside of Terraform. @default false */
  drift?: boolean;
}

/** What a person reads of a plan, from the top, for any medium. Holds nothing that is secret. */
export interface Summary {
  headline: string;
  /** What must not be overlooked. */
  warning?: string;
  remarks: Remark[];
  sections: Section[];
}

export interface Section {
  title: string;
  /** What its items are called when some are left out. */
  noun: string;
  /** Whether no limit may leave out the names of its items. */
  isLoud: boolean;
  items: Item[];
}

export interface Item {
  /** @default - only differences */
  name?: string;
  remarks: Remark[];
  differences: Difference[];
  /** Paths of what is only known after apply, where that isn't worth a line each. */
  unknown: string[];
}

/** Says what a plan does, destroys first; or, with `drift`, what was changed behind Terraform's back. */
export function summarize(
  changes: PlanChanges,
  { title, environment, drift = false }: SummaryOptions,
): Summary {
  if (drift) return driftSummary(changes, title);
  if (isEmpty(changes)) return { headline: `${title}: no changes.`, remarks: [], sections: [] };
  const { destroyed, replaced, changed, added, forgotten, outputs, drifted } = changes;
  const warning = endOf(destroyed.length, replaced.length);
  return {
    headline: `${title}: ${counts(changes) || 'only outputs change'}`,
    ...(warning !== undefined && { warning }),
    remarks: [
      ...(drifted.length > 0
        ? [
            {
              words: 'Changed outside of Terraform, and put back by this plan:',
              names: drifted.map(({ address }) => address),
            },
          ]
        : []),
      ...accessRemark([...destroyed, ...replaced, ...changed, ...added], environment),
    ],
    sections: [
      { title: 'Destroyed', noun: 'destroyed', isLoud: true, items: destroyed.map(item) },
      { title: 'Replaced', noun: 'replaced', isLoud: true, items: replaced.map(replacedItem) },
      { title: 'Changed', noun: 'changed', isLoud: false, items: changed.map(item) },
      { title: 'Added', noun: 'types added', isLoud: false, items: byType(added) },
      {
        title: 'Out of the state, left alone in AWS',
        noun: 'forgotten',
        isLoud: false,
        items: forgotten.map(item),
      },
      {
        title: 'Outputs',
        noun: 'list of outputs',
        isLoud: false,
        items: outputs.length > 0 ? [{ remarks: [], differences: outputs, unknown: [] }] : [],
      },
    ].filter(({ items }) => items.length > 0),
  };
}

/** What tells one plan from another: the same for the same changes, secrets left aside. */
export function fingerprint(summary: Summary): string {
  return createHash('sha256').update(JSON.stringify(summary)).digest('hex').slice(0, 16);
}

function driftSummary({ drifted, ...planned }: PlanChanges, title: string): Summary {
  const addresses = new Set(drifted.map(({ address }) => address));
  const others = [planned.destroyed, planned.replaced, planned.changed, planned.added, planned.forgotten]
    .flat()
    .filter(({ address }) => !addresses.has(address)).length;
  return {
    headline:
      drifted.length === 0
        ? `${title}: AWS is as it was deployed.`
        : `${title}: ${resourcesAre(drifted.length)} changed or gone, and not by Terraform`,
    remarks: others > 0 ? [{ words: `${others} more would change, by the sources: not deployed yet.` }] : [],
    sections: [
      { title: 'As deployed → as it is in AWS', noun: 'drifted', isLoud: false, items: drifted.map(item) },
    ].filter(({ items }) => items.length > 0),
  };
}

function counts({ destroyed, replaced, changed, added, forgotten }: PlanChanges): string {
  const all = { destroy: destroyed, replace: replaced, change: changed, add: added, forget: forgotten };
  return Object.entries(all)
    .flatMap(([verb, { length }]) => (length > 0 ? [`${length} to ${verb}`] : []))
    .join(', ');
}

function endOf(destroyed: number, replaced: number): string | undefined {
  const parts = [
    ...(destroyed > 0 ? [`${resourcesAre(destroyed)} destroyed`] : []),
    ...(replaced === 1 ? ['1 resource is replaced, which destroys it and makes another'] : []),
    ...(replaced > 1 ? [`${replaced} resources are replaced, which destroys them and makes others`] : []),
  ];
  return parts.length > 0 ? `${parts.join('; ')}.` : undefined;
}

function accessRemark(changes: Change[], environment = 'ENV'): Remark[] {
  const count = changes.filter(({ type }) => ACCESS.test(type)).length;
  if (count === 0) return [];
  return [
    {
      words: `${count === 1 ? 'One of these decides' : `${count} of these decide`} who may do what; the access report says what is gained:`,
      names: [`npm run access -- ${environment} --since REVISION`],
    },
  ];
}

function item({ address, remarks, differences }: Change): Item {
  const forcing = differences.filter(({ forcesReplacement }) => forcesReplacement).map(({ path }) => path);
  return {
    name: address,
    remarks: [
      ...(forcing.length > 0 ? [{ words: 'forced by', names: [...new Set(forcing)] }] : []),
      ...remarks,
    ],
    differences,
    unknown: [],
  };
}

/** A new resource has much that nobody knows yet; what forces it stays a line of its own. */
function replacedItem(change: Change): Item {
  const isNews = ({ after, forcesReplacement }: Difference) => after !== UNKNOWN || forcesReplacement;
  const { differences, ...rest } = item(change);
  return {
    ...rest,
    differences: differences.filter(isNews),
    unknown: differences.filter((each) => !isNews(each)).map(({ path }) => path),
  };
}

function byType(added: Change[]): Item[] {
  const types = [...new Set(added.map(({ type }) => type))].sort();
  return types.map((type) => {
    const addresses = added.filter((each) => each.type === type).map(({ address }) => address);
    const names = addresses.map((each) => (each.startsWith(`${type}.`) ? each.slice(type.length + 1) : each));
    return { name: type, remarks: [{ words: `${names.length}:`, names }], differences: [], unknown: [] };
  });
}

const resourcesAre = (count: number) => (count === 1 ? '1 resource is' : `${count} resources are`);
