export type { Credentials } from './credentials';
export { RoleCredentialsError } from './errors';
export type { RoleCredentialsEvent } from './events';
export { type CredentialsRequest, roleCredentials, type RoleCredentialsProvider } from './role-credentials';
export type { RoleOptions } from './role-options';
export type { CredentialsProvider, RoleCredentialsOptions } from './settings';
