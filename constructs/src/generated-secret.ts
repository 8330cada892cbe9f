import { SecretsmanagerSecret } from '@cdktf/provider-aws/lib/secretsmanager-secret';
import { SecretsmanagerSecretVersion } from '@cdktf/provider-aws/lib/secretsmanager-secret-version';
import { TerraformStack } from 'cdktf';
import { Construct } from 'constructs';
import type { EncryptionKey } from './encryption-key';
import { literal } from './literal';

export interface GeneratedSecretProps {
  name: string;
  description: string;
  key: EncryptionKey;
  /** Characters: letters and digits, as some systems take no other. @default 48 */
  length?: number;
  /** Days in which a deleted secret can be had back, and its name not be used: 0, or 7 to 30. @default 30 */
  recoveryDays?: number;
  tags?: Record<string, string>;
}

/** Keeps the first value from being deleted once others have followed it; see below. */
const FIRST_VALUE = 'GENERATED';

/**
 * A secret that AWS thinks up and Terraform never keeps: it passes from an ephemeral resource into a write-only argument
 * (Terraform, "Ephemeral values"; needs Terraform 1.11). Whoever may can put another value in its place.
 */
export class GeneratedSecret extends Construct {
  /** A reference: what uses it comes after the secret has its value. */
  readonly name: string;

  constructor(scope: Construct, id: string, props: GeneratedSecretProps) {
    super(scope, id);
    const { name, description, key, length = 48, recoveryDays = 30, tags } = literal(props);
    const secret = new SecretsmanagerSecret(this, 'secret', {
      name,
      description,
      kmsKeyId: key.arn,
      recoveryWindowInDays: recoveryDays,
      ...(tags && { tags }),
    });
    // cdktf 0.21 has no ephemeral resources. A construct's own address is unlike any other's in the stack.
    const password = secret.friendlyUniqueId;
    TerraformStack.of(this).addOverride(`ephemeral.aws_secretsmanager_random_password.${password}`, {
      password_length: length,
      exclude_punctuation: true,
    });
    new SecretsmanagerSecretVersion(this, 'value', {
      secretId: secret.id,
      secretStringWo: `\${ephemeral.aws_secretsmanager_random_password.${password}.random_password}`,
      secretStringWoVersion: 1,
      // Secrets Manager deletes a value that has no label. Terraform would find this one gone after two others, and put
      // a new one in the place of somebody's own. A label of its own keeps it; AWSCURRENT may move on.
      versionStages: ['AWSCURRENT', FIRST_VALUE],
      lifecycle: { ignoreChanges: ['version_stages'] },
    });
    this.name = secret.name;
  }
}
