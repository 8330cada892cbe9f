import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { $ } from 'zx';
import { startLocalRun, type LocalRun } from '../scripts/local-run';
import { LONGEST_MARKDOWN, markdown } from '../scripts/plan/markdown';
import { planChanges } from '../scripts/plan/plan-changes';
import { parsePlan } from '../scripts/plan/plan-json';
import { summarize } from '../scripts/plan/summary';
import { terminal } from '../scripts/plan/terminal';
import { terraform } from '../scripts/terraform';

jest.setTimeout(120_000);

const ROOT = join(__dirname, '..');
/** The end of both pages that is the same, as far as it is shown. */
const PAGE_END = String.raw`4\nline 95\nline 96\nline 97\nline 98\nline 99\n`;
const PLANTED = 'planted-"secret"-7f3a';

/** Every kind of change, by resources that need no provider; `gone` and `created` differ between the two versions. */
const CONFIGURATION = `
variable "step" { type = string }
variable "secret" {
  type      = string
  sensitive = true
}
locals { second = var.step == "two" }
resource "terraform_data" "gone" {
  count = local.second ? 0 : 1
  input = "x"
}
resource "terraform_data" "replaced" { triggers_replace = { image = "ami-\${var.step}" } }
resource "terraform_data" "changed" {
  input = {
    "size"         = local.second ? 2 : 1
    "a \`\`\` key" = var.step
    hosts          = local.second ? ["a", "c", "d"] : ["a", "b"]
    rules          = local.second ? [{ port = 80 }, { port = 8443 }] : [{ port = 80 }, { port = 443 }]
    policy = jsonencode({
      Statement = [{ Sid = "Read", Action = local.second ? ["s3:GetObject", "s3:*"] : ["s3:GetObject"] }]
    })
    page  = "\${join("", [for i in range(100) : "line \${i}\\n"])}<script>\${var.step}</script>"
    token = var.secret
    pin   = local.second ? sensitive("12") : sensitive("34")
    on    = local.second ? sensitive(true) : sensitive(false)
    url   = "https://user:\${var.secret}@host"
  }
}
resource "terraform_data" "created" {
  for_each = toset(local.second ? ["p", "q"] : [])
  input    = each.key
}
output "step" { value = var.step }
output "secret" {
  value     = "\${var.step}-\${var.secret}"
  sensitive = true
}`;

const command = (args: string[], env: NodeJS.ProcessEnv = process.env) =>
  $({
    cwd: ROOT,
    quiet: true,
    nothrow: true,
    env,
  })`${process.execPath} --require tsx/cjs ${join(ROOT, 'scripts/plan-summary.ts')} ${args}`;

let folder: string;
let run: LocalRun;
let changes: string;
let nothing: string;
/** What the command says of the changes. */
let told: Awaited<ReturnType<typeof command>>;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'slipway-plans-'));
  run = await startLocalRun({ environment: 'dev' });
  writeFileSync(join(folder, 'main.tf'), CONFIGURATION);
  const quiet = $({ cwd: folder, quiet: true, env: { ...run.env, TF_VAR_secret: PLANTED } });
  await quiet`terraform init`;
  await quiet`terraform apply -auto-approve -var step=one`;
  const plan = async (version: string) => {
    await quiet`terraform plan -out ${version}.plan -var step=${version}`;
    const file = join(folder, `${version}.json`);
    writeFileSync(file, (await quiet`terraform show -json ${version}.plan`).stdout);
    return file;
  };
  changes = await plan('two');
  nothing = await plan('one');
  told = await command([changes]);
});
afterAll(async () => {
  await run.stop();
  rmSync(folder, { recursive: true });
});

