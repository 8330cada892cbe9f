import { z } from 'zod';
import {
  cidr,
  environmentName,
  githubName,
  label,
  organisationName,
  parameterPath,
  projectId,
  region,
  tagKey,
  tagValue,
  variableName,
  vpcCidr,
} from './fields';

/** Server-side encryption: a customer managed KMS key of the environment's own, or S3's own keys (SSE-S3). */
const encryption = z.enum(['KMS', 'AES256']);

const days = z.int().min(1, 'at least 1 day').max(3650, 'at most 3650 days');

const bucket = z.strictObject({
  /** Becomes `{organisation}-{name}-{environment}`. */
  name: label(30),
  /** @default 'KMS' */
  encryption: encryption.default('KMS'),
  /** Days after which a replaced or deleted version of an object is removed for good. @default 90 */
  expireOldVersionsAfterDays: days.default(90),
  /** Days after which objects themselves are removed. @default - never */
  expireAfterDays: days.optional(),
  /**
   * Where rarely read objects go: `intelligent` lets S3 decide for each object; days name the moment by hand
   * (S3 takes none into Standard-IA before 30 days).
   * @default - objects stay in S3 Standard
   */
  tiering: z
    .union(
      [
        z.literal('intelligent'),
        z
          .strictObject({
            infrequentAccessAfterDays: days
              .min(30, 'at least 30 days (a limit of S3 Standard-IA)')
              .optional(),
            glacierAfterDays: days.optional(),
          })
          .refine(
            (moves) => Object.keys(moves).length > 0,
            'infrequentAccessAfterDays, glacierAfterDays or both',
          ),
      ],
      "'intelligent', or days such as { infrequentAccessAfterDays: 30 }",
    )
    .optional(),
});

const parameter = z.union(
  [
    z.strictObject({
      path: parameterPath,
      value: z
        .string()
        .min(1)
        .refine(
          (text) => !text.includes('{{'),
          'text without {{, which Systems Manager reads as a reference',
        ),
    }),
    z.strictObject({ path: parameterPath, json: z.json() }),
    z.strictObject({
      path: parameterPath,
      /**
       * A SecureString. Its value comes from the environment variable `TF_VAR_{variable}` at deploy time and is
       * written to SSM alone: neither Terraform's state nor `cdktf.out` holds it. Terraform can't see whether such
       * a value has changed: raise `version` to have a new one written.
       */
      secret: z.strictObject({ variable: variableName, version: z.int().min(1) }),
    }),
  ],
  'a path, and exactly one of value, json and secret',
);

const container = z.strictObject({
  name: z.string(),
  image: z.string(),
  ports: z.array(z.string()).optional(),
  environment: z.record(z.string(), z.string()).optional(),
  volumes: z.array(z.string()).optional(),
  restart: z.enum(['no', 'always', 'on-failure', 'unless-stopped']).optional(),
  command: z.array(z.string()).optional(),
});

const dockerHost = z.strictObject({
  /** Becomes `{organisation}-{name}-{environment}`. */
  name: label(30),
  /** @default 't3.medium' */
  instanceType: z
    .string()
    .regex(/^[a-z][a-z0-9-]*\.[a-z0-9-]+$/, 'an EC2 instance type, such as t3.medium')
    .default('t3.medium'),
  /** @default - the latest Amazon Linux 2023 when the host is first built */
  ami: z
    .string()
    .regex(/^ami-[0-9a-f]{8}([0-9a-f]{9})?$/, 'an AMI id, such as ami-0123456789abcdef0')
    .optional(),
  /** Root volume (gp3, encrypted), in GiB. @default 30 */
  volumeSizeGib: z.int().min(8).max(16384).default(30),
  /** Who reaches 80, 443 and 8000-8100. @default - anyone */
  webCidrs: z.array(cidr).default(['0.0.0.0/0']),
  /** Who reaches 22. Session Manager needs no open port. @default - nobody */
  sshCidrs: z.array(cidr).default([]),
  containers: z.array(container).default([]),
  /** A bash script that runs as root once Docker is up. User data can be read on the host: no secret in it. */
  script: z.string().optional(),
});

const network = z.union(
  [
    z.strictObject({
      existing: z.strictObject({
        vpcId: z.string().regex(/^vpc-[0-9a-f]{8,17}$/, 'a VPC id, such as vpc-0123456789abcdef0'),
        subnetId: z
          .string()
          .regex(/^subnet-[0-9a-f]{8,17}$/, 'a subnet id, such as subnet-0123456789abcdef0'),
        /** Whether hosts get a public address. @default - as the subnet does by itself */
        publicAddress: z.boolean().optional(),
      }),
    }),
    z.strictObject({ newWithCidr: vpcCidr }),
  ],
  'either newWithCidr or existing',
);

const service = z.union(
  [
    z.strictObject({
      /** Kubernetes namespace that gets the secret. */
      namespace: label(63),
      /** Buckets by the names above. */
      buckets: z.record(z.string(), z.enum(['read', 'read-write'])).default({}),
      /** For reading: parameters by the paths above, or all of the environment's (they can be listed, too). */
      parameters: z.union([z.literal('all'), z.array(z.string())], "'all', or a list of paths").default([]),
    }),
    /** The role stays, so that nothing that names it breaks, but it may do nothing. */
    z.strictObject({ deprecated: z.literal(true) }),
  ],
  'either namespace, with buckets and parameters, or deprecated: true',
);

const roleArn = z
  .string()
  .regex(/^arn:aws[a-z-]*:iam::\d{12}:role\/[\w+=,.@/-]+$/, 'the ARN of a role, without a wildcard');

