import type { LocalRunAccess } from '../local-run';
import { outcome, type PodSecret, type Proof } from './claim';
import { cliClaims } from './cli-claims';
import { githubClaims, pushClaims } from './github-claims';
import { hostClaims } from './host-claims';
import { apiClaims, auxClaims, baseUserClaims } from './service-claims';

/**
 * Proves by real requests, of the SDK and of the aws CLI where there is one, who may do what in a deployed environment.
 *
 * @param other name of the environment whose things must be out of reach
 */
export async function proveAccess(
  run: LocalRunAccess,
  secret: PodSecret,
  other: string,
  tell: (text: string) => void = () => undefined,
): Promise<Proof[]> {
  const claims = [
    ...baseUserClaims(run, secret, other),
    ...auxClaims(run, secret, other),
    ...(await apiClaims(run)),
    ...githubClaims(run, other),
    ...(await pushClaims(run)),
    ...(await hostClaims(run)),
    ...(await cliClaims(run, secret, other)),
  ];
  const proofs: Proof[] = [];
  for (const { request, ...claim } of claims) {
    proofs.push({ ...claim, found: await outcome(request) });
    tell(`${proofs.length} of ${claims.length} requests`);
  }
  return proofs;
}
