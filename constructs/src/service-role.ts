import { IamRole } from '@cdktf/provider-aws/lib/iam-role';
import { IamRolePolicy } from '@cdktf/provider-aws/lib/iam-role-policy';
import { IamRolePolicyAttachment } from '@cdktf/provider-aws/lib/iam-role-policy-attachment';
import type { ITerraformDependable } from 'cdktf';
import { Construct } from 'constructs';
import type { EncryptedService, EncryptionKey } from './encryption-key';
import { literal } from './literal';
import { iamArn, type Place } from './place';
import type { PermissionsBoundary } from './permissions-boundary';
import { policyDocument, type PolicyDocument, type Statement } from './policy-document';

export interface ServiceRoleProps {
  name: string;
  description: string;
  place: Place;
  /** Who may take on the role. */
  trust: PolicyDocument;
  /** What the role may do. @default - nothing */
  statements?: Statement[];
  /** A managed policy to attach. @default - none */
  managedPolicy?: PermissionsBoundary;
  /** Adds the use of the key by way of these services. @default - no key */
  encryption?: { key: EncryptionKey; through: EncryptedService[] };
  boundary: PermissionsBoundary;
  /** Longest session, in seconds. @default 3600 */
  maxSessionSeconds?: number;
  /** What must exist before AWS accepts the trust policy, such as a user that it names. @default - nothing */
  after?: ITerraformDependable[];
  tags?: Record<string, string>;
}

/** An IAM role with one inline policy, under a permissions boundary. */
export class ServiceRole extends Construct implements ITerraformDependable {
  /** Depending on a role is depending on what it may do. */
  readonly fqn: string;
  /** A reference: what uses it comes after the role. */
  readonly name: string;
  readonly arn: string;

  constructor(scope: Construct, id: string, props: ServiceRoleProps) {
    super(scope, id);
    const {
      name,
      description,
      place,
      trust,
      encryption,
      boundary,
      maxSessionSeconds,
      managedPolicy,
      after,
      tags,
      ...rest
    } = literal(props);
    const role = new IamRole(this, 'role', {
      name,
      description,
      assumeRolePolicy: JSON.stringify(trust),
      permissionsBoundary: boundary.arn,
      maxSessionDuration: maxSessionSeconds ?? 3600,
      dependsOn: [boundary, ...(after ?? [])],
      ...(tags && { tags }),
    });
    const statements = [
      ...(rest.statements ?? []),
      ...(encryption ? [encryption.key.useThrough(encryption.through, place)] : []),
    ];
    const inline =
      statements.length > 0
        ? new IamRolePolicy(this, 'permissions', {
            name: 'permissions',
            role: role.id,
            policy: JSON.stringify(policyDocument(...statements)),
          })
        : undefined;
    const managed =
      managedPolicy &&
      new IamRolePolicyAttachment(this, 'managed', { role: role.name, policyArn: managedPolicy.arn });
    this.fqn = (managed ?? inline ?? role).fqn;
    this.name = role.name;
    this.arn = iamArn(place, `role/${name}`);
  }
}
