export { LocalAwsError } from './errors';
export { findMoto, type MotoCommand } from './find-moto';
export { findTerraform, type Terraform } from './find-terraform';
export { localEnvironment, startLocalAws, type LocalAws, type LocalAwsOptions } from './local-aws';
export { findProviderMirror, type MirrorSearch } from './provider-mirror';
export {
  terraformForThisMachine,
  writeTerraformConfiguration,
  type TerraformForThisMachine,
  type TerraformOptions,
} from './terraform-configuration';
export { TERRAFORM_1_11_4, type TerraformRelease } from './terraform-release';
