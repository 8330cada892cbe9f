import { startLocalAws } from '../src';
import { CASES } from './cases';
import type { Case } from './cases/case';
import { runCase } from './cases/run-case';
import { ACCOUNT, makeWorld, OTHER_ACCOUNT, REGION, type World } from './cases/world';

jest.setTimeout(120_000);

/** Denied cases of a service that are tried with a hole, from all over its table: the whole of it takes minutes. */
const SAMPLE = Number(process.env.HOLES_SAMPLE ?? 8);

const denied = new Map<string, Case[]>();
for (const one of CASES.filter((each) => each.expect === 'denied' && each.notByPolicy !== true))
  denied.set(one.service, [...(denied.get(one.service) ?? []), one]);

let world: World;
beforeAll(async () => {
  const aws = await startLocalAws({ account: ACCOUNT, otherAccounts: [OTHER_ACCOUNT], region: REGION });
  world = await makeWorld(aws);
});
afterAll(() => world.aws.stop());

test.concurrent.each(CASES)('$service: $name', async (one) => {
  const { result, message } = await runCase(one, world);
  expect({ result, message }).toMatchObject({ result: one.expect });
  expect(message).not.toContain("The local AWS can't tell");
  if (one.says) expect(message).toMatch(one.says);
});

// After all others: a hole stays open.
test.each([...denied])('a hole in %s is noticed by its cases', async (service, cases) => {
  await world.aws.openServices(service);
  const step = Math.max(1, Math.floor(cases.length / SAMPLE));
  const tried = cases.filter((_case, index) => index % step === 0);
  const stillDenied: string[] = [];
  for (const one of tried) {
    const { result } = await runCase({ ...one, beyondMoto: true }, world);
    if (result === 'denied') stillDenied.push(one.name);
  }
  expect(stillDenied).toEqual([]);
});
