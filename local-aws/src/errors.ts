/** A failure of the local AWS. `message` says what happened, to what, and what to do next; print only that. */
export class LocalAwsError extends Error {
  override readonly name = 'LocalAwsError';
}

export const invalidAccount = (account: string) =>
  new LocalAwsError(`The account of the local AWS must be 12 digits, got '${account}'.`);

export const noMoto = (reasons: string, requirement: string) =>
  new LocalAwsError(
    `No moto server could be had on this machine (${reasons}): install it with "pip install '${requirement}'", or install uv, which fetches it by itself, and run this again.`,
  );

export const motoNotStarted = (what: string, logTail: string) =>
  new LocalAwsError(
    `The local AWS did not start: ${what}. The end of moto's log:\n${logTail.trim() === '' ? '(empty)' : logTail}`,
  );

export const notStarted = (what: string, log: string) =>
  new LocalAwsError(
    `The local AWS did not start: ${what}. Its output:\n${log.trim() === '' ? '(empty)' : log.trimEnd().split('\n').slice(-20).join('\n')}`,
  );

export const controlFailed = (command: string, reason: string) =>
  new LocalAwsError(`The local AWS refused "${command}": ${reason}`);

export const motoForAnotherAccount = (account: string) =>
  new LocalAwsError(
    `The moto server on this machine does not answer for account ${account}, so it is too old: install moto 5.2.1 and run this again.`,
  );

export const noFreePort = (attempts: number) =>
  new LocalAwsError(
    `No free port for the local AWS on 127.0.0.1: ${attempts} ports in a row were taken before moto could have them; run this again.`,
  );

export const unsupportedPlatform = (platform: string) =>
  new LocalAwsError(
    `There is no pinned Terraform for ${platform}: install Terraform 1.11 or later (https://developer.hashicorp.com/terraform/install) and run this again.`,
  );

export const terraformNotDownloaded = (url: string, reason: string) =>
  new LocalAwsError(
    `Terraform could not be downloaded from ${url} (${reason}): check the network and run this again, or install Terraform 1.11 or later yourself.`,
  );

export const terraformChecksumMismatch = (url: string, expected: string, actual: string) =>
  new LocalAwsError(
    `The download of ${url} was refused, because its SHA-256 is ${actual} and not the pinned ${expected}: look for a proxy that alters downloads, or install Terraform 1.11 or later yourself.`,
  );

export const terraformNotUnpacked = (url: string, reason: string) =>
  new LocalAwsError(
    `The archive ${url} could not be unpacked (${reason}): install Terraform 1.11 or later yourself and run this again.`,
  );

export const cacheNotWritable = (folder: string, reason: string) =>
  new LocalAwsError(
    `The cache folder ${folder} can't be written (${reason}): set XDG_CACHE_HOME to a folder of yours and run this again.`,
  );

export const mirrorWithoutProvider = (mirror: string, version: string, platform: string) =>
  new LocalAwsError(
    `SLIPWAY_PROVIDER_MIRROR is '${mirror}', which holds no hashicorp/aws ${version} for ${platform}: unset it, or fill that folder with "terraform providers mirror".`,
  );
