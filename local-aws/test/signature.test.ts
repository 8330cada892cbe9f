import { Readable } from 'node:stream';
import { checkedBody } from '../src/front/authentication/payload';
import { checkSignature, checkTime, readSignature } from '../src/front/authentication/signature';
import type { RequestHead } from '../src/front/request-head';

/** The examples of AWS's own documentation, with the signatures that it gives. */
const S3_SECRET = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY';
const SCOPE = 'AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request';
const EMPTY = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

const head = (change: Partial<RequestHead>): RequestHead => ({
  method: 'GET',
  path: '/',
  query: [],
  headers: {},
  secure: true,
  sourceIp: '127.0.0.1',
  ...change,
});
const authorization = (signedHeaders: string, signature: string) =>
  `AWS4-HMAC-SHA256 Credential=${SCOPE},SignedHeaders=${signedHeaders},Signature=${signature}`;

function accepts(request: RequestHead, secret: string, hash: string): void {
  const signed = readSignature(request);
  if (!signed) throw new Error('unsigned');
  checkSignature(request, signed, secret, hash);
}

describe('S3 API Reference, "Signature Calculations for the Authorization Header: Transferring Payload in a Single Chunk"', () => {
  const host = 'examplebucket.s3.amazonaws.com';
  const dated = { host, 'x-amz-content-sha256': EMPTY, 'x-amz-date': '20130524T000000Z' };
  test.each([
    [
      'GET Object',
      head({
        path: '/test.txt',
        headers: {
          ...dated,
          range: 'bytes=0-9',
          authorization: authorization(
            'host;range;x-amz-content-sha256;x-amz-date',
            'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41',
          ),
        },
      }),
      EMPTY,
    ],
    [
      'PUT Object',
      head({
        method: 'PUT',
        path: '/test%24file.text',
        headers: {
          ...dated,
          date: 'Fri, 24 May 2013 00:00:00 GMT',
          'x-amz-content-sha256': '44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072',
          'x-amz-storage-class': 'REDUCED_REDUNDANCY',
          authorization: authorization(
            'date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class',
            '98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd',
          ),
        },
      }),
      '44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072',
    ],
    [
      'GET Bucket Lifecycle',
      head({
        query: [['lifecycle', '']],
        headers: {
          ...dated,
          authorization: authorization(
            'host;x-amz-content-sha256;x-amz-date',
            'fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543',
          ),
        },
      }),
      EMPTY,
    ],
    [
      'GET Bucket (List Objects)',
      head({
        query: [
          ['max-keys', '2'],
          ['prefix', 'J'],
        ],
        headers: {
          ...dated,
          authorization: authorization(
            'host;x-amz-content-sha256;x-amz-date',
            '34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7',
          ),
        },
      }),
      EMPTY,
    ],
  ])('%s', (_name, request, hash) => {
    expect(() => {
      accepts(request, S3_SECRET, hash);
    }).not.toThrow();
    expect(() => {
      accepts({ ...request, path: '/other' }, S3_SECRET, hash);
    }).toThrow('does not match the signature you provided');
    expect(() => {
      accepts(request, `${S3_SECRET}x`, hash);
    }).toThrow('does not match the signature you provided');
  });
});

test('S3 API Reference, "Authenticating Requests: Using Query Parameters"', () => {
  const request = head({
    path: '/test.txt',
    query: [
      ['X-Amz-Algorithm', 'AWS4-HMAC-SHA256'],
      ['X-Amz-Credential', SCOPE],
      ['X-Amz-Date', '20130524T000000Z'],
      ['X-Amz-Expires', '86400'],
      ['X-Amz-SignedHeaders', 'host'],
      ['X-Amz-Signature', 'aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404'],
    ],
    headers: { host: 'examplebucket.s3.amazonaws.com' },
  });

  accepts(request, S3_SECRET, 'UNSIGNED-PAYLOAD');

  const longer = request.query.map(
    ([name, value]) => [name, name === 'X-Amz-Expires' ? '86401' : value] as const,
  );
  expect(() => {
    accepts({ ...request, query: longer }, S3_SECRET, 'UNSIGNED-PAYLOAD');
  }).toThrow('does not match the signature you provided');
});

