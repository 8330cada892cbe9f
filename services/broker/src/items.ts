import type { AttributeValue } from '@aws-sdk/client-dynamodb';

/** An item of DynamoDB as its SDK has it. */
export type Item = Record<string, AttributeValue>;

export const textOf = (value: AttributeValue | undefined): string | undefined => value?.S;

export const textsOf = (value: AttributeValue | undefined): string[] => value?.SS ?? [];

export const numberOf = (value: AttributeValue | undefined): number | undefined =>
  value?.N === undefined ? undefined : Number(value.N);
