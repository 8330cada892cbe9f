import { IamAccessKey } from '@cdktf/provider-aws/lib/iam-access-key';
import { IamUser } from '@cdktf/provider-aws/lib/iam-user';
import { IamUserPolicy } from '@cdktf/provider-aws/lib/iam-user-policy';
import type { ITerraformDependable } from 'cdktf';
import { Construct } from 'constructs';
import { literal } from './literal';
import { iamArn, type Place } from './place';
import type { PermissionsBoundary } from './permissions-boundary';
import { assumeOnly } from './policies/role-chain';
import { InvalidProps } from './problem';

export interface BaseUserProps {
  name: string;
  place: Place;
  /** The one role that this user may take on. */
  roleName: string;
  /** One or two labels, oldest first: two keys may overlap, so that keys rotate without an outage. */
  accessKeys: string[];
  boundary: PermissionsBoundary;
  tags?: Record<string, string>;
}

/** An IAM user whose keys are good for one thing: to take on one role. */
export class BaseUser extends Construct implements ITerraformDependable {
  readonly arn: string;
  readonly fqn: string;
  /** The newest key; its secret is in the state, as IAM tells it just once and the provider has no write-only form. */
  readonly accessKeyId: string;
  readonly secretAccessKey: string;

  constructor(scope: Construct, id: string, props: BaseUserProps) {
    super(scope, id);
    const { name, place, roleName, accessKeys, boundary, tags } = literal(props);
    const user = new IamUser(this, 'user', {
      name,
      permissionsBoundary: boundary.arn,
      dependsOn: [boundary],
      ...(tags && { tags }),
    });
    new IamUserPolicy(this, 'assume-role', {
      name: 'assume-service-role',
      user: user.name,
      policy: JSON.stringify(assumeOnly(iamArn(place, `role/${roleName}`))),
    });
    const newest = accessKeys
      .map(
        (label) =>
          new IamAccessKey(this, `key-${label}`, {
            user: user.name,
            // A rotation switches the old key off before it is deleted: a deploy in between must not switch it on.
            lifecycle: { ignoreChanges: ['status'] },
          }),
      )
      .at(-1);
    if (!newest) throw new InvalidProps(`${name} needs one or two access keys, got none.`);
    this.arn = iamArn(place, `user/${name}`);
    this.fqn = user.fqn;
    this.accessKeyId = newest.id;
    this.secretAccessKey = newest.secret;
  }
}
