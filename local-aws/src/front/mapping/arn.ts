/** The parts of `arn:partition:service:region:account:resource`. */
export interface ArnParts {
  readonly partition: string;
  readonly service: string;
  readonly region: string;
  readonly account: string;
  readonly resource: string;
}

/** @returns undefined when it is no ARN */
export function parseArn(text: string): ArnParts | undefined {
  const [arn, partition = '', service = '', region = '', account = '', ...resource] = text.split(':');
  if (arn !== 'arn' || resource.length === 0) return undefined;
  return { partition, service, region, account, resource: resource.join(':') };
}

/** The account in an ARN; some have none. */
export function accountIn(arn: string, otherwise: string): string {
  const account = parseArn(arn)?.account ?? '';
  return account === '' ? otherwise : account;
}

/** Names of the variables of a template such as `arn:${Partition}:ssm:${Region}:${Account}:parameter/${Name}`. */
export function templateVariables(template: string): string[] {
  return [...template.matchAll(/\$\{(\w+)\}/g)]
    .map(([, name = '']) => name)
    .filter((name) => !GIVEN.has(name));
}

const GIVEN = new Set(['Partition', 'Region', 'Account']);

export function fillTemplate(template: string, values: Readonly<Record<string, string>>): string {
  return template.replaceAll(/\$\{(\w+)\}/g, (_whole, name: string) => values[name] ?? '*');
}

/** Whether an ARN is one of a template's kind, by all that comes before its first variable of the resource. */
export function isOfTemplate(arn: string, template: string): boolean {
  const [given, wanted] = [parseArn(arn), parseArn(template)];
  if (wanted === undefined || given?.service !== wanted.service) return false;
  return given.resource.startsWith(wanted.resource.split('${')[0] ?? '');
}
