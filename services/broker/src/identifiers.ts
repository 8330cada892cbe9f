import { z } from 'zod';

/** What a name may hold: anything that can be shown, in no more than so many bytes of UTF-8. */
const name = (bytes: number) =>
  z
    .string()
    .min(1, 'must not be empty')
    .refine((text) => Buffer.byteLength(text) <= bytes, `must have at most ${bytes} bytes`)
    .refine((text) => !/[\p{C}\p{Zl}\p{Zp}]/u.test(text), 'must hold no control characters')
    // The sessions table keeps what it knows of users and roles under such keys.
    .refine((text) => !text.startsWith('#'), 'must not start with #');

/** What every URL takes for a step within its path. */
const STEP = 'must not be . or ..';
const isNoStep = (text: string) => text !== '.' && text !== '..';

/** A job's id, such as 1300, 1300_4 or 1300.batch; unique in the cluster. */
export const sessionId = z
  .string()
  .regex(/^[\w.+:=@-]{1,128}$/, 'must be 1 to 128 letters, digits or . + : = @ - _')
  .refine(isNoStep, STEP);

/**
 * A name that stands in a path. API Gateway decodes paths and cuts them off at a question mark, so that of an encoded
 * slash, question mark or percent sign the function sees another path.
 */
const pathName = (bytes: number) =>
  name(bytes)
    .refine((text) => !/[/?%]/.test(text), 'must not hold / ? or %')
    .refine(isNoStep, STEP);

/** In the path of a job's credentials, proxies may read a backslash as a slash. */
const jobPathName = (bytes: number) =>
  pathName(bytes).refine((text) => !text.includes('\\'), 'must not hold a backslash');

export const projectId = jobPathName(128);
export const clusterName = jobPathName(128);
/** With a backslash where it is a user of a domain, DOMAIN\user. */
export const clusterUser = pathName(128);

/** What the job's node calls itself; any text, as the session's name is made of it. */
export const roleSessionName = z.string().max(512, 'must have at most 512 characters');

/** ARN of an IAM role (IAM User Guide, "IAM identifiers"), with its path. */
export const roleArn = z
  .string()
  .max(2048)
  .regex(
    /^arn:aws[a-z-]*:iam::\d{12}:role\/[\w+=,.@/-]+$/,
    "must be a role's ARN, such as arn:aws:iam::111122223333:role/slipway/abc",
  );
