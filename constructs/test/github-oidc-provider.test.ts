import { GithubOidcProvider } from '../src/github-oidc-provider';
import { synthesized } from './synthesized';

const tags = { Team: 'platform' };
const provider = synthesized((stack) => new GithubOidcProvider(stack, 'github', { tags })).the(
  'aws_iam_openid_connect_provider',
);

test("takes GitHub's tokens, and only those that were made for AWS", () => {
  expect(provider).toMatchObject({
    url: 'https://token.actions.githubusercontent.com',
    client_id_list: ['sts.amazonaws.com'],
    tags,
  });
});

test("leaves GitHub's certificate to AWS's own trust store", () => {
  expect(provider).not.toHaveProperty('thumbprint_list');
});
