import { startLocalAws } from '../src';
import type { Case } from './cases/case';
import { ec2 } from './cases/ec2';
import { evaluation } from './cases/evaluation';
import { iam } from './cases/iam';
import { kms } from './cases/kms';
import { runCase } from './cases/run-case';
import { s3 } from './cases/s3';
import { services } from './cases/services';
import { ssm } from './cases/ssm';
import { sts } from './cases/sts';
import { ACCOUNT, makeWorld, OTHER_ACCOUNT, REGION, type World } from './cases/world';

jest.setTimeout(60_000);

const CASES: Case[] = [...evaluation, ...iam, ...sts, ...s3, ...kms, ...ssm, ...ec2, ...services];

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
