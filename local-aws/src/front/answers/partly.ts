import { isRecord, records, text, texts, type Mapping } from '../mapping/ask';
import { objectsToDelete, type ObjectToDelete } from '../mapping/services/s3';
import { escapeXml } from './refusal-response';

/** A request whose parts are refused one by one, in an answer that is none of a refusal. */
export interface Partly {
  /** The request for what isn't refused, written anew so that it says what was decided. @default - nothing is left */
  readonly body: Buffer | undefined;
  /** moto's answer when it isn't asked. */
  readonly nothing: string;
  readonly contentType: string;
  /** moto's answer with an error for each part that is refused. */
  readonly withErrors: (answer: string) => string;
}

/** What each refused part is told, by its place in the request. */
export type RefusedParts = ReadonlyMap<number, string>;

/** @returns undefined for a request that is refused as a whole, or not at all */
export function partly(mapping: Mapping, refused: RefusedParts): Partly | undefined {
  const { service, operation } = mapping.call;
  if (service.prefix === 's3' && operation === 'DeleteObjects') return deletePartly(mapping, refused);
  if (service.prefix === 'secretsmanager' && operation === 'BatchGetSecretValue')
    return getPartly(mapping, refused);
  return undefined;
}

const S3_NAMESPACE = 'http://s3.amazonaws.com/doc/2006-03-01/';

/** Amazon S3 API Reference, "DeleteObjects": each key has a result of its own. */
function deletePartly(mapping: Mapping, refused: RefusedParts): Partly {
  const objects = objectsToDelete(mapping);
  const allowed = objects.filter((_object, part) => !refused.has(part));
  const errors = objects.map((object, part) => {
    const message = refused.get(part);
    return message === undefined
      ? ''
      : `<Error>${named(object)}<Code>AccessDenied</Code><Message>${escapeXml(message)}</Message></Error>`;
  });
  const quiet = isRecord(mapping.call.input.Delete) && mapping.call.input.Delete.Quiet === true;
  const content = allowed.map((object) => `<Object>${named(object)}</Object>`).join('');
  return {
    body:
      allowed.length === 0
        ? undefined
        : Buffer.from(
            `<Delete xmlns="${S3_NAMESPACE}">${quiet ? '<Quiet>true</Quiet>' : ''}${content}</Delete>`,
          ),
    nothing: `<?xml version="1.0" encoding="UTF-8"?>\n<DeleteResult xmlns="${S3_NAMESPACE}"></DeleteResult>`,
    contentType: 'application/xml',
    withErrors: (xml) => xml.replace('</DeleteResult>', `${errors.join('')}</DeleteResult>`),
  };
}

const named = ({ key, version }: ObjectToDelete) =>
  `<Key>${escapeXml(key)}</Key>${version === undefined ? '' : `<VersionId>${escapeXml(version)}</VersionId>`}`;

/** AWS Secrets Manager API Reference, "BatchGetSecretValue": what can't be read is among the errors. */
function getPartly({ call, body }: Mapping, refused: RefusedParts): Partly {
  const ids = texts(call.input.SecretIdList);
  const allowed = ids.filter((_id, part) => !refused.has(part));
  const errors = ids.flatMap((id, part) => {
    const message = refused.get(part);
    return message === undefined
      ? []
      : [{ SecretId: id, ErrorCode: 'AccessDeniedException', Message: message }];
  });
  const given = JSON.parse(body.toString('utf8')) as object;
  return {
    body: allowed.length === 0 ? undefined : Buffer.from(JSON.stringify({ ...given, SecretIdList: allowed })),
    nothing: JSON.stringify({ SecretValues: [], Errors: [] }),
    contentType: 'application/x-amz-json-1.1',
    withErrors: (json) => {
      const answer = JSON.parse(json) as Record<string, unknown>;
      return text(answer.__type) === undefined
        ? JSON.stringify({ ...answer, Errors: [...records(answer.Errors), ...errors] })
        : json;
    },
  };
}
