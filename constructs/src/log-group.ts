import { CloudwatchLogGroup } from '@cdktf/provider-aws/lib/cloudwatch-log-group';
import type { ITerraformDependable } from 'cdktf';
import { Construct } from 'constructs';
import type { EncryptionKey } from './encryption-key';
import { literal } from './literal';

export interface LogGroupProps {
  name: string;
  /** Days that a line stays. @default 365 */
  retentionDays?: number;
  /** It must let CloudWatch Logs in: see `logGroups` of EncryptionKey. @default - CloudWatch's own key */
  key?: EncryptionKey;
  tags?: Record<string, string>;
}

/** A group of CloudWatch Logs whose lines are encrypted and go after a time. */
export class LogGroup extends Construct implements ITerraformDependable {
  readonly fqn: string;
  /** A reference: what uses it comes after the group. */
  readonly arn: string;

  constructor(scope: Construct, id: string, props: LogGroupProps) {
    super(scope, id);
    const { name, retentionDays = 365, key, tags } = literal(props);
    const group = new CloudwatchLogGroup(this, 'group', {
      name,
      retentionInDays: retentionDays,
      ...(key && { kmsKeyId: key.arn }),
      ...(tags && { tags }),
    });
    this.fqn = group.fqn;
    this.arn = group.arn;
  }
}
