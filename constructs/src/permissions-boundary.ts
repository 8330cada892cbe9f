import { IamPolicy } from '@cdktf/provider-aws/lib/iam-policy';
import type { ITerraformDependable } from 'cdktf';
import { Construct } from 'constructs';
import { literal } from './literal';
import { iamArn, type Place } from './place';
import { InvalidProps } from './problem';
import { policyDocument, type Statement } from './policy-document';

export interface PermissionsBoundaryProps {
  name: string;
  place: Place;
  /** The most that any role under this boundary can ever do, whatever its own policy says. */
  statements: Statement[];
  tags?: Record<string, string>;
}

/** Longest managed policy, in characters without white space (IAM User Guide, "IAM and AWS STS quotas"). */
const POLICY_LIMIT = 6144;

/**
 * A managed policy that limits roles (IAM User Guide, "Permissions boundaries for IAM entities"). It grants nothing.
 *
 * @throws InvalidProps when AWS would refuse the policy for its length
 */
export class PermissionsBoundary extends Construct implements ITerraformDependable {
  readonly arn: string;
  readonly fqn: string;

  constructor(scope: Construct, id: string, props: PermissionsBoundaryProps) {
    super(scope, id);
    const { name, place, statements, tags } = literal(props);
    const text = JSON.stringify(policyDocument(...statements));
    const length = text.replace(/\s/g, '').length;
    if (length > POLICY_LIMIT) {
      throw new InvalidProps(
        `The policy ${props.name} has ${length} characters, and AWS takes ${POLICY_LIMIT}: give shorter names, or name fewer repositories.`,
      );
    }
    const policy = new IamPolicy(this, 'policy', {
      name,
      description: 'Permissions boundary: limits what roles of this environment can do, and grants nothing',
      policy: text,
      ...(tags && { tags }),
    });
    this.arn = iamArn(place, `policy/${name}`);
    this.fqn = policy.fqn;
  }
}
