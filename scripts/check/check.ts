import type { Configuration } from '../configurations';
import { resourcesOf, type Resource } from './resource';

/** Something that a check finds wrong with a resource. */
export interface Fault {
  /** Such as `root_block_device.encrypted`, or `policy.Statement[Login]`. */
  argument: string;
  /** What stands there. */
  found: string;
}

export interface Check {
  /** Of checkov (CKV…) or of AWS Security Hub (S3.5). */
  id: string;
  /** What holds when it passes, in one sentence. */
  asks: string;
  /** Resource types, with `data.` before data sources. */
  on: readonly string[];
  look: (resource: Resource) => readonly Fault[] | Promise<readonly Fault[]>;
}

export interface Finding extends Fault {
  id: string;
  environment: string;
  /** Address, such as `aws_s3_bucket.bucket-data_bucket_60973F6A`. */
  resource: string;
}

/** Findings that are meant to be there. Every pair of an id and a pattern has to match at least one. */
export interface Waiver {
  ids: readonly string[];
  /** Patterns of addresses, in which `*` stands for anything. */
  resources: readonly string[];
  reason: string;
}

export interface Report {
  findings: Finding[];
  waived: (Finding & Pick<Waiver, 'reason'>)[];
  /** How often a check passed on a resource. */
  passed: number;
  /** Ids of checks that had no resource to look at. */
  idle: string[];
  /** What waivers name and nothing was found for. */
  unmatched: { id: string; resource: string }[];
}

/** Runs checks on every resource of their types, in every environment. */
export async function runChecks(
  configurations: readonly Configuration[],
  checks: readonly Check[],
  waivers: readonly Waiver[],
): Promise<Report> {
  const results = await Promise.all(
    checks.flatMap((check) =>
      configurations
        .flatMap((configuration) => resourcesOf(configuration, check.on))
        .map(async (resource) => ({ check, resource, faults: await check.look(resource) })),
    ),
  );
  const all = results.flatMap(({ check, resource, faults }) =>
    faults.map(
      (fault): Finding => ({
        id: check.id,
        environment: resource.environment,
        resource: resource.address,
        ...fault,
      }),
    ),
  );
  const waiverOf = (finding: Finding) =>
    waivers.find(({ ids, resources }) =>
      ids.some((id) => resources.some((pattern) => matches(finding, id, pattern))),
    );
  const looked = new Set(results.map(({ check }) => check.id));
  return {
    findings: all.filter((finding) => !waiverOf(finding)),
    waived: all.flatMap((finding) => {
      const waiver = waiverOf(finding);
      return waiver ? [{ ...finding, reason: waiver.reason }] : [];
    }),
    passed: results.filter(({ faults }) => faults.length === 0).length,
    idle: checks.map(({ id }) => id).filter((id) => !looked.has(id)),
    unmatched: waivers
      .flatMap(({ ids, resources }) => ids.flatMap((id) => resources.map((resource) => ({ id, resource }))))
      .filter(({ id, resource }) => !all.some((finding) => matches(finding, id, resource))),
  };
}

function matches(finding: Finding, id: string, pattern: string): boolean {
  return finding.id === id && wildcard(pattern).test(finding.resource);
}

/** A pattern of IAM's kind: `*` stands for anything, `?` for one character, and case doesn't count. */
export function wildcard(pattern: string): RegExp {
  const literal = pattern.replace(/[.+^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`^${literal.replaceAll('*', '.*').replaceAll('?', '.')}$`, 'i');
}
