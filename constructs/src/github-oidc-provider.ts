import { IamOpenidConnectProvider } from '@cdktf/provider-aws/lib/iam-openid-connect-provider';
import type { ITerraformDependable } from 'cdktf';
import { Construct } from 'constructs';
import { literal } from './literal';
import { GITHUB_AUDIENCE, GITHUB_ISSUER } from './policies/github';

export interface GithubOidcProviderProps {
  tags?: Record<string, string>;
}

/** GitHub's identity provider in IAM; it exists once an account. AWS checks its certificate against its own trust store, so no thumbprint. */
export class GithubOidcProvider extends Construct implements ITerraformDependable {
  readonly fqn: string;

  constructor(scope: Construct, id: string, props: GithubOidcProviderProps = {}) {
    super(scope, id);
    const { tags } = literal(props);
    const provider = new IamOpenidConnectProvider(this, 'provider', {
      url: `https://${GITHUB_ISSUER}`,
      clientIdList: [GITHUB_AUDIENCE],
      ...(tags && { tags }),
    });
    this.fqn = provider.fqn;
  }
}
