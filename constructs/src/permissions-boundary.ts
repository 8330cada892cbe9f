import { IamPolicy } from '@cdktf/provider-aws/lib/iam-policy';
import type { ITerraformDependable } from 'cdktf';
import { Construct } from 'constructs';
import { literal } from './literal';
import { iamArn, type Place } from './place';
import { policyDocument, type Statement } from './policy-document';

export interface PermissionsBoundaryProps {
  name: string;
  place: Place;
  /** The most that any role under this boundary can ever do, whatever its own policy says. */
  statements: Statement[];
  tags?: Record<string, string>;
}

/** A managed policy that limits roles (IAM User Guide, "Permissions boundaries for IAM entities"). It grants nothing. */
export class PermissionsBoundary extends Construct implements ITerraformDependable {
  readonly arn: string;
  readonly fqn: string;

  constructor(scope: Construct, id: string, props: PermissionsBoundaryProps) {
    super(scope, id);
    const { name, place, statements, tags } = literal(props);
    const policy = new IamPolicy(this, 'policy', {
      name,
      description: 'Permissions boundary: limits what roles of this environment can do, and grants nothing',
      policy: JSON.stringify(policyDocument(...statements)),
      ...(tags && { tags }),
    });
    this.arn = iamArn(place, `policy/${name}`);
    this.fqn = policy.fqn;
  }
}
