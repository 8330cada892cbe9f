import type { Waiver } from './check';

/** Where an environment is rightly different from what a check asks. A waiver that nothing needs is an error. */
export const waivers: readonly Waiver[] = [
  {
    ids: ['CKV_AWS_18'],
    resources: ['aws_s3_bucket.bucket-logs_*'],
    reason: 'It is where the access logs go: logging itself, it would write a log of each log.',
  },
  {
    ids: ['CKV_AWS_145'],
    resources: ['aws_s3_bucket.bucket-logs_*'],
    reason: 'S3 delivers access logs to buckets under its own key (AES256) only.',
  },
  {
    ids: ['CKV2_AWS_34'],
    resources: ['aws_ssm_parameter.parameter-api-config_*', 'aws_ssm_parameter.parameter-features-flags_*'],
    reason: 'Not secret: the value stands in environments/, and is meant to be read in a plan.',
  },
  {
    ids: ['CKV_AWS_40'],
    resources: ['aws_iam_user_policy.access_base-user_assume-role_*'],
    reason: 'The one user there is may do one thing, take on one role; a group of one would hide that.',
  },
  {
    ids: ['CKV_AWS_61'],
    resources: ['aws_iam_role.access_service-api_*'],
    reason: 'Deprecated, and without any permission: it stands so that nothing that names it breaks.',
  },
  {
    ids: ['CKV_AWS_290', 'CKV_AWS_355'],
    resources: ['aws_iam_role_policy.host-*_role_permissions_*', 'aws_iam_policy.access_boundary_*'],
    reason:
      'ssm:UpdateInstanceInformation: the host that reports about itself is made after its role, and has no known ARN. AWS asks for "*", too (Systems Manager User Guide, "Create a custom IAM role for Session Manager").',
  },
  {
    ids: ['CKV_AWS_260'],
    resources: ['aws_vpc_security_group_ingress_rule.host-*_in-80-from-0-0-0-0-0_*'],
    reason: 'A Docker host serves the web, unless its webCidrs say to whom alone.',
  },
  {
    ids: ['CKV_AWS_382'],
    resources: ['aws_vpc_security_group_egress_rule.host-*_out_*'],
    reason: 'What the containers of a Docker host call is not known here: registries, APIs, databases.',
  },
  {
    ids: ['CKV_AWS_126'],
    resources: ['aws_instance.host-*'],
    reason:
      'Measured every five minutes: every minute costs about 2 USD a host and month, and nothing here acts on it.',
  },
  {
    ids: ['CKV_AWS_88'],
    resources: ['aws_instance.host-*'],
    reason:
      'A Docker host serves the web without a load balancer before it, and reaches registries and Session Manager without a NAT gateway.',
  },
  {
    ids: ['CKV_AWS_158'],
    resources: ['aws_cloudwatch_log_group.broker_access-log_*'],
    reason:
      "When, from where and with what status, without an id or a token: CloudWatch's own key is enough, and no key stands before the API.",
  },
  {
    ids: ['CKV2_AWS_57'],
    resources: ['aws_secretsmanager_secret.broker_secret_*'],
    reason:
      'Head nodes hold it: an operator puts a new one there and in the secret. The broker takes the one before it for a while.',
  },
  {
    ids: ['CKV_AWS_50'],
    resources: ['aws_lambda_function.broker_function_*'],
    reason: 'Its log and its metrics say how long each answer took; nobody here looks at traces.',
  },
  {
    ids: ['CKV_AWS_115'],
    resources: ['aws_lambda_function.broker_function_*'],
    reason:
      'The API lets so many requests through and no more. A limit of its own would take from the account what it gives.',
  },
  {
    ids: ['CKV_AWS_116'],
    resources: ['aws_lambda_function.broker_function_*'],
    reason:
      'Whoever calls the API hears of a failure at once, and what the schedule calls comes again in an hour.',
  },
  {
    ids: ['CKV_AWS_117'],
    resources: ['aws_lambda_function.broker_function_*'],
    reason: 'It calls AWS alone, and listens to nobody but the API.',
  },
  {
    ids: ['CKV_AWS_173'],
    resources: ['aws_lambda_function.broker_function_*'],
    reason: 'Its variables hold names and addresses. The one secret is in Secrets Manager.',
  },
  {
    ids: ['CKV_AWS_272'],
    resources: ['aws_lambda_function.broker_function_*'],
    reason:
      'Whoever may deploy its code could sign it as well: the pipeline. What is deployed is the plan that was approved.',
  },
  {
    ids: ['CKV_AWS_309'],
    resources: ['aws_apigatewayv2_route.broker_api_route-*'],
    reason:
      "A job shows its token and a head node its secret, which the broker checks; /health says nothing. With headNodeAuth: 'iam' the head node's routes ask IAM.",
  },
];
