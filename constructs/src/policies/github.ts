import { iamArn, regionalArn, type Place } from '../place';
import { allow, policyDocument, type PolicyDocument, type Statement } from '../policy-document';
import { InvalidProps } from '../problem';

/** Issuer and audience of the tokens (GitHub Docs, "Configuring OpenID Connect in Amazon Web Services"). */
export const GITHUB_ISSUER = 'token.actions.githubusercontent.com';
export const GITHUB_AUDIENCE = 'sts.amazonaws.com';

/** Who a workflow is: one repository, and one branch or one GitHub environment of it. */
export interface GithubSubject {
  /** OWNER/NAME */
  repository: string;
  from: { branch: string } | { environment: string };
}

export function githubProviderArn(place: Place): string {
  return iamArn(place, `oidc-provider/${GITHUB_ISSUER}`);
}

/**
 * Lets workflows of exactly one subject take on a role. `StringEquals` on both claims: `StringLike` would let a
 * wildcard in, and `ForAllValues` passes when the claim is missing.
 *
 * @throws when the subject holds a wildcard
 */
export function trustGithub(place: Place, subject: GithubSubject): PolicyDocument {
  return policyDocument({
    Sid: 'GithubWorkflow',
    Effect: 'Allow',
    Principal: { Federated: githubProviderArn(place) },
    Action: ['sts:AssumeRoleWithWebIdentity'],
    Condition: {
      StringEquals: {
        [`${GITHUB_ISSUER}:aud`]: GITHUB_AUDIENCE,
        [`${GITHUB_ISSUER}:sub`]: subjectClaim(subject),
      },
    },
  });
}

/** What pushing images needs, and nothing else (ECR User Guide, "IAM permissions for pushing an image"). */
export function pushStatements(place: Place, repositories: string[]): Statement[] {
  return [
    // This action has no resource to name: it hands out a login that the other statement limits.
    allow('Login', ['ecr:GetAuthorizationToken'], ['*']),
    ...(repositories.length > 0
      ? [
          allow(
            'PushImages',
            [
              'ecr:BatchCheckLayerAvailability',
              'ecr:BatchGetImage',
              'ecr:CompleteLayerUpload',
              'ecr:InitiateLayerUpload',
              'ecr:PutImage',
              'ecr:UploadLayerPart',
            ],
            repositories.map((name) => regionalArn(place, 'ecr', `repository/${name}`)),
          ),
        ]
      : []),
  ];
}

function subjectClaim({ repository, from }: GithubSubject): string {
  const context = 'branch' in from ? `ref:refs/heads/${from.branch}` : `environment:${from.environment}`;
  const claim = `repo:${repository}:${context}`;
  if (/[*?]/.test(claim))
    throw new InvalidProps(
      `A GitHub role trusts exactly one repository and branch or environment; got ${claim}.`,
    );
  return claim;
}
