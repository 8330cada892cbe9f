import type { Check } from './check';
import { argumentIs, argumentIsSet } from './looks';
import { shown, valueAt } from './resource';
import { secretsIn } from './secret-texts';

const FUNCTION = ['aws_lambda_function'];
const PERMISSION = ['aws_lambda_permission'];
/** Those that AWS no longer mends (Lambda Developer Guide, "Lambda runtimes", "Deprecated runtimes"). */
const DEPRECATED =
  /^(nodejs(\d\.|1[0-8]\.|$)|python(2|3\.[678]$)|ruby2|java8$|dotnet(core|[56]$)|go1|provided$)/;

export const lambdaChecks: readonly Check[] = [
  {
    id: 'CKV_AWS_45',
    asks: 'Variables of functions hold no secret.',
    on: FUNCTION,
    look: ({ body }) =>
      Object.entries((valueAt(body, 'environment.variables') ?? {}) as Record<string, unknown>).flatMap(
        ([name, value]) =>
          secretsIn(value).map((found) => ({ argument: `environment.variables.${name}`, found })),
      ),
  },
  {
    id: 'CKV_AWS_50',
    asks: 'Functions are traced by X-Ray.',
    on: FUNCTION,
    look: argumentIs('tracing_config.mode', 'Active', 'PassThrough'),
  },
  {
    id: 'CKV_AWS_115',
    asks: 'Functions have a limit of their own to how many run at once.',
    on: FUNCTION,
    look: argumentIsSet('reserved_concurrent_executions'),
  },
  {
    id: 'CKV_AWS_116',
    asks: 'Events on which a function failed are kept.',
    on: FUNCTION,
    look: argumentIsSet('dead_letter_config.target_arn'),
  },
  {
    id: 'CKV_AWS_117',
    asks: 'Functions run in a VPC.',
    on: FUNCTION,
    look: argumentIsSet('vpc_config'),
  },
  {
    id: 'CKV_AWS_173',
    asks: 'Variables of functions are encrypted with a KMS key of their own account.',
    on: FUNCTION,
    look: (lambda) =>
      valueAt(lambda.body, 'environment.variables') === undefined ? [] : argumentIsSet('kms_key_arn')(lambda),
  },
  {
    id: 'CKV_AWS_272',
    asks: 'Code of functions is signed.',
    on: FUNCTION,
    look: argumentIsSet('code_signing_config_arn'),
  },
  {
    id: 'CKV_AWS_363',
    asks: 'Functions run on a runtime that AWS still mends.',
    on: FUNCTION,
    look: ({ body: { runtime } }) =>
      DEPRECATED.test(String(runtime)) ? [{ argument: 'runtime', found: shown(runtime) }] : [],
  },
  {
    id: 'CKV_AWS_301',
    asks: 'Nobody in general may call a function.',
    on: PERMISSION,
    look: ({ body: { principal } }) =>
      principal === '*' ? [{ argument: 'principal', found: shown(principal) }] : [],
  },
  {
    id: 'CKV_AWS_364',
    asks: 'A service calls a function for one resource or account, not for everyone.',
    on: PERMISSION,
    look: ({ body: { principal, source_arn: arn, source_account: account } }) =>
      String(principal).endsWith('.amazonaws.com') && arn === undefined && account === undefined
        ? [{ argument: 'source_arn', found: shown(arn) }]
        : [],
  },
];
