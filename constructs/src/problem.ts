/** One thing that is wrong with what a caller gave: where, what stands there, and what would be right. */
export interface Problem {
  path: string;
  value: unknown;
  expected: string;
}

/** A construct was given what AWS, or safety, refuses. `message` says what, where and what would be right; it needs no stack trace. */
export class InvalidProps extends Error {
  override readonly name = 'InvalidProps';
}