const project = z.union(
  [
    z.strictObject({
      /** Buckets by the names above. */
      buckets: z.record(z.string(), z.enum(['read', 'read-write'])).default({}),
      /** For reading: parameters by the paths above. */
      parameters: z.array(z.string()).default([]),
    }),
    /**
     * A role that is made elsewhere. Its trust policy must name the broker's role, for sts:AssumeRole and sts:TagSession.
     * That a user's access can be taken back at once takes a role of this account under the projects' boundary.
     */
    z.strictObject({ roleArn }),
  ],
  'either what its role may use (buckets, parameters) or the roleArn of one that is there',
);

const broker = z.strictObject({
  /**
   * How the broker knows a head node: by a secret, which is generated in Secrets Manager and may be replaced there, or
   * by IAM, as whoever may call the API (execute-api:Invoke).
   * @default 'secret'
   */
  headNodeAuth: z.enum(['secret', 'iam']).default('secret'),
  /** Life of a job's credentials. STS gives a role that takes on another an hour at most. @default 3600 */
  sessionSeconds: z.int().min(900).max(3600).default(3600),
  /** Port of the proxy on compute nodes. @default 9999 */
  localhostPort: z.int().min(1).max(65535).default(9999),
  /** SNS topics of this region that hear of alarms. @default - none; alarms can be seen in CloudWatch */
  alarmTopics: z
    .array(z.string().regex(/^arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[\w-]+$/, 'the ARN of an SNS topic'))
    .default([]),
  /** Projects by their ids, as head nodes give them. Each has a role, `{organisation}-project-{id}-{environment}`. */
  projects: z.record(projectId, project).default({}),
});

/** What differs between environments. The comment of each field says what it means and what it is when left out. */
export const environmentSchema = z.strictObject({
  name: environmentName,
  organisation: organisationName,
  region,
  /** The one account that this environment may be deployed to. */
  account: z.string().regex(/^\d{12}$/, 'an AWS account id of 12 digits, in quotes'),
  /** Where Terraform keeps its state: `terraform.tfstate.d/` of this folder, or an S3 bucket. */
  state: z.discriminatedUnion(
    'backend',
    [
      z.strictObject({ backend: z.literal('local') }),
      z.strictObject({
        backend: z.literal('s3'),
        bucket: z.string().regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, 'an S3 bucket name'),
        /** @default - the environment's region */
        region: region.optional(),
        kmsKeyArn: z
          .string()
          .regex(
            /^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key\/[\w-]+$/,
            'the ARN of a KMS key, not of an alias',
          )
          .optional(),
        /** Terraform's own lock, a file beside the state. @default true */
        lockFile: z.boolean().default(true),
      }),
    ],
    "a backend, 'local' or 's3'",
  ),
  /** On every resource, beside Environment and ManagedBy. */
  tags: z.record(tagKey, tagValue).default({}),
  protection: z.strictObject({
    /**
     * What may happen to buckets that hold objects: `disposable` deletes the objects with the bucket,
     * `keep-objects` refuses to destroy a bucket that isn't empty, `locked` refuses any plan that destroys one.
     */
    buckets: z.enum(['disposable', 'keep-objects', 'locked']),
    /** Buckets that must stand below: a lock goes with the line that it is on, so a line that goes is refused. @default - none */
    keep: z.array(z.string()).default([]),
    /** Whether EC2 refuses to terminate a Docker host, and Terraform to destroy or replace it. */
    hosts: z.boolean(),
  }),
  buckets: z.array(bucket),
  /** The bucket (by name) that gets the access logs of the others. */
  accessLogsBucket: z.string(),
  parameters: z.array(parameter),
  /** ECR repositories exist once an account: one environment owns them, others of the account share them. */
  repositories: z.strictObject({
    owner: z.enum(['this', 'shared']),
    /** Becomes `{organisation}-{name}`. */
    names: z.array(label(40)),
    /** Images kept in each. @default 5 */
    keepLastImages: z.int().min(1).max(1000).default(5),
  }),
  github: z.strictObject({
    /**
     * OWNER/NAME. GitHub's tokens tell the ids, too, of a repository made or renamed since the summer of 2026: then it
     * is OWNER@ID/NAME@ID, as `gh api repos/OWNER/NAME/actions/oidc/customization/sub` says.
     */
    repository: githubName,
    /** GitHub's OIDC provider exists once an account, too. */
    oidcProvider: z.enum(['this', 'shared']),
    /** What may push images: one branch or one GitHub environment. The pipeline's deploy role is bound to the GitHub environment of this environment's name. */
    pushFrom: z.union(
      [
        z.strictObject({ branch: z.string().regex(/^[\w./-]+$/, 'the exact name of a branch, no wildcard') }),
        z.strictObject({
          environment: z.string().regex(/^[\w.-]+$/, 'the exact name of a GitHub environment, no wildcard'),
        }),
      ],
      'either branch or environment',
    ),
  }),
  baseUser: z.strictObject({
    /**
     * One or two labels, oldest first. Each is an access key; the last one goes into the Kubernetes secret. To
     * rotate: npm run rotate-base-keys.
     */
    accessKeys: z
      .array(label(30))
      .min(1, 'one or two labels')
      .max(2, 'one or two labels (IAM allows two keys a user)'),
  }),
  /** Services of the role chain. */
  services: z.record(label(20), service),
  network: network,
  dockerHosts: z.array(dockerHost),
  /**
   * The credentials broker, which gives a cluster's jobs the role of their project. Its tables and its secret are as well
   * protected as buckets are: only `disposable` ones go without a word.
   * @default - none
   */
  broker: broker.optional(),
});

/** An environment as its file states it: what has a default may be left out. */
export type EnvironmentInput = z.input<typeof environmentSchema>;
/** An environment with every default filled in. */
export type Environment = z.output<typeof environmentSchema>;
