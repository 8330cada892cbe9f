/** One thing that is wrong with what a caller gave: where, what stands there, and what would be right. */
export interface Problem {
  path: string;
  value: unknown;
  expected: string;
}
