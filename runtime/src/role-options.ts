import type { AssumeRoleCommandInput } from '@aws-sdk/client-sts';
import * as bad from './problems';

/** What a role is taken on with. */
export interface RoleOptions {
  /** The role to take on, as an ARN. */
  readonly roleArn: string;
  /**
   * The external id that the role's trust policy asks for, 2 to 1,224 characters.
   * @default - none
   */
  readonly externalId?: string;
  /**
   * Session tags, at most 50: keys of 1 to 128 characters, values of up to 256. The trust policy must allow
   * `sts:TagSession`.
   * @default - none
   */
  readonly sessionTags?: Readonly<Record<string, string>>;
  /**
   * Keys of the session tags that go on to the roles taken on from this one.
   * @default - none
   */
  readonly transitiveTagKeys?: readonly string[];
  /**
   * Session policy: the session may do what it and the role's policies both allow. An object, or its JSON of
   * at most 2,048 characters.
   * @default - the role's policies alone
   */
  readonly sessionPolicy?: object | string;
  /**
   * Managed policies that are session policies too, as ARNs, at most 10.
   * @default - none
   */
  readonly sessionPolicyArns?: readonly string[];
}

/** AssumeRole's input, with what always is in ours. */
export type RoleInput = Readonly<AssumeRoleCommandInput> & {
  readonly RoleArn: string;
  readonly RoleSessionName: string;
};

/** Limits of AssumeRole, AWS Security Token Service API Reference. */
const MAX_TAGS = 50;
const MAX_POLICY_LENGTH = 2048;
const MAX_POLICY_ARNS = 10;

/** Every partition (aws, aws-cn, aws-us-gov…). IAM identifiers in the IAM User Guide. */
const ROLE_ARN = /^arn:aws[a-z-]*:iam::\d{12}:role\/(?:[\x21-\x7e]{1,510}\/)?[\w+=,.@-]{1,64}$/;
const POLICY_ARN = /^arn:aws[a-z-]*:iam::(?:\d{12}|aws):policy\/[\x21-\x7e]+$/;

/** ExternalId and Tag in AssumeRole. */
const EXTERNAL_ID = /^[\w+=,.@:/-]{2,1224}$/;
const TAG_KEY = /^(?!aws:)[\p{L}\p{Z}\p{N}_.:/=+@-]{1,128}$/iu;
const TAG_VALUE = /^[\p{L}\p{Z}\p{N}_.:/=+@-]{0,256}$/u;

/** Where a value came from, for whoever has to mend it. */
export type Place = (option: keyof RoleOptions) => string;

/** What is wrong with a role's options, a sentence each. */
export function problemsOf(role: RoleOptions, place: Place): string[] {
  const { externalId, sessionTags = {}, transitiveTagKeys = [], sessionPolicyArns = [] } = role;
  const tags = Object.entries(sessionTags);
  const policy = policyText(role.sessionPolicy);
  return [
    !ROLE_ARN.test(role.roleArn) && bad.roleArn(place('roleArn'), role.roleArn),
    externalId !== undefined &&
      !EXTERNAL_ID.test(externalId) &&
      bad.externalId(place('externalId'), externalId),
    tags.length > MAX_TAGS && bad.tooMany(place('sessionTags'), MAX_TAGS, tags.length),
    ...tags.map(
      ([key, value]) =>
        !(TAG_KEY.test(key) && TAG_VALUE.test(value)) && bad.sessionTag(place('sessionTags'), key),
    ),
    ...transitiveTagKeys.map(
      (key) => !(key in sessionTags) && bad.transitiveTagKey(place('transitiveTagKeys'), key),
    ),
    policy !== undefined &&
      !(policy.length <= MAX_POLICY_LENGTH && isJsonObject(policy)) &&
      bad.sessionPolicy(place('sessionPolicy'), MAX_POLICY_LENGTH, policy.length),
    sessionPolicyArns.length > MAX_POLICY_ARNS &&
      bad.tooMany(place('sessionPolicyArns'), MAX_POLICY_ARNS, sessionPolicyArns.length),
    ...sessionPolicyArns.map(
      (arn) => !POLICY_ARN.test(arn) && bad.policyArn(place('sessionPolicyArns'), arn),
    ),
  ].filter((problem) => problem !== false);
}

/** The role's part of AssumeRole's input; what isn't given isn't in it. */
export function inputOf(role: RoleOptions): Omit<RoleInput, 'RoleSessionName'> {
  const { externalId, sessionTags, transitiveTagKeys, sessionPolicyArns } = role;
  const policy = policyText(role.sessionPolicy);
  return {
    RoleArn: role.roleArn,
    ...(externalId !== undefined && { ExternalId: externalId }),
    ...(sessionTags && { Tags: Object.entries(sessionTags).map(([Key, Value]) => ({ Key, Value })) }),
    ...(transitiveTagKeys && { TransitiveTagKeys: [...transitiveTagKeys] }),
    ...(policy !== undefined && { Policy: policy }),
    ...(sessionPolicyArns && { PolicyArns: sessionPolicyArns.map((arn) => ({ arn })) }),
  };
}

function policyText(policy: object | string | undefined): string | undefined {
  return typeof policy === 'object' ? JSON.stringify(policy) : policy;
}

function isJsonObject(text: string): boolean {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed);
  } catch {
    return false;
  }
}
