import type { LocalBroker } from '../../../scripts/local-broker';

/** What a job gets from its head node. */
export interface Job {
  sessionId: string;
  token: string;
  /** Path of its credentials. */
  path: string;
}

export interface Answered {
  status: number;
  body: Record<string, unknown> & { code?: string; message?: string };
}

/** A head node: the calls that a cluster makes, with its secret. */
export function headNodeOf(broker: Pick<LocalBroker, 'url' | 'headNodeSecret'>) {
  const call = async (method: string, path: string, body?: unknown): Promise<Answered> => {
    const answer = await fetch(broker.url + path, {
      method,
      headers: { authorization: broker.headNodeSecret, 'content-type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    return { status: answer.status, body: (await answer.json()) as Answered['body'] };
  };
  let last = 2000;
  return {
    call,
    /** Starts a job. @param more facts that differ from the usual ones */
    async start(more: Partial<Record<string, string>> = {}): Promise<Job> {
      const session = {
        sessionId: String((last += 1)),
        projectId: 'example',
        clusterName: 'alpha',
        clusterUser: 'user1',
        submittedTime: '2023-08-15T00:00:00',
        ...more,
      };
      const { status, body } = await call('POST', '/sessions', session);
      if (status !== 200) throw new Error(`POST /sessions: ${status} ${JSON.stringify(body)}`);
      const uri = new URL(body.APIGATEWAY_AWS_CONTAINER_CREDENTIALS_FULL_URI as string);
      return {
        sessionId: session.sessionId,
        token: body.AWS_CONTAINER_AUTHORIZATION_TOKEN as string,
        path: `${uri.pathname}?roleSessionName=${encodeURIComponent(`${session.clusterName}-${session.clusterUser}-node1`)}`,
      };
    },
    /** What a job is answered. @param node what its node calls itself @default - as at the start */
    async credentials({ path, token }: Pick<Job, 'path' | 'token'>, node?: string): Promise<Answered> {
      const url = new URL(broker.url + path);
      if (node !== undefined) url.searchParams.set('roleSessionName', node);
      const answer = await fetch(url, { headers: { authorization: token } });
      return { status: answer.status, body: (await answer.json()) as Answered['body'] };
    },
  };
}
