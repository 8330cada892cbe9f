import { parseArgs } from 'node:util';
import { startLocalAws } from '@slipway/local-aws';
import { chalk } from 'zx';
import { badArguments, OperatorError, runScript } from './errors';
import { LOCAL, startLocalBroker, type LocalBroker } from './local-broker';
import { step } from './steps';

const HELP = `Runs the credentials broker of SLURM jobs here, on Node.

Usage: npm run broker [-- --local [--port N]]

  --local      on an AWS of this machine, with tables, secret and the role of a project "example" made for it;
               prints a curl line for each call. Without it, tables and secret are what SESSIONS_TABLE,
               ROLE_MAPPING_TABLE, HEAD_NODE_SECRET_ID and PUBLIC_URL say, and AWS is the environment's.
  --port N     where --local listens, on 127.0.0.1 (default: a free one)
  --help       this text`;

process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true';

void runScript(async () => {
  const values = argumentsOf(process.argv.slice(2));
  if (values.help) console.log(HELP);
  else if (values.local) await serveLocally(values.port);
  // It reads its variables itself, says what is missing, and ends on a signal.
  else await import('../services/broker/src/main.js');
});

function argumentsOf(args: string[]) {
  try {
    const { values } = parseArgs({
      args,
      options: {
        local: { type: 'boolean', default: false },
        port: { type: 'string' },
        help: { type: 'boolean', default: false },
      },
    });
    const { port } = values;
    if (port !== undefined && !(/^[1-9]\d{0,4}$/.test(port) && Number(port) <= 65_535))
      throw new Error(`--port is ${port}, and a port is a number from 1 to 65535`);
    if (port !== undefined && !values.local)
      throw new Error('Only --local takes --port; otherwise PORT says it');
    return values;
  } catch (error) {
    throw badArguments(error, HELP);
  }
}

async function serveLocally(port: string | undefined): Promise<void> {
  const aws = await step('local AWS', (progress) => startLocalAws({ onProgress: progress }));
  try {
    const broker = await step('tables, secret, the role of project example, and the broker', () =>
      startLocalBroker(aws, { more: port === undefined ? {} : { PORT: port } }),
    );
    console.log(introduction(broker, aws.variables));
    const signalled = new Promise<number>((resolve) => {
      for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
        process.once(signal, () => {
          resolve(signal === 'SIGINT' ? 130 : 0);
        });
    });
    const failed = broker.ended.then(() => {
      throw new OperatorError(
        `The broker has ended by itself:\n\n${broker.log().split('\n').slice(-10).join('\n')}`,
      );
    });
    process.exitCode = await Promise.race([signalled, failed]).finally(broker.stop);
  } finally {
    await aws.stop();
  }
}

function introduction({ url, roleArn }: LocalBroker, variables: Record<string, string>): string {
  const exported = ['AWS_ENDPOINT_URL', 'AWS_REGION', 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'];
  return `
${chalk.bold('The broker is up')} at ${url}. The head node's secret is ${LOCAL.secret} in Secrets Manager. In another shell:

${exported.map((name) => `export ${name}=${variables[name] ?? ''}`).join('\n')}
export AWS_DEFAULT_REGION=$AWS_REGION API=${url}
export SECRET=$(aws --endpoint-url $AWS_ENDPOINT_URL secretsmanager get-secret-value --secret-id ${LOCAL.secret} --query SecretString --output text)
broker() { curl -sS -H @- "$@" <<< "Authorization: $SECRET"; echo; }   # no secret among curl's arguments

${chalk.bold('A job starts')}: what it is given, and its token
JOB=$(broker $API/sessions --json '{"sessionId":"1300","projectId":"example","clusterName":"alpha","clusterUser":"user1","submittedTime":"2026-01-01T00:00:00"}'); echo "$JOB"
TOKEN=$(sed -E 's/.*TOKEN":"([^"]+)".*/\\1/' <<< "$JOB")
${chalk.bold('Its credentials')}
curl -sS -H @- "$API/sessions/1300/cluster/alpha/project/example?roleSessionName=alpha-user1-node1" <<< "Authorization: $TOKEN"; echo
${chalk.bold('It ends')}
broker -X PUT $API/sessions/1300 --json '{"status":"COMPLETED"}'
${chalk.bold('Cut off')} one session, or a user
broker -X DELETE $API/sessions/1300
broker -X DELETE $API/sessions/users/user1
${chalk.bold('See')}
broker "$API/sessions?user=user1"
broker $API/projects
broker $API/projects/example/role
curl -sS $API/health; echo
${chalk.bold('Map a project')} to its role, once the broker has taken it on
broker -X PUT $API/projects/another/role --json '{"roleArn":"${roleArn('example')}"}'

Ctrl-C ends it, and the local AWS.`;
}
