import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { shipped, synthesized } from './synthesized';

const GOLDEN = join(__dirname, 'golden');
const file = (name: string) => join(GOLDEN, `${name}.txt`);

/** What Terraform knows a resource by: one address a line. A changed one destroys the resource and makes another. */
test.each(shipped)('the addresses of $name are those that are deployed', (environment) => {
  const now = synthesized(environment).addresses();
  if (process.env.UPDATE_GOLDEN) writeFileSync(file(environment.name), `${now.join('\n')}\n`);
  const golden = existsSync(file(environment.name))
    ? readFileSync(file(environment.name), 'utf8').trimEnd().split('\n')
    : [];
  const lines = [
    ...now.filter((address) => !golden.includes(address)).map((address) => `  + ${address}`),
    ...golden.filter((address) => !now.includes(address)).map((address) => `  - ${address}`),
  ];
  if (lines.length === 0) return;
  throw new Error(
    [
      `The addresses of ${environment.name} are others than in test/golden/${environment.name}.txt.`,
      'Terraform creates what is added and destroys what is removed; one that only changed its name is destroyed, too:',
      ...lines,
      'If that is meant, accept it: UPDATE_GOLDEN=1 npx jest test/logical-ids',
    ].join('\n'),
  );
});

test('there is no list of an environment that is gone', () => {
  const expected = shipped.flatMap(({ name }) => [`${name}.txt`, `access-${name}.txt`]);
  expect(readdirSync(GOLDEN).sort()).toEqual(expected.sort());
});
