import { describe } from './problem';
import type { Environment } from './schema';

/** An environment that is right by itself, and the file that states it. */
export interface Loaded {
  file: string;
  environment: Environment;
}

/** What is wrong between environments: two that claim one thing, or whose names overlap. */
export function acrossEnvironments(loaded: Loaded[]): string[] {
  return [...claimedTwice(loaded), ...overlappingNames(loaded)];
}

/** What exists once, in all or in an account, belongs to the first that claims it. */
function claimedTwice(loaded: Loaded[]): string[] {
  const owners = new Map<string, string>();
  return loaded.flatMap(({ file, environment }) =>
    claims(environment).flatMap(({ what, instead, ...problem }) => {
      const owner = owners.get(what);
      if (owner)
        return [describe(file, { ...problem, expected: `${instead}: ${owner} has ${what} already` })];
      owners.set(what, file);
      return [];
    }),
  );
}

function claims({ name, organisation, account, region, repositories, github }: Environment) {
  const owned = (path: string, what: string) => ({ path, value: 'this', what, instead: "'shared'" });
  const names = repositories.owner === 'this' ? [...new Set(repositories.names)] : [];
  return [
    { path: 'name', value: name, what: `the name ${name}`, instead: 'a name of its own' },
    ...(github.oidcProvider === 'this'
      ? [owned('github.oidcProvider', `GitHub's OIDC provider of account ${account}`)]
      : []),
    ...names.map((repository) =>
      owned(
        'repositories.owner',
        `the repository ${organisation}-${repository} of account ${account} in ${region}`,
      ),
    ),
  ];
}

/** An environment's policies name its buckets and roles by a wildcard, which must not take in another's. */
function overlappingNames(loaded: Loaded[]): string[] {
  return loaded.flatMap(({ file, environment: { name, organisation, account } }) =>
    loaded.flatMap(({ file: owner, environment: other }) => {
      const isTakenIn =
        other.account === account &&
        `${organisation}-`.startsWith(`${other.organisation}-`) &&
        `-${name}`.endsWith(`-${other.name}`) &&
        (other.organisation !== organisation || other.name !== name);
      const all = `${other.organisation}-*-${other.name}`;
      const expected = `another name: what is called ${all} in account ${account} belongs to ${owner}`;
      return isTakenIn ? [describe(file, { path: 'name', value: name, expected })] : [];
    }),
  );
}
