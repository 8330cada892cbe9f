import { dnsSuffix, iamArn } from '@slipway/constructs';
import { names } from '../../stacks/names';
import { environmentNamed } from '../environment-named';
import { OperatorError, runScript } from '../errors';
import { localState } from './errors';

const HELP = `Says what a GitHub workflow needs of an environment, as NAME=VALUE lines for GITHUB_OUTPUT.

Usage: npx tsx scripts/plan/pipeline-settings.ts ENV deploy|push

  deploy   account, region and role of a deploy or a plan; fails where the state is local
  push     account, region and role to push images with, and each image as image_NAME`;

/** So that account ids, regions and names stand in environments/ alone. */
void runScript(async () => {
  const [name = '', purpose = '', ...more] = process.argv.slice(2);
  if (name === '--help') {
    console.log(HELP);
    return;
  }
  if (!['deploy', 'push'].includes(purpose) || more.length > 0)
    throw new OperatorError(`Expected an environment, and deploy or push.\n\n${HELP}`);
  const environment = environmentNamed(name);
  if (purpose === 'deploy' && environment.state.backend === 'local') throw localState(name);
  const { account, region, repositories } = environment;
  const { deployRole, pushRole, repository } = names(environment);
  const registry = `${account}.dkr.ecr.${region}.${dnsSuffix({ region })}`;
  const settings = {
    account,
    region,
    role: iamArn({ account, region }, `role/${purpose === 'deploy' ? deployRole : pushRole}`),
    ...(purpose === 'push' &&
      Object.fromEntries(
        repositories.names.map((each) => [`image_${each}`, `${registry}/${repository(each)}`]),
      )),
  };
  for (const [key, value] of Object.entries(settings)) console.log(`${key}=${value}`);
  await Promise.resolve();
});
