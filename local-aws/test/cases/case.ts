import type { PolicyDocument } from './policies';
import type { World } from './world';

/** Who asks, made anew for each case so that none sees another's policies. */
export interface Caller {
  /** @default 'user' */
  kind?: 'user' | 'role' | 'anonymous';
  /** Account of the caller; `OTHER_ACCOUNT` for what crosses accounts. @default ACCOUNT */
  account?: string;
  /** Inline policies. @default - none */
  policies?: PolicyDocument[];
  /** ARNs of managed policies that are attached. @default - none */
  managed?: string[];
  /** Inline policies of a group that the user is in. @default - no group */
  ofGroup?: PolicyDocument[];
  /** Permissions boundary. @default - none */
  boundary?: PolicyDocument;
  /** Tags of the user or role. @default - none */
  tags?: Record<string, string>;
  /** For a role: what it is taken on with. @default - nothing */
  session?: { policy?: PolicyDocument; tags?: Record<string, string>; name?: string };
  /** By the way in that counts as plain HTTP. @default false */
  plain?: boolean;
}

/** One decision of AWS's, with where AWS says so. */
export interface Case {
  /** What it shows, as a statement. */
  name: string;
  /** The AWS documentation page that says so, and what there: `IAM User Guide, "Policy evaluation logic": an explicit deny overrides any allow`. */
  source: string;
  /** Prefix of the service that decides: switched open, it turns a denied case. */
  service: string;
  caller?: Caller | ((world: World) => Caller);
  /** What must be there besides: a bucket policy, a tag. Made as the administrator; nothing that another case could see. */
  given?: (world: World, who: Who) => Promise<unknown>;
  /** The request, by the real SDK, with the caller's credentials. */
  does: (who: Who, world: World) => Promise<unknown>;
  expect: 'allowed' | 'denied';
  /** What the refusal says. @default - anything of an access denied */
  says?: RegExp;
  /** The service refuses it whatever policies say, so that no hole lets it in. @default false */
  notByPolicy?: boolean;
  /** moto lacks the call, or a part of it: allowed is then any answer but a refusal. @default false */
  beyondMoto?: boolean;
}

/** The caller, when its case runs. */
export interface Who {
  /** For any client of the SDK; without credentials for an anonymous one. */
  options: {
    endpoint: string;
    region: string;
    credentials: { accessKeyId: string; secretAccessKey: string; sessionToken?: string };
    forcePathStyle: boolean;
    maxAttempts: number;
  };
  /** Of the user, or of the role's session. */
  arn: string;
  /** Of the user, or of the role itself. */
  principalArn: string;
  account: string;
  /** Name of the user or role, unlike any other case's; of use for names of things, too. */
  name: string;
}
