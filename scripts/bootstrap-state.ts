import { parseArgs } from 'node:util';
import { optionsFromMachine } from '../stacks/app';
import { environmentNamed } from './environment-named';
import { badArguments, runScript } from './errors';
import { bootstrapState } from './state/bootstrap-state';
import { step, table } from './steps';
import { stackFolder } from './terraform';

const HELP = `Makes the S3 bucket of an environment's Terraform state and the environment's workspace in it, or mends them.

Usage: npm run bootstrap-state -- ENV [--move]

  ENV      environment whose file says state: { backend: 's3', bucket: … }
  --move   bring the state of this machine (terraform.tfstate.d/ENV, or SLIPWAY_STATE_DIR) into the bucket
  --help   this text

It may run any number of times, and never replaces a state. It takes an administrator's credentials of the
environment's own account.`;

process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true';

void runScript(async () => {
  const { name, move, help } = argumentsOf(process.argv.slice(2));
  if (help) {
    console.log(HELP);
    return;
  }
  const { stateFolder, customEndpoint } = optionsFromMachine();
  const outcomes = await bootstrapState(environmentNamed(name), {
    stateFolder,
    move,
    aws: { forcePathStyle: customEndpoint },
    stackFolder: stackFolder(name, process.env),
    step,
  });
  console.log(`\n${table(outcomes)}\n\nNext: npx cdktf diff ${name}`);
});

function argumentsOf(args: string[]) {
  try {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: { move: { type: 'boolean', default: false }, help: { type: 'boolean', default: false } },
    });
    const [name = '', ...more] = positionals;
    if (!values.help && (name === '' || more.length > 0))
      throw new Error(`Expected one environment, got ${positionals.join(' ') || 'none'}`);
    return { ...values, name };
  } catch (error) {
    throw badArguments(error, HELP);
  }
}
