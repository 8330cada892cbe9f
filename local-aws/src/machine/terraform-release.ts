import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { cached } from './cache';
import {
  terraformChecksumMismatch,
  terraformNotDownloaded,
  terraformNotUnpacked,
  unsupportedPlatform,
} from '../errors';
import { PLATFORM } from './platform';
import { zipEntry } from './zip-entry';

/** A version of Terraform that may be downloaded, and what its archives must be. */
export interface TerraformRelease {
  readonly version: string;
  /** The folder of the archives, without a slash at its end. */
  readonly url: string;
  /** SHA-256 in hexadecimal of `terraform_{version}_{platform}.zip`, by platform. */
  readonly checksums: Readonly<Partial<Record<string, string>>>;
}

/**
 * The values of HashiCorp's terraform_1.11.4_SHA256SUMS; also in HashiCorp's own Homebrew formula of that
 * version, which several unrelated repositories agree with.
 */
export const TERRAFORM_1_11_4: TerraformRelease = {
  version: '1.11.4',
  url: 'https://releases.hashicorp.com/terraform/1.11.4',
  checksums: {
    darwin_amd64: 'a56d5002b9f7647291faccc3dd1a70350e60fb61e4c45037629508b8fdc2575b',
    darwin_arm64: '867e0808fa971217043e25b7a792b10720c79b1546f8a68479b74f138be73e18',
    linux_amd64: '1ce994251c00281d6845f0f268637ba50c0005657eb3cf096b92f753b42ef4dc',
    linux_arm64: 'a43d1d0da9b9bab214a8305a39db0e40869572594ccf50c416a7756499143633',
  },
};

/** The archive is 27 MB: this is a line of 50 kB/s. */
const DOWNLOAD_WITHIN_MS = 600_000;
/** Far above any Terraform archive; a server that sends more is not the one meant. */
const MAX_ARCHIVE_BYTES = 200 * 1024 * 1024;

/**
 * Downloads a Terraform into the user's cache, unless it is there already. Nothing is unpacked before its
 * checksum is found right, and a failure leaves nothing behind.
 *
 * @returns the absolute path of the program
 * @throws LocalAwsError
 */
export async function downloadedTerraform(
  release: TerraformRelease,
  onProgress: (text: string) => void,
): Promise<string> {
  const checksum = release.checksums[PLATFORM];
  if (checksum === undefined) throw unsupportedPlatform(PLATFORM);
  const url = `${release.url}/terraform_${release.version}_${PLATFORM}.zip`;
  // The checksum in the name: another archive is another folder.
  const name = `terraform-${release.version}-${PLATFORM}-${checksum.slice(0, 8)}`;
  const folder = await cached(name, async (building) => {
    const archive = await download(url, (share) => {
      onProgress(`Downloading Terraform ${release.version}: ${share} %`);
    });
    const actual = createHash('sha256').update(archive).digest('hex');
    if (actual !== checksum) throw terraformChecksumMismatch(url, checksum, actual);
    const program = await zipEntry(archive, 'terraform').catch((error: unknown) => {
      throw terraformNotUnpacked(url, (error as Error).message);
    });
    await writeFile(path.join(building, 'terraform'), program, { mode: 0o755 });
  });
  return path.join(folder, 'terraform');
}

async function download(url: string, onShare: (percent: number) => void): Promise<Buffer> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(DOWNLOAD_WITHIN_MS) });
    if (!response.ok || response.body === null) throw new Error(`HTTP ${response.status}`);
    const total = Number(response.headers.get('content-length'));
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    let told = -1;
    for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes > MAX_ARCHIVE_BYTES) throw new Error(`more than ${MAX_ARCHIVE_BYTES} bytes`);
      const tenths = total > 0 ? Math.floor((bytes / total) * 10) : 0;
      if (tenths > told) onShare((told = tenths) * 10);
    }
    return Buffer.concat(chunks);
  } catch (error) {
    throw terraformNotDownloaded(url, reason(error as Error));
  }
}

/** `fetch` says only "fetch failed"; its cause says why, in words or, when several addresses failed, by a code. */
function reason(error: Error): string {
  const cause = error.cause as NodeJS.ErrnoException | undefined;
  return [cause?.message, cause?.code].find((text) => text !== undefined && text !== '') ?? error.message;
}
