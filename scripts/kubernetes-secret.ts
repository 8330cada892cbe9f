import { parse, stringify } from 'yaml';
import { z } from 'zod';

/** Says which environment a secret belongs to. */
const ENVIRONMENT_LABEL = 'slipway/environment';

/** Output `minikube_base_credentials` of an environment's stack. */
export const baseCredentials = z.object({
  access_key_id: z.string().min(1),
  secret_access_key: z.string().min(1),
  region: z.string().min(1),
  role_arn: z.string().min(1),
});

export interface SecretProps {
  environment: string;
  /** The one service with AWS access. */
  service: string;
  namespace: string;
  credentials: z.infer<typeof baseCredentials>;
}

/** The Kubernetes secret by which a service gets the base user's key and the role to take on, as YAML. */
export function kubernetesSecret({ environment, service, namespace, credentials }: SecretProps): string {
  return stringify({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      name: secretName(service),
      namespace,
      labels: { 'app.kubernetes.io/managed-by': 'slipway', [ENVIRONMENT_LABEL]: environment },
    },
    type: 'Opaque',
    stringData: {
      AWS_ACCESS_KEY_ID: credentials.access_key_id,
      AWS_SECRET_ACCESS_KEY: credentials.secret_access_key,
      AWS_REGION: credentials.region,
      AWS_ROLE_ARN: credentials.role_arn,
    },
  });
}

export function secretName(service: string): string {
  return `${service}-aws-credentials`;
}

/** The environment that a secret (YAML or JSON) says it belongs to; undefined where it doesn't say. */
export function environmentOf(secret: string): string | undefined {
  try {
    const labels = z
      .object({ metadata: z.object({ labels: z.record(z.string(), z.string()) }) })
      .parse(parse(secret));
    return labels.metadata.labels[ENVIRONMENT_LABEL];
  } catch {
    return undefined;
  }
}
