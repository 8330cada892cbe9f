import { ListGrantsCommand, type GrantListEntry } from '@aws-sdk/client-kms';
import { principalArn } from '../authentication/principal';
import type { Ask } from '../mapping/ask';
import { accountIn, parseArn } from '../mapping/arn';
import { isIdentified, type Asker } from './global-context';
import { orNothing } from './moto-clients';
import type { World } from './world';

const ENCRYPTION_CONTEXT = 'kms:EncryptionContext:';

/** A grant lets its grantee use a key, whatever policies leave out (KMS Developer Guide, "Grants in AWS KMS"). */
export async function isGranted({
  asker,
  ask,
  world,
}: {
  asker: Asker;
  ask: Ask;
  world: World;
}): Promise<boolean> {
  const [service, operation = ''] = ask.action.split(':');
  if (service !== 'kms' || !isIdentified(asker) || !/:key\/[^*]+$/.test(ask.resource)) return false;
  const { region = '' } = parseArn(ask.resource) ?? {};
  const place = { account: accountIn(ask.resource, world.account), region };
  const grants = await world.read('kms', place, `grants of ${ask.resource}`, async () => {
    const command = new ListGrantsCommand({ KeyId: ask.resource.split('/').at(-1) ?? '' });
    return (await orNothing(world.client('kms', place).send(command)))?.Grants ?? [];
  });
  const arns = [asker.arn, principalArn(asker)];
  return grants.some(
    (grant) =>
      arns.includes(grant.GranteePrincipal ?? '') &&
      grant.Operations?.some((each) => each === operation) === true &&
      meetsConstraints(grant, ask),
  );
}

function meetsConstraints({ Constraints: constraints }: GrantListEntry, { context }: Ask): boolean {
  const given = Object.entries(context)
    .filter(([key]) => key.startsWith(ENCRYPTION_CONTEXT))
    .map(([key, value]) => [key.slice(ENCRYPTION_CONTEXT.length), value] as const);
  const has = (wanted: Readonly<Record<string, string>>) =>
    Object.entries(wanted).every(([name, value]) =>
      given.some(([key, each]) => key === name && each === value),
    );
  const { EncryptionContextEquals: equals, EncryptionContextSubset: subset } = constraints ?? {};
  if (equals !== undefined && (!has(equals) || Object.keys(equals).length !== given.length)) return false;
  return subset === undefined || has(subset);
}
