import { GetParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { roleCredentials } from '@slipway/runtime';

/**
 * What a service does, with nothing but the variables of its Kubernetes secret: takes on its role and reads a
 * parameter. Prints one line of JSON: who it was, and the parameter's value.
 */
async function main(parameter: string): Promise<void> {
  const credentials = roleCredentials();
  const { Arn: identity } = await new STSClient({ credentials }).send(new GetCallerIdentityCommand({}));
  const { Parameter } = await new SSMClient({ credentials }).send(
    new GetParameterCommand({ Name: parameter }),
  );
  console.log(JSON.stringify({ identity, value: Parameter?.Value }));
}

void main(process.argv[2] ?? '');
