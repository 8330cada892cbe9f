import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { LambdaFunction as AwsLambdaFunction } from '@cdktf/provider-aws/lib/lambda-function';
import { LambdaPermission } from '@cdktf/provider-aws/lib/lambda-permission';
import { AssetType, TerraformAsset } from 'cdktf';
import { Construct } from 'constructs';
import { literal } from './literal';
import type { LogGroup } from './log-group';
import type { ServiceRole } from './service-role';

export interface LambdaFunctionProps {
  name: string;
  description: string;
  /** Path of a zip that holds index.js, which exports `handler`. The same bytes are the same deploy. */
  zipFile: string;
  role: ServiceRole;
  /** Where Lambda writes, `/aws/lambda/{name}`; the role must let it. */
  logs: LogGroup;
  /**
   * Anyone who may look at the function can read it: no secret. In place of a text: a construct, whose name or URL it is.
   * @default - none
   */
  environment?: Record<string, string | { readonly name: string } | { readonly url: string }>;
  /** MiB; the share of a processor grows with it. @default 512 */
  memoryMib?: number;
  /** Longest run, in seconds. @default 10 */
  timeoutSeconds?: number;
  tags?: Record<string, string>;
}

/** A Lambda function on Node.js 22 and arm64, with one file of code. */
export class LambdaFunction extends Construct {
  /** References: what uses them comes after the function. */
  readonly name: string;
  readonly arn: string;

  constructor(scope: Construct, id: string, props: LambdaFunctionProps) {
    super(scope, id);
    const {
      name,
      description,
      role,
      logs,
      environment = {},
      memoryMib,
      timeoutSeconds,
      tags,
    } = literal(props);
    const variables = Object.fromEntries(
      Object.entries(environment).map(([variable, value]) => [
        variable,
        typeof value === 'string' ? value : 'url' in value ? value.url : value.name,
      ]),
    );
    const code = new TerraformAsset(this, 'code', { path: props.zipFile, type: AssetType.FILE });
    const lambda = new AwsLambdaFunction(this, 'function', {
      functionName: name,
      description,
      role: role.arn,
      runtime: 'nodejs22.x',
      architectures: ['arm64'],
      handler: 'index.handler',
      filename: code.path,
      sourceCodeHash: createHash('sha256').update(readFileSync(props.zipFile)).digest('base64'),
      memorySize: memoryMib ?? 512,
      timeout: timeoutSeconds ?? 10,
      environment: { variables },
      // Lambda would make the group by itself, without an end and without a key.
      dependsOn: [role, logs],
      ...(tags && { tags }),
    });
    this.name = lambda.functionName;
    this.arn = lambda.arn;
  }

  /**
   * Lets a service call the function, on behalf of one resource.
   *
   * @param sourceArn of the resource: without it, anyone's resource of that service could
   */
  allowCallsFrom(id: string, service: string, sourceArn: string): LambdaPermission {
    return new LambdaPermission(this, id, {
      functionName: this.name,
      action: 'lambda:InvokeFunction',
      principal: service,
      sourceArn,
    });
  }
}
