import type { RequestAnalysis } from '@cloud-copilot/iam-simulate';

export interface DecidingStatement {
  readonly kind: 'identity' | 'resource' | 'boundary' | 'session';
  /** An ARN or a name. */
  readonly policy: string;
  /** Its Sid, or its number from 1. */
  readonly statement: string;
}

export const KINDS = [
  ['identity', 'identityAnalysis'],
  ['resource', 'resourceAnalysis'],
  ['boundary', 'permissionBoundaryAnalysis'],
  ['session', 'sessionAnalysis'],
] as const;

const NAMES = {
  identity: 'identity-based policy',
  resource: 'resource-based policy',
  boundary: 'permissions boundary',
  session: 'session policy',
} as const;

/**
 * Why a request was denied, as the end of AWS's sentence (IAM User Guide, "Troubleshoot access denied error messages").
 *
 * @param explicit the statement that denied, if one did
 */
export function because(
  analysis: RequestAnalysis,
  action: string,
  explicit: DecidingStatement | undefined,
): string {
  if (explicit !== undefined) {
    const article = explicit.kind === 'identity' ? 'an' : 'a';
    return `with an explicit deny in ${article} ${NAMES[explicit.kind]}`;
  }
  // STS doesn't say which side it was.
  if (action.startsWith('sts:')) return '';
  return `because no ${NAMES[missing(analysis)]} allows the ${action} action`;
}

export const PUBLIC_IS_BLOCKED =
  'because public policies are prevented by the RestrictPublicBuckets setting in S3 Block Public Access';

function missing({
  identityAnalysis,
  resourceAnalysis,
  permissionBoundaryAnalysis,
  sessionAnalysis,
  sameAccount,
}: RequestAnalysis): DecidingStatement['kind'] {
  if (identityAnalysis?.result !== 'Allowed') return 'identity';
  const granted = resourceAnalysis?.result === 'Allowed' || resourceAnalysis?.result === 'AllowedForAccount';
  if (!sameAccount && !granted) return 'resource';
  if (permissionBoundaryAnalysis !== undefined && permissionBoundaryAnalysis.result !== 'Allowed')
    return 'boundary';
  if (sessionAnalysis !== undefined && sessionAnalysis.result !== 'Allowed') return 'session';
  return 'resource';
}
