import type { Environment } from '../environments';

/** What an environment's resources are called. One place, as other systems know these names by heart. */
export function names({ name: environment, organisation }: Pick<Environment, 'name' | 'organisation'>) {
  const own = (what: string) => `${organisation}-${what}-${environment}`;
  return {
    bucket: own,
    dockerHost: own,
    parameterPath: `/${organisation}/${environment}`,
    parameter: (path: string) => `/${organisation}/${environment}/${path}`,
    /** Once an account. */
    repository: (repository: string) => `${organisation}-${repository}`,
    baseUser: own('minikube-base'),
    serviceRole: (service: string) => `${organisation}-${service}-role-${environment}`,
    pushRole: own('github-push'),
    deployRole: own('deploy'),
    boundary: own('boundary'),
    deployBoundary: own('deploy-boundary'),
    key: `${organisation}-${environment}`,
    network: `${organisation}-${environment}`,
    /** The credentials broker: function, API, role, secret and schedule. */
    broker: own('broker'),
    brokerBoundary: own('broker-boundary'),
    brokerAlarm: (what: string) => own(`broker-${what}`),
    brokerTable: (what: string) => own(`broker-${what}`),
    brokerLog: `/aws/lambda/${own('broker')}`,
    /** Under this prefix API Gateway needs no policy for each group (CloudWatch Logs User Guide, "Vended logs"). */
    brokerAccessLog: `/aws/vendedlogs/${own('broker')}`,
    projectRole: (project: string) => own(`project-${project}`),
    projectBoundary: own('project-boundary'),
  };
}
