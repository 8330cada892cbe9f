/** A statement of a policy, as it was written. */
export type Statement = Readonly<Record<string, unknown>>;

export interface PolicyDocument {
  readonly Version?: string;
  readonly Statement: readonly Statement[];
}

/** A policy with what decisions and messages call it. */
export interface NamedPolicy {
  /** An ARN for a managed policy, its name for an inline one. */
  readonly name: string;
  readonly document: PolicyDocument;
}

/**
 * Reads a policy that IAM or a service keeps.
 *
 * @param text JSON, percent-encoded or not: IAM's API gives both
 * @returns undefined when it is no policy
 */
export function readPolicy(text: string): PolicyDocument | undefined {
  try {
    const json = text.trimStart().startsWith('{') ? text : decodeURIComponent(text.replaceAll('+', '%20'));
    const parsed: unknown = JSON.parse(json);
    if (typeof parsed !== 'object' || parsed === null || !('Statement' in parsed)) return undefined;
    const { Statement: statements, ...rest } = parsed as { Statement: Statement | Statement[] };
    return { ...rest, Statement: [statements].flat() };
  } catch {
    return undefined;
  }
}
