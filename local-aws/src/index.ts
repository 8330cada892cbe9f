export { controlOf, type Control, type ControlAccess, type ServiceCredentials } from './control';
export type { GithubTokenOptions } from './front/github-issuer';
export type { LoggedDecision } from './front/decision-log';
export { decisionTable } from './decision-table';
export { LocalAwsError } from './errors';
export { leastPolicy, type LeastPolicy } from './least-policy';
export { findMoto, type MotoCommand } from './machine/find-moto';
export { findTerraform, type Terraform } from './machine/find-terraform';
export { localEnvironment, startLocalAws, type LocalAws, type LocalAwsOptions } from './local-aws';
export { findProviderMirror, type MirrorSearch } from './machine/provider-mirror';
export {
  terraformForThisMachine,
  writeTerraformConfiguration,
  type TerraformForThisMachine,
  type TerraformOptions,
} from './machine/terraform-configuration';
export { TERRAFORM_1_11_4, type TerraformRelease } from './machine/terraform-release';
export { signedFetch, type SignedRequest, type Signer } from './signed-fetch';
