import { readFileSync } from 'node:fs';

/** Version of the AWS provider that the bindings are of; Terraform takes exactly this one. */
export function awsProviderVersion(): string {
  const description = readFileSync(require.resolve('@cdktf/provider-aws/package.json'), 'utf8');
  return (JSON.parse(description) as { cdktf: { provider: { version: string } } }).cdktf.provider.version;
}
