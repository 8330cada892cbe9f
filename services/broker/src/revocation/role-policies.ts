import {
  DeleteRolePolicyCommand,
  GetRolePolicyCommand,
  type IAMClient,
  NoSuchEntityException,
  paginateListRolePolicies,
  PutRolePolicyCommand,
} from '@aws-sdk/client-iam';

/** The inline policy that the broker writes on a project's role, and no other. */
export const POLICY_NAME = 'slipway-revocations';

/** All inline policies of a role, without white space (IAM User Guide, "IAM and AWS STS quotas"). */
const ALL_INLINE = 10_240;

/** What the broker does to the policies of roles. A role that is gone needs no revocation. */
export interface RolePolicies {
  /** Characters left for the policy. @returns undefined where there is no such role */
  room: (roleArn: string) => Promise<number | undefined>;
  /** @param document undefined takes the policy away */
  write: (roleArn: string, document: string | undefined) => Promise<void>;
}

export function rolePoliciesOf(client: IAMClient): RolePolicies {
  return {
    async room(roleArn) {
      const RoleName = nameOf(roleArn);
      try {
        let used = 0;
        for await (const { PolicyNames = [] } of paginateListRolePolicies({ client }, { RoleName }))
          for (const PolicyName of PolicyNames) {
            if (PolicyName === POLICY_NAME) continue;
            const { PolicyDocument = '' } = await client.send(
              new GetRolePolicyCommand({ RoleName, PolicyName }),
            );
            used += decodeURIComponent(PolicyDocument).replaceAll(/\s/g, '').length;
          }
        return ALL_INLINE - used;
      } catch (error) {
        if (error instanceof NoSuchEntityException) return undefined;
        throw error;
      }
    },

    async write(roleArn, document) {
      const RoleName = nameOf(roleArn);
      try {
        if (document === undefined)
          await client.send(new DeleteRolePolicyCommand({ RoleName, PolicyName: POLICY_NAME }));
        else
          await client.send(
            new PutRolePolicyCommand({ RoleName, PolicyName: POLICY_NAME, PolicyDocument: document }),
          );
      } catch (error) {
        if (!(error instanceof NoSuchEntityException)) throw error;
      }
    },
  };
}

/** IAM's calls take the name alone, which is unique whatever the path. */
const nameOf = (roleArn: string) => roleArn.slice(roleArn.lastIndexOf('/') + 1);
