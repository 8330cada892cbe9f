import {
  DeleteRolePolicyCommand,
  GetRolePolicyCommand,
  type IAMClient,
  ListRolePoliciesCommand,
  type ListRolePoliciesCommandOutput,
  NoSuchEntityException,
  PutRolePolicyCommand,
} from '@aws-sdk/client-iam';

/** The inline policy that the broker writes on a project's role, and no other. */
export const POLICY_NAME = 'slipway-revocations';

/** All inline policies of a role, without white space (IAM User Guide, "IAM and AWS STS quotas"). */
const ALL_INLINE = 10_240;

/** What the broker does to the policies of roles. A role that is gone needs no revocation. */
export interface RolePolicies {
  /** Characters left for the policy. @returns undefined where there is no such role */
  room: (roleArn: string, abortSignal: AbortSignal) => Promise<number | undefined>;
  /** @param document undefined takes the policy away */
  write: (roleArn: string, document: string | undefined, abortSignal: AbortSignal) => Promise<void>;
}

/** @param ownAccount whose roles `client` changes */
export function rolePoliciesOf(client: IAMClient, ownAccount: () => Promise<string>): RolePolicies {
  /** IAM's calls take the name alone, which is unique in the account whatever the path. */
  async function nameOf(roleArn: string): Promise<string> {
    const account = await ownAccount();
    // Else a role of the same name in this account would be changed in its place.
    if (roleArn.split(':')[4] !== account) throw new ForeignRoleError(`${roleArn} is not in ${account}`);
    return roleArn.slice(roleArn.lastIndexOf('/') + 1);
  }

  return {
    async room(roleArn, abortSignal) {
      const RoleName = await nameOf(roleArn);
      try {
        let used = 0;
        let Marker: string | undefined;
        do {
          const page: ListRolePoliciesCommandOutput = await client.send(
            new ListRolePoliciesCommand({ RoleName, Marker }),
            { abortSignal },
          );
          for (const PolicyName of page.PolicyNames ?? []) {
            if (PolicyName === POLICY_NAME) continue;
            const { PolicyDocument = '' } = await client.send(
              new GetRolePolicyCommand({ RoleName, PolicyName }),
              { abortSignal },
            );
            used += decodeURIComponent(PolicyDocument).replaceAll(/\s/g, '').length;
          }
          Marker = page.IsTruncated ? page.Marker : undefined;
        } while (Marker !== undefined);
        return ALL_INLINE - used;
      } catch (error) {
        if (error instanceof NoSuchEntityException) return undefined;
        throw error;
      }
    },

    async write(roleArn, document, abortSignal) {
      const of = { RoleName: await nameOf(roleArn), PolicyName: POLICY_NAME };
      try {
        if (document === undefined) await client.send(new DeleteRolePolicyCommand(of), { abortSignal });
        else
          await client.send(new PutRolePolicyCommand({ ...of, PolicyDocument: document }), { abortSignal });
      } catch (error) {
        if (!(error instanceof NoSuchEntityException)) throw error;
      }
    },
  };
}

/** The role is another account's, where the broker changes nothing. */
class ForeignRoleError extends Error {
  override readonly name = 'ForeignRoleError';
}

/** Whether asking again can't help: the broker may not change the role's policies. */
export function isOutOfReach(error: unknown): boolean {
  const { name } = error as Error;
  return error instanceof ForeignRoleError || name === 'AccessDenied' || name === 'AccessDeniedException';
}