test('tells all that a plan does, destroys first, for a terminal', () => {
  const { stdout, exitCode } = told;
  expect(exitCode).toBe(0);
  expect(stdout.replace(changes, 'FILE').replace(/[0-9a-f]{16}\n$/, 'HEX\n')).toBe(`\
FILE: 1 to destroy, 1 to replace, 1 to change, 2 to add
1 resource is destroyed; 1 resource is replaced, which destroys it and makes another.

Destroyed
  terraform_data.gone[0]  beyond its count

Replaced
  terraform_data.replaced  forced by triggers_replace.image
    ! triggers_replace.image: "ami-one" → "ami-two"   (forces the replacement)
      known after apply: id

Changed
  terraform_data.changed
    ! input["a \`\`\` key"]: "one" → "two"
    - input.hosts: "b"
    + input.hosts: "c"
    + input.hosts: "d"
    ! input.on: (sensitive) → (sensitive)
    ! input.page: …"${PAGE_END}<script>one</script>" → …"${PAGE_END}<script>two</script>"
    ! input.pin: (sensitive) → (sensitive)
    + input.policy.Statement[0].Action: "s3:*"
    ! input.rules[1].port: 443 → 8443
    ! input.size: 1 → 2
    ! output: (sensitive) → known after apply

Added
  terraform_data  2: created["p"], created["q"]

Outputs
    ! secret: (sensitive) → (sensitive)
    ! step: "one" → "two"

Fingerprint of this plan: HEX
`);
});

test('and in Markdown, in which nothing of the plan is Markdown or HTML', async () => {
  const { stdout } = await command([changes, '--markdown']);
  expect(stdout).toContain('> ⛔ **1 resource is destroyed; 1 resource is replaced');
  expect(stdout).toContain('### Destroyed\n\n- `terraform_data.gone[0]` beyond its count\n');
  // The fence is longer than what stands in it.
  expect(stdout).toMatch(/\n {2}````diff\n {2}! input\["a ``` key"\][^`]*<script>two[^`]*\n {2}````\n/);
});

test('never shows what is sensitive, not even where Terraform has lost its mark', () => {
  const json = JSON.parse(readFileSync(changes, 'utf8')) as {
    resource_changes: { address: string; change: object }[];
  };
  const changed = json.resource_changes.find(({ address }) => address === 'terraform_data.changed');
  // The resource repeats its input as its output, and Terraform marks nothing there.
  expect(changed).toMatchObject({
    change: { before: { output: { token: PLANTED, pin: '34' } }, before_sensitive: { output: {} } },
  });
  // As drift would tell it: argument by argument.
  const unmarked = structuredClone(json);
  for (const { address, change } of unmarked.resource_changes)
    if (address === 'terraform_data.changed')
      Object.assign(change, { after: { output: {} }, after_unknown: {} });
  for (const plan of [json, unmarked]) {
    const summary = summarize(planChanges(parsePlan(JSON.stringify(plan), 'plan')), { title: 'plan' });
    for (const text of [terminal(summary), markdown(summary, LONGEST_MARKDOWN)]) {
      expect(text).toContain('terraform_data.changed');
      expect(text).not.toMatch(/7f3a|"34"|"12"/);
    }
  }
});

test('says in one line that there are no changes', async () => {
  const { stdout, exitCode } = await command([nothing, '--detailed-exitcode']);
  expect(stdout.split('\n')[0]).toBe(`${nothing}: no changes.`);
  expect(exitCode).toBe(0);
  expect((await command([changes, '--detailed-exitcode'])).exitCode).toBe(2);
});

test('fails where the plan is not the expected one', async () => {
  const mark = (stdout: string) => /plan: ([0-9a-f]{16})\n$/.exec(stdout)?.[1] ?? '';
  const approved = mark(told.stdout);
  expect((await command([changes, '--expect', approved])).exitCode).toBe(0);
  const other = await command([nothing, '--expect', approved]);
  expect(other.exitCode).toBe(1);
  expect(other.stderr).toBe(
    `The plan of ${nothing} is not the one that was approved (its fingerprint is ${mark(other.stdout)}, not ${approved}); nothing was deployed. Something else was deployed meanwhile, or AWS has changed: run the workflow again and approve the new plan.\n`,
  );
});

