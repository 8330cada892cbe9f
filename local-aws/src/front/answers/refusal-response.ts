import { cbor } from '@smithy/core/cbor';
import type { Protocol } from '../mapping/model';
import type { Refusal, RefusalKind } from '../refusal';

export interface Response {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Buffer;
}

type Family = 's3' | 'ec2' | 'query' | 'json' | 'rest';
type Codes = Readonly<Record<Exclude<RefusalKind, 'invalid'>, readonly [code: string, status: number]>>;

/** As each family of services calls what went wrong (each service's API Reference, "Common errors"). */
const CODES: Readonly<Record<Family, Codes>> = {
  s3: {
    'missing-token': ['AccessDenied', 403],
    malformed: ['AuthorizationHeaderMalformed', 400],
    'unknown-key': ['InvalidAccessKeyId', 403],
    signature: ['SignatureDoesNotMatch', 403],
    'not-signed': ['AccessDenied', 403],
    expired: ['ExpiredToken', 400],
    skewed: ['RequestTimeTooSkewed', 403],
    'presigned-expired': ['AccessDenied', 403],
    payload: ['XAmzContentSHA256Mismatch', 400],
    denied: ['AccessDenied', 403],
    gap: ['AccessDenied', 403],
  },
  ec2: {
    'missing-token': ['AuthFailure', 401],
    malformed: ['AuthFailure', 401],
    'unknown-key': ['AuthFailure', 401],
    signature: ['AuthFailure', 401],
    'not-signed': ['AuthFailure', 401],
    expired: ['RequestExpired', 400],
    skewed: ['RequestExpired', 400],
    'presigned-expired': ['RequestExpired', 400],
    payload: ['AuthFailure', 401],
    denied: ['UnauthorizedOperation', 403],
    gap: ['UnauthorizedOperation', 403],
  },
  query: {
    'missing-token': ['MissingAuthenticationToken', 403],
    malformed: ['IncompleteSignature', 400],
    'unknown-key': ['InvalidClientTokenId', 403],
    signature: ['SignatureDoesNotMatch', 403],
    'not-signed': ['SignatureDoesNotMatch', 403],
    expired: ['ExpiredToken', 403],
    skewed: ['SignatureDoesNotMatch', 403],
    'presigned-expired': ['ExpiredToken', 403],
    payload: ['SignatureDoesNotMatch', 403],
    denied: ['AccessDenied', 403],
    gap: ['AccessDenied', 403],
  },
  json: {
    'missing-token': ['MissingAuthenticationTokenException', 400],
    malformed: ['IncompleteSignatureException', 400],
    'unknown-key': ['UnrecognizedClientException', 400],
    signature: ['InvalidSignatureException', 400],
    'not-signed': ['InvalidSignatureException', 400],
    expired: ['ExpiredTokenException', 400],
    skewed: ['InvalidSignatureException', 400],
    'presigned-expired': ['ExpiredTokenException', 400],
    payload: ['InvalidSignatureException', 400],
    denied: ['AccessDeniedException', 400],
    gap: ['AccessDeniedException', 400],
  },
  rest: {
    'missing-token': ['MissingAuthenticationTokenException', 403],
    malformed: ['IncompleteSignatureException', 400],
    'unknown-key': ['UnrecognizedClientException', 403],
    signature: ['InvalidSignatureException', 403],
    'not-signed': ['InvalidSignatureException', 403],
    expired: ['ExpiredTokenException', 403],
    skewed: ['InvalidSignatureException', 403],
    'presigned-expired': ['ExpiredTokenException', 403],
    payload: ['InvalidSignatureException', 403],
    denied: ['AccessDeniedException', 403],
    gap: ['AccessDeniedException', 403],
  },
};

const FAMILIES: Readonly<Record<Protocol, Family>> = {
  'rest-xml': 's3',
  'ec2-query': 'ec2',
  query: 'query',
  json: 'json',
  'rest-json': 'rest',
  'rpc-v2-cbor': 'json',
};

/** A refusal in the service's own form and words. */
export function refusalResponse(
  refusal: Refusal,
  protocol: Protocol,
  requestId: string,
  method: string,
): Response {
  const family = FAMILIES[protocol];
  const [code, status] =
    refusal.kind === 'invalid'
      ? [refusal.code ?? 'ValidationError', refusal.status ?? 400]
      : CODES[family][refusal.kind];
  const message = family === 'ec2' ? ofEc2(refusal) : refusal.message;
  // Nothing more is read of a body that was refused.
  const close = { connection: 'close' };
  switch (protocol) {
    case 'rest-xml': {
      const xml = element('Error', { Code: code, Message: message, RequestId: requestId, HostId: requestId });
      return {
        status,
        headers: {
          ...close,
          'content-type': 'application/xml',
          'x-amz-request-id': requestId,
          'x-amz-id-2': requestId,
        },
        body: method === 'HEAD' ? '' : `<?xml version="1.0" encoding="UTF-8"?>\n${xml}`,
      };
    }
    case 'ec2-query': {
      const error = element('Error', { Code: code, Message: message });
      return {
        status,
        headers: { ...close, 'content-type': 'text/xml;charset=UTF-8', 'x-amzn-requestid': requestId },
        body: `<?xml version="1.0" encoding="UTF-8"?>\n<Response><Errors>${error}</Errors><RequestID>${requestId}</RequestID></Response>`,
      };
    }
    case 'query': {
      const error = element('Error', { Type: 'Sender', Code: code, Message: message });
      return {
        status,
        headers: { ...close, 'content-type': 'text/xml', 'x-amzn-requestid': requestId },
        body: `<ErrorResponse>${error}<RequestId>${requestId}</RequestId></ErrorResponse>`,
      };
    }
    case 'rpc-v2-cbor':
      return {
        status,
        headers: {
          ...close,
          'content-type': 'application/cbor',
          'smithy-protocol': 'rpc-v2-cbor',
          'x-amzn-requestid': requestId,
        },
        body: Buffer.from(cbor.serialize({ __type: code, message })),
      };
    case 'json':
      return {
        status,
        headers: { ...close, 'content-type': 'application/x-amz-json-1.1', 'x-amzn-requestid': requestId },
        // Services differ in the case of the member, and SDKs read either.
        body: JSON.stringify({ __type: code, message, Message: message }),
      };
    case 'rest-json':
      return {
        status,
        headers: {
          ...close,
          'content-type': 'application/json',
          'x-amzn-requestid': requestId,
          'x-amzn-errortype': code,
        },
        body: JSON.stringify({ message, Message: message }),
      };
  }
}

function ofEc2({ kind, message }: Refusal): string {
  if (kind === 'denied') return `You are not authorized to perform this operation. ${message}`;
  if (['unknown-key', 'signature', 'not-signed', 'payload', 'missing-token', 'malformed'].includes(kind))
    return `AWS was not able to validate the provided access credentials: ${message}`;
  return message;
}

/** An XML element with texts. */
export function element(name: string, texts: Readonly<Record<string, string>>): string {
  const inner = Object.entries(texts).map(([child, value]) => `<${child}>${escapeXml(value)}</${child}>`);
  return `<${name}>${inner.join('')}</${name}>`;
}

export function escapeXml(value: string): string {
  return value
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
