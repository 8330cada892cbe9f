import { startLocalAws } from '../src';
import { CASES } from './cases';
import { runCase } from './cases/run-case';
import { ACCOUNT, makeWorld, OTHER_ACCOUNT, REGION, type World } from './cases/world';

jest.setTimeout(60_000);

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
