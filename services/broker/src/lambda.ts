import { embeddedMetrics } from './metrics';
import { createBroker } from './broker';
import { readSettings } from './settings';

/** What of API Gateway's event is read (API Gateway Developer Guide, "Lambda proxy integrations", format 2.0). */
export interface HttpEvent {
  version: '2.0';
  /** Decoded, and cut off at the first question mark that was encoded. */
  rawPath: string;
  rawQueryString?: string;
  headers?: Record<string, string | undefined>;
  body?: string;
  isBase64Encoded?: boolean;
  requestContext: {
    http: { method: string; sourceIp: string };
    authorizer?: { iam?: { userArn?: string } };
  };
}

/** EventBridge's, on a schedule. */
interface ScheduledEvent {
  source: 'aws.events';
}

export interface HttpAnswer {
  statusCode: number;
  headers: Record<string, string>;
  body: string;
}

const metrics = embeddedMetrics(process.env.AWS_LAMBDA_FUNCTION_NAME ?? 'broker', (line) => {
  console.log(line);
});
const broker = createBroker(readSettings(process.env), metrics);

/** The function's handler: answers API Gateway, and cleans up when EventBridge says so. */
export async function handler(event: HttpEvent | ScheduledEvent): Promise<HttpAnswer | undefined> {
  try {
    if ('source' in event) {
      await broker.sweep();
      return undefined;
    }
    return await answer(event);
  } finally {
    metrics.flush();
  }
}

async function answer(event: HttpEvent): Promise<HttpAnswer> {
  const { rawPath, rawQueryString = '', headers = {}, body, isBase64Encoded, requestContext } = event;
  const { method, sourceIp } = requestContext.http;
  const query = rawQueryString === '' ? '' : `?${rawQueryString}`;
  const request = new Request(`https://${headers.host ?? 'broker'}${encoded(rawPath)}${query}`, {
    method,
    headers: Object.entries(headers).flatMap(([name, value]): [string, string][] =>
      value === undefined ? [] : [[name, value]],
    ),
    ...(body !== undefined &&
      method !== 'GET' &&
      method !== 'HEAD' && { body: isBase64Encoded ? Buffer.from(body, 'base64') : body }),
  });
  const response = await broker.app.fetch(request, {
    source: sourceIp,
    verifiedPrincipal: requestContext.authorizer?.iam?.userArn,
  });
  return {
    statusCode: response.status,
    headers: Object.fromEntries(response.headers),
    body: await response.text(),
  };
}

/** HTTP APIs hand a path over decoded, once and whole, and a query as it came. */
function encoded(path: string): string {
  return path.split('/').map(encodeURIComponent).join('/');
}
