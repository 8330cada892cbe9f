import { OperatorError } from '../errors';

export const unreadablePlan = (where: string, why: string) =>
  new OperatorError(
    `${where} can't be read as a plan (${why}): make it with "terraform plan -out=PLAN && terraform show -json PLAN > FILE".`,
  );

export const anotherPlan = (where: string, expected: string, found: string) =>
  new OperatorError(
    `The plan of ${where} is not the one that was approved (its fingerprint is ${found}, not ${expected}); nothing was deployed. Something else was deployed meanwhile, or AWS has changed: run the workflow again and approve the new plan.`,
  );

export const unfinishedPlan = (where: string) =>
  new OperatorError(
    `Terraform ended the plan of ${where} with an error, so it says nothing of what would change: mend what "terraform plan" names and plan again.`,
  );

export const notInGithub = () =>
  new OperatorError(
    '--github is for a step of a GitHub workflow, which sets GITHUB_STEP_SUMMARY and GITHUB_OUTPUT; here, leave it out.',
  );

export const localState = (environment: string) =>
  new OperatorError(
    `The state of ${environment} is local (state in environments/${environment}.ts), so a pipeline, which starts from nothing each time, would take everything for new. Put { backend: 's3', bucket: '…' } there and run "npm run bootstrap-state -- ${environment}" once.`,
  );
