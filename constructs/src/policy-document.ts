/** An IAM policy as plain data (IAM User Guide, "IAM JSON policy elements reference"), so that tests can simulate it. */
export interface PolicyDocument {
  Version: '2012-10-17';
  Statement: Statement[];
}

export interface Statement {
  Sid: string;
  Effect: 'Allow' | 'Deny';
  Principal?: Partial<Record<'AWS' | 'Service' | 'Federated', string | string[]>>;
  Action: string | string[];
  Resource?: string | string[];
  Condition?: Record<string, Record<string, string | string[]>>;
}

export function policyDocument(...statements: Statement[]): PolicyDocument {
  return { Version: '2012-10-17', Statement: statements };
}

/** `Allow`, the common case, in one line. */
export function allow(
  sid: string,
  actions: string[],
  resources: string[],
  condition?: Statement['Condition'],
): Statement {
  return {
    Sid: sid,
    Effect: 'Allow',
    Action: actions,
    Resource: resources,
    ...(condition && { Condition: condition }),
  };
}

export function deny(
  sid: string,
  actions: string[],
  resources: string[],
  condition?: Statement['Condition'],
): Statement {
  return { ...allow(sid, actions, resources, condition), Effect: 'Deny' };
}
