import { SsmParameter } from '@cdktf/provider-aws/lib/ssm-parameter';
import { TerraformVariable } from 'cdktf';
import { Construct } from 'constructs';
import type { EncryptionKey } from './encryption-key';
import { literal } from './literal';
import { InvalidProps } from './problem';

export interface ParameterProps {
  /** Whole name, such as /kantox/dev/api/config. */
  name: string;
  /** A value that anyone may see: it stands in plans and in the state. */
  value: string;
  tags?: Record<string, string>;
}

/** A String parameter. What is secret goes into a SecretParameter. */
export class Parameter extends Construct {
  readonly name: string;

  constructor(scope: Construct, id: string, props: ParameterProps) {
    super(scope, id);
    const { name, value, tags } = literal(props);
    this.name = name;
    // `insecureValue` is the provider's word for "show it in plans": these are not secrets, and a plan should be readable.
    new SsmParameter(this, 'parameter', {
      name,
      type: 'String',
      insecureValue: value,
      ...(tags && { tags }),
    });
  }
}

export interface SecretParameterProps {
  name: string;
  /** The Terraform variable that brings the value, given as TF_VAR_{variable} in the environment: letters, digits and _. */
  variable: string;
  /** Terraform can't compare a value that it doesn't keep: raising this writes the variable's value anew. */
  version: number;
  key: EncryptionKey;
  tags?: Record<string, string>;
}

/**
 * A SecureString whose value reaches AWS and nothing else: the variable is ephemeral and the argument write-only,
 * so that neither plan nor state holds it (Terraform, "Use temporary write-only arguments"; needs Terraform 1.11).
 */
export class SecretParameter extends Construct {
  readonly name: string;

  constructor(scope: Construct, id: string, props: SecretParameterProps) {
    super(scope, id);
    const { name, variable, version, key, tags } = literal(props);
    // It becomes part of an expression.
    if (!/^[a-z_]\w*$/i.test(props.variable)) {
      throw new InvalidProps(
        `The parameter ${props.name} can't be built: variable is ${JSON.stringify(props.variable)}; expected letters, digits and _, not starting with a digit.`,
      );
    }
    this.name = name;
    const value = new TerraformVariable(this, 'value', {
      type: 'string',
      sensitive: true,
      // Terraform evaluates nothing here, so that a caller's text, as literal() writes it, would not come out as it was.
      description: 'Value of a secret parameter',
      // With no default Terraform would ask for the value at a destroy, too; the precondition asks where it matters.
      default: '',
    });
    value.overrideLogicalId(variable);
    value.addOverride('ephemeral', true);
    new SsmParameter(this, 'parameter', {
      name,
      type: 'SecureString',
      keyId: key.arn,
      valueWo: value.stringValue,
      valueWoVersion: version,
      lifecycle: {
        precondition: [
          {
            condition: `\${var.${variable} != ""}`,
            errorMessage: `The parameter ${name} has no value to be deployed with: set the environment variable TF_VAR_${variable}.`,
          },
        ],
      },
      ...(tags && { tags }),
    });
  }
}