test('IAM User Guide, "Create a signed AWS API request": IAM ListUsers', () => {
  const request = head({
    query: [
      ['Action', 'ListUsers'],
      ['Version', '2010-05-08'],
    ],
    headers: {
      'content-type': 'application/x-www-form-urlencoded; charset=utf-8',
      host: 'iam.amazonaws.com',
      'x-amz-date': '20150830T123600Z',
      authorization:
        'AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, SignedHeaders=content-type;host;x-amz-date, Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7',
    },
  });

  accepts(request, 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY', EMPTY);
});

describe('S3 API Reference, "Signature Calculations for the Authorization Header: Transferring Payload in Multiple Chunks"', () => {
  const request = head({
    method: 'PUT',
    path: '/examplebucket/chunkObject.txt',
    headers: {
      host: 's3.amazonaws.com',
      'content-encoding': 'aws-chunked',
      'content-length': '66824',
      'x-amz-content-sha256': 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD',
      'x-amz-date': '20130524T000000Z',
      'x-amz-decoded-content-length': '66560',
      'x-amz-storage-class': 'REDUCED_REDUNDANCY',
      authorization: authorization(
        'content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class',
        '4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9',
      ),
    },
  });
  const FIRST = 'ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648';
  const SECOND = '0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497';
  const LAST = 'b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9';
  const body = [
    `10000;chunk-signature=${FIRST}\r\n${'a'.repeat(65_536)}\r\n`,
    `400;chunk-signature=${SECOND}\r\n${'a'.repeat(1024)}\r\n`,
    `0;chunk-signature=${LAST}\r\n\r\n`,
  ].join('');

  /** What goes on to moto, sent in pieces of so many bytes. */
  async function passed(sent: string, piece: number, decodedLength = 66_560): Promise<string> {
    const signed = readSignature(request);
    if (!signed) throw new Error('unsigned');
    const hash = 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD';
    const seed = checkSignature(request, signed, S3_SECRET, hash);
    const check = checkedBody(hash, decodedLength, seed);
    if (!check) throw new Error('unchecked');
    const bytes = Buffer.from(sent, 'latin1');
    const pieces = Array.from({ length: Math.ceil(bytes.length / piece) }, (_, index) =>
      bytes.subarray(index * piece, (index + 1) * piece),
    );
    let through = '';
    check.on('data', (chunk: Buffer) => (through += chunk.toString('latin1')));
    const ended = new Promise<void>((resolve, reject) => {
      check.once('end', resolve);
      check.once('error', reject);
    });
    Readable.from(pieces, { objectMode: false }).pipe(check);
    return ended.then(
      () => through,
      (error: unknown) => `${(error as Error).message} (after ${through.length} bytes)`,
    );
  }

  test.each([1000, 65_536, 100_000])('passes as it came, in pieces of %i bytes', async (piece) => {
    expect(await passed(body, piece)).toBe(body);
  });

  test('passes byte by byte', async () => {
    expect(await passed(body, 1)).toBe(body);
  });

  const failure = /not the one that was signed|not in aws-chunked encoding/;
  test.each([
    ['a changed byte', body.replace('aaaa\r\n400', 'aaab\r\n400'), 66_560],
    ['a changed byte of the last chunk', body.replace('aaaa\r\n0;', 'aaab\r\n0;'), 66_560],
    ['chunks in another order', body.replace(FIRST, SECOND), 66_560],
    ['another signature of the empty chunk', body.replace(LAST, FIRST), 66_560],
    ['a missing end', body.slice(0, -2), 66_560],
    ['a cut in the middle of a chunk', body.slice(0, 30_000), 66_560],
    ['a left-out chunk', body.replace(/400;[^]*(?=\r\n0;)/, ''), 66_560],
    ['bytes behind the end', `${body}GET / HTTP/1.1\r\n\r\n`, 66_560],
    ['another length than was announced', body, 66_561],
    ['no chunks at all', 'a'.repeat(66_824), 66_560],
  ])('never ends whole with %s', async (_what, sent, length) => {
    const result = await passed(sent, 10_000, length);
    expect(result).toMatch(failure);
    expect(Number(/after (\d+) bytes/.exec(result)?.[1])).toBeLessThan(body.length);
  });
});

test('a plain body goes on whole only when its digest is the signed one', async () => {
  const digest = '2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824'; // of "hello"
  const through = async (text: string) => {
    const check = checkedBody(digest, undefined, undefined);
    if (!check) throw new Error('unchecked');
    let passed = '';
    check.on('data', (chunk: Buffer) => (passed += chunk.toString()));
    const ended = new Promise<string>((resolve) => {
      check.once('end', () => {
        resolve('');
      });
      check.once('error', (error) => {
        resolve(error.message);
      });
    });
    Readable.from(
      Array.from(Buffer.from(text), (byte) => Buffer.of(byte)),
      { objectMode: false },
    ).pipe(check);
    return [await ended, passed];
  };

  expect(await through('hello')).toEqual(['', 'hello']);
  expect(await through('hellO')).toEqual([
    "The provided 'x-amz-content-sha256' header does not match what was computed.",
    'hell',
  ]);
});

describe('time', () => {
  const at =
    (change: number, query: readonly (readonly [string, string])[] = []) =>
    () => {
      const signed = readSignature(
        head(
          query.length > 0
            ? { query }
            : {
                headers: {
                  host: 'h',
                  'x-amz-date': '20130524T000000Z',
                  authorization: authorization('host', 'a'),
                },
              },
        ),
      );
      if (signed) checkTime(signed, Date.parse('2013-05-24T00:00:00Z') + change);
    };
  const presigned = [
    ['X-Amz-Algorithm', 'AWS4-HMAC-SHA256'],
    ['X-Amz-Credential', SCOPE],
    ['X-Amz-Date', '20130524T000000Z'],
    ['X-Amz-Expires', '3600'],
    ['X-Amz-SignedHeaders', 'host'],
    ['X-Amz-Signature', 'a'],
  ] as const;

  test('five minutes in both directions, for a presigned URL its own', () => {
    expect(at(299_000)).not.toThrow();
    expect(at(-299_000)).not.toThrow();
    expect(at(301_000)).toThrow('Signature expired: 20130524T000000Z is now earlier than 20130524T000001Z');
    expect(at(-301_000)).toThrow('Signature not yet current: 20130524T000000Z is still later than');
    expect(at(3_599_000, presigned)).not.toThrow();
    expect(at(3_601_000, presigned)).toThrow('Request has expired');
  });
});

test.each([
  [
    'another algorithm',
    { headers: { authorization: 'AWS AKIA:abc' } },
    'requires the algorithm AWS4-HMAC-SHA256',
  ],
  [
    'no signature',
    { headers: { authorization: `AWS4-HMAC-SHA256 Credential=${SCOPE}, SignedHeaders=host` } },
    'has no Signature',
  ],
  [
    'half a scope',
    {
      headers: {
        authorization: 'AWS4-HMAC-SHA256 Credential=AKIA/20130524/s3, SignedHeaders=host, Signature=a',
      },
    },
    'expecting "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request"',
  ],
  [
    'no date',
    { headers: { authorization: authorization('host', 'a') } },
    'requires a valid Date or x-amz-date header',
  ],
  [
    'a signature twice',
    {
      headers: { authorization: authorization('host', 'a') },
      query: [['X-Amz-Signature', 'a']] as [string, string][],
    },
    'Only one auth mechanism is allowed',
  ],
])('a request with %s is refused in a sentence', (_what, change, sentence) => {
  expect(() => readSignature(head(change))).toThrow(sentence);
});

test('a header of S3 that was added behind the signature is noticed', () => {
  const request = head({
    headers: {
      host: 'h',
      'x-amz-date': '20130524T000000Z',
      'x-amz-acl': 'public-read',
      authorization: authorization('host;x-amz-date', 'a'),
    },
  });
  expect(() => {
    accepts(request, S3_SECRET, EMPTY);
  }).toThrow('not signed: x-amz-acl');
});
