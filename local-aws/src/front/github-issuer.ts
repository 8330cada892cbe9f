import { randomUUID } from 'node:crypto';
import { exportJWK, generateKeyPair, SignJWT, type JWK } from 'jose';

/** GitHub's issuer of workflow tokens (GitHub Docs, "OpenID Connect reference"). */
export const GITHUB_ISSUER = 'https://token.actions.githubusercontent.com';
const KEY_ID = 'local-aws';
/** As GitHub's: long enough for one exchange. */
const LIFE_SECONDS = 300;

export interface GithubTokenOptions {
  /** OWNER/NAME */
  readonly repository: string;
  /** Such as `refs/heads/main`, `refs/tags/v1`, `refs/pull/1/merge`. @default 'refs/heads/main' */
  readonly ref?: string;
  /** The GitHub environment of the job. @default - none */
  readonly environment?: string;
  /** `pull_request` makes a subject of its own. @default 'push' */
  readonly event?: string;
  /** @default 'sts.amazonaws.com' */
  readonly audience?: string;
  /** Until it expires, in seconds; less than none makes one that has. @default 300 */
  readonly expiresInSeconds?: number;
  /** Claims in place of these, or beside them. @default - none */
  readonly claims?: Readonly<Record<string, string>>;
}

export interface GithubIssuer {
  /** A token as GitHub gives a job, signed by a key of this issuer. */
  readonly token: (options: GithubTokenOptions) => Promise<string>;
  /** The public keys, as a relying party would fetch them. */
  readonly keys: { readonly keys: readonly JWK[] };
}

/** Stands for GitHub's issuer: the same claims, a key of its own. */
export async function startGithubIssuer(): Promise<GithubIssuer> {
  const { publicKey, privateKey } = await generateKeyPair('RS256');
  const key = { ...(await exportJWK(publicKey)), kid: KEY_ID, alg: 'RS256', use: 'sig' };
  return {
    keys: { keys: [key] },
    token: (options) => {
      const now = Math.floor(Date.now() / 1000);
      const expires = now + (options.expiresInSeconds ?? LIFE_SECONDS);
      return new SignJWT({ ...claimsOf(options), ...options.claims })
        .setProtectedHeader({ alg: 'RS256', kid: KEY_ID, typ: 'JWT' })
        .setIssuer(options.claims?.iss ?? GITHUB_ISSUER)
        .setAudience(options.audience ?? 'sts.amazonaws.com')
        .setIssuedAt(Math.min(now, expires - 1))
        .setNotBefore(Math.min(now, expires - 1) - 300)
        .setExpirationTime(expires)
        .setJti(randomUUID())
        .sign(privateKey);
    },
  };
}

function claimsOf({
  repository,
  ref = 'refs/heads/main',
  environment,
  event = 'push',
}: GithubTokenOptions): Record<string, string> {
  const [owner = ''] = repository.split('/');
  const context =
    environment !== undefined
      ? `environment:${environment}`
      : event === 'pull_request'
        ? 'pull_request'
        : `ref:${ref}`;
  return {
    sub: `repo:${repository}:${context}`,
    repository,
    repository_owner: owner,
    repository_id: '100000001',
    repository_owner_id: '200000002',
    repository_visibility: 'private',
    ref,
    ref_type: ref.startsWith('refs/tags/') ? 'tag' : 'branch',
    event_name: event,
    actor: owner,
    actor_id: '300000003',
    workflow: 'Deploy',
    job_workflow_ref: `${repository}/.github/workflows/deploy.yml@${ref}`,
    run_id: '1',
    run_number: '1',
    run_attempt: '1',
    runner_environment: 'github-hosted',
    sha: '0123456789abcdef0123456789abcdef01234567',
    ...(environment !== undefined && { environment }),
  };
}
