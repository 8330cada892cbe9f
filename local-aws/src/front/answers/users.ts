import { userId } from '../authorization/identities';
import { text, type Mapping } from '../mapping/ask';
import { invalid } from '../refusal';
import { escapeXml, type Response } from './refusal-response';

/** moto has boundaries on roles but not on users, so these are kept here. */
export const USER_BOUNDARY_OPERATIONS = new Set([
  'PutUserPermissionsBoundary',
  'DeleteUserPermissionsBoundary',
]);

/** @throws Refusal as IAM does */
export async function answerUserBoundary(
  { call, world, account }: Mapping,
  requestId: string,
): Promise<Response> {
  const name = text(call.input.UserName) ?? '';
  const { identities } = world;
  if ((await identities.user(account, name)) === undefined)
    throw invalid('NoSuchEntity', `The user with name ${name} cannot be found.`, 404);
  const boundary = text(call.input.PermissionsBoundary);
  if (
    call.operation === 'PutUserPermissionsBoundary' &&
    (await identities.managedPolicy(account, boundary ?? '')) === undefined
  )
    throw invalid('NoSuchEntity', `Policy ${boundary ?? ''} does not exist or is not attachable.`, 404);
  identities.setUserBoundary(
    account,
    name,
    call.operation === 'PutUserPermissionsBoundary' ? boundary : undefined,
  );
  const body = `<${call.operation}Response xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><ResponseMetadata><RequestId>${requestId}</RequestId></ResponseMetadata></${call.operation}Response>`;
  return { status: 200, headers: { 'content-type': 'text/xml' }, body };
}

/** Operations whose answer tells of users. */
export const TELLS_OF_USERS = new Set([
  'CreateAccessKey',
  'CreateUser',
  'GetAccountAuthorizationDetails',
  'GetGroup',
  'GetUser',
  'ListUsers',
]);

/** moto's answer, with the ids that AWS's users would have. */
export const withUserIds = (xml: string) => xml.replaceAll(/(?<=<UserId>)[^<]+/g, (id) => userId(id));

/** moto's answer to GetUser or CreateUser, with the boundary that it lacks. */
export function withBoundary(xml: string, boundary: string | undefined): string {
  if (boundary === undefined || xml.includes('<PermissionsBoundaryArn>')) return xml;
  const element = `<PermissionsBoundary><PermissionsBoundaryType>Policy</PermissionsBoundaryType><PermissionsBoundaryArn>${escapeXml(boundary)}</PermissionsBoundaryArn></PermissionsBoundary>`;
  return xml
    .replace(/<PermissionsBoundary\s*\/>|<PermissionsBoundary><\/PermissionsBoundary>/, '')
    .replace('</User>', `${element}</User>`);
}
