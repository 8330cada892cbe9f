export { roleCredentials } from './role-credentials';
export type { CredentialsProvider, RoleCredentialsOptions } from './settings';