test('a long plan is cut and counted, but no destroy is left out', () => {
  const one = (address: string, actions: string[], size: number) => ({
    address,
    mode: 'managed',
    type: 'terraform_data',
    change: { actions, before: { id: address, input: 'a' }, after: { id: address, input: 'b'.repeat(size) } },
  });
  const many = (count: number, what: string, actions: string[], size = 100) =>
    Array.from({ length: count }, (_, index) => one(`terraform_data.${what}${index}`, actions, size));
  const plan = {
    format_version: '1.2',
    configuration: {},
    resource_changes: [
      ...many(9_000, 'changed', ['update']),
      ...many(7_000, 'replaced', ['delete', 'create']),
      ...many(5_000, 'gone', ['delete']),
    ],
  };
  const text = markdown(
    summarize(planChanges(parsePlan(JSON.stringify(plan), 'plan')), { title: 'plan' }),
    LONGEST_MARKDOWN,
  );
  expect(Buffer.byteLength(text)).toBeLessThanOrEqual(LONGEST_MARKDOWN);
  expect(text).toContain('## plan: 5000 to destroy, 7000 to replace, 9000 to change\n');
  expect(text.match(/^- `terraform_data\.gone\d+`$/gm)).toHaveLength(5_000);
  expect(text.match(/^- `terraform_data\.replaced\d+`$/gm)).toHaveLength(7_000);
  const left = Number(/Left out: .*\b(\d+) changed\./.exec(text)?.[1]);
  expect(left + (text.match(/^- `terraform_data\.changed\d+`$/gm) ?? []).length).toBe(9_000);
  expect(left).toBeGreaterThan(0);
});

test.each([
  [[], 'Expected one environment or file, got none.'],
  [['dev', 'qa'], 'Expected one environment or file, got dev qa.'],
  [['dev', '--longest', 'x'], '--longest is x; expected a number of bytes.'],
  [['staging'], 'There is no environment staging; known are dev, qa, prod'],
  [['./nowhere.json'], "./nowhere.json can't be read as a plan (ENOENT)"],
  [['package.json'], "package.json can't be read as a plan (it is JSON of another kind)"],
  [['README.md'], "README.md can't be read as a plan (it is no JSON)"],
])('%j is refused in a sentence', async (args, sentence) => {
  const { exitCode, stdout, stderr } = await command(args);
  expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
  expect(stderr).toContain(sentence);
  expect(stderr).not.toMatch(/\bat .*\.(js|ts):\d+/);
});

test('an environment is planned as it is now, and drift told from what is not deployed yet', async () => {
  const flags = '-target=aws_ssm_parameter.parameter-features-flags_parameter_5EFFC40F';
  const config = '-target=aws_ssm_parameter.parameter-api-config_parameter_3A5C5232';
  const env = { ...run.env, TF_CLI_ARGS_plan: `${flags} ${config}` };
  const failed = await command(['dev'], { ...env, TF_CLI_ARGS_plan: '-target=nothing' });
  expect({ exitCode: failed.exitCode, stdout: failed.stdout }).toEqual({ exitCode: 1, stdout: '' });
  expect(failed.stderr).toMatch(/^"terraform plan of dev" failed:\n\nError: Invalid target "nothing"\n/);

  // Synthesized and initialized by now.
  const applied = await terraform('dev', ['apply', '-auto-approve', flags], { env });
  expect(applied).toMatchObject({ exitCode: 0 });
  const { region } = run.environment;
  const ssm = new SSMClient({ endpoint: run.env.AWS_ENDPOINT_URL, region, credentials: run.administrator });
  const value = '{"newCheckout":false}';
  await ssm.send(
    new PutParameterCommand({ Name: '/kantox/dev/features/flags', Value: value, Overwrite: true }),
  );
  ssm.destroy();

  const [GITHUB_OUTPUT, GITHUB_STEP_SUMMARY] = [join(folder, 'output'), join(folder, 'summary')];
  const drift = await command(['dev', '--drift', '--detailed-exitcode', '--github'], {
    ...env,
    GITHUB_OUTPUT,
    GITHUB_STEP_SUMMARY,
  });
  expect(drift.exitCode).toBe(2);
  expect(drift.stdout).toContain(`\
dev: 1 resource is changed or gone, and not by Terraform
1 more would change, by the sources: not deployed yet.
`);
  expect(drift.stdout).toContain('! insecure_value.newCheckout: true → false\n');
  expect(readFileSync(GITHUB_STEP_SUMMARY, 'utf8')).toContain('## dev: 1 resource is changed or gone');
  expect(readFileSync(GITHUB_OUTPUT, 'utf8')).toMatch(/^fingerprint=[0-9a-f]{16}\nchanges=true\n$/);
});
