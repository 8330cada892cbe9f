import { KmsAlias } from '@cdktf/provider-aws/lib/kms-alias';
import { KmsKey } from '@cdktf/provider-aws/lib/kms-key';
import type { ITerraformDependable } from 'cdktf';
import { Construct } from 'constructs';
import { literal } from './literal';
import { allow, policyDocument, type Statement } from './policy-document';
import { dnsSuffix, iamArn, regionalArn, type Place } from './place';

export interface EncryptionKeyProps {
  /** Alias without the `alias/`. */
  name: string;
  place: Place;
  /** Groups of CloudWatch Logs that are encrypted with it, by their names. @default - none */
  logGroups?: string[];
  tags?: Record<string, string>;
}

/** Services that use the key for whoever uses what they keep. */
export type EncryptedService = 'dynamodb' | 's3' | 'secretsmanager' | 'ssm';

/** Days between the order to delete a key and its end: time to find out that something still needs it. */
const DELETION_WINDOW_DAYS = 30;

/** A customer managed KMS key with yearly rotation. IAM policies of its account decide who may use it. */
export class EncryptionKey extends Construct implements ITerraformDependable {
  readonly arn: string;
  readonly fqn: string;

  constructor(scope: Construct, id: string, props: EncryptionKeyProps) {
    super(scope, id);
    const { name, place, logGroups = [], tags } = literal(props);
    const key = new KmsKey(this, 'key', {
      description: `Encrypts what ${name} stores`,
      enableKeyRotation: true,
      deletionWindowInDays: DELETION_WINDOW_DAYS,
      policy: JSON.stringify(
        policyDocument(
          {
            ...allow('AccountDecidesByIam', ['kms:*'], ['*']),
            Principal: { AWS: iamArn(place, 'root') },
          },
          ...(logGroups.length > 0 ? [letLogsIn(place, logGroups)] : []),
        ),
      ),
      ...(tags && { tags }),
    });
    const alias = new KmsAlias(this, 'alias', { name: `alias/${name}`, targetKeyId: key.keyId });
    this.arn = key.arn;
    this.fqn = alias.fqn;
  }

  /** Lets a role use the key, and only by way of the named services (KMS Developer Guide, "kms:ViaService"). */
  useThrough(services: EncryptedService[], place: Place): Statement {
    return allow('UseKeyThroughServices', ['kms:Decrypt', 'kms:GenerateDataKey'], [this.arn], {
      StringEquals: {
        'kms:ViaService': services.map((service) => `${service}.${place.region}.${dnsSuffix(place)}`),
      },
    });
  }
}

/** CloudWatch Logs works with the key by itself, and not for whoever writes (CloudWatch Logs User Guide, "Encrypt log data"). */
function letLogsIn(place: Place, groups: string[]): Statement {
  return {
    ...allow(
      'LogsEncryptTheseGroups',
      ['kms:Decrypt', 'kms:DescribeKey', 'kms:Encrypt', 'kms:GenerateDataKey*', 'kms:ReEncrypt*'],
      ['*'],
      {
        ArnEquals: {
          'kms:EncryptionContext:aws:logs:arn': groups.map((name) =>
            regionalArn(place, 'logs', `log-group:${name}`),
          ),
        },
      },
    ),
    Principal: { Service: `logs.${place.region}.${dnsSuffix(place)}` },
  };
}
