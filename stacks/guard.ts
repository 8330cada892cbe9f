import { AwsProvider } from '@cdktf/provider-aws/lib/provider';
import { DataAwsCallerIdentity } from '@cdktf/provider-aws/lib/data-aws-caller-identity';
import { literal } from '@slipway/constructs';
import type { Construct } from 'constructs';
import type { Environment } from '../environments';

/** Where the provider talks to: AWS, or what `AWS_ENDPOINT_URL` names. */
export interface Target {
  /** True where `AWS_ENDPOINT_URL` names something else than AWS: buckets are then addressed by path. */
  customEndpoint: boolean;
}

/**
 * The AWS provider, which refuses every workspace and account but the environment's own, and says which was expected.
 *
 * - Workspace: an argument of the provider fails to convert, so that nothing runs, a destroy included. (A precondition
 *   only warns there: docs/decisions/0002-workspaces.md.)
 * - Account: `allowed_account_ids` stops the provider with a text that names just the wrong one; the second provider,
 *   used for one question, adds the sentence that says which was expected.
 */
export function guardedProvider(
  scope: Construct,
  environment: Environment,
  { customEndpoint }: Target,
): void {
  const { name, region, account, tags } = environment;
  const common = customEndpoint ? { s3UsePathStyle: true, skipCredentialsValidation: true } : {};

  const refusal = `This is environment ${name}, which belongs in the Terraform workspace ${name}, not in`;
  new AwsProvider(scope, 'aws', {
    ...common,
    region: `\${terraform.workspace == "${name}" ? "${region}" : tobool("${refusal} \${terraform.workspace}")}`,
    allowedAccountIds: [account],
    defaultTags: [{ tags: { ...literal(tags), Environment: name, ManagedBy: 'slipway' } }],
  });

  const anyAccount = new AwsProvider(scope, 'any-account', { ...common, alias: 'any_account', region });
  new DataAwsCallerIdentity(scope, 'caller', {
    provider: anyAccount,
    lifecycle: {
      postcondition: [
        {
          condition: `\${self.account_id == "${account}"}`,
          errorMessage: `Environment ${name} belongs in the AWS account ${account}; these credentials are of account \${self.account_id}.`,
        },
      ],
    },
  });
}
