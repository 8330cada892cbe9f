/** The floors of CONTRIBUTING.md: who may import whom. `npm run lint` checks them. */
const only = (name, from, allowed, comment) => ({
  name,
  comment,
  severity: 'error',
  from: { path: from },
  to: {
    path: '^(environments|constructs|stacks|runtime|local-aws|scripts|services|bench|test)/',
    pathNot: allowed,
  },
});

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    {
      name: 'no-circles',
      severity: 'error',
      comment: 'No circle of imports anywhere.',
      from: {},
      to: { circular: true },
    },
    only('runtime-alone', '^runtime/src/', '^runtime/src/', 'The runtime imports nothing of ours.'),
    only(
      'constructs-alone',
      '^constructs/src/',
      '^constructs/src/',
      'Constructs know nothing of environments.',
    ),
    only('environments-alone', '^environments/', '^environments/', 'An environment is data.'),
    only('local-aws-alone', '^local-aws/src/', '^local-aws/src/', 'The local AWS serves any repository.'),
    only(
      'stacks-compose',
      '^stacks/',
      '^(stacks|environments|constructs/src)/',
      'Stacks compose environments and constructs.',
    ),
    only(
      'services-know-no-environment',
      '^services/[^/]+/src/',
      '^(services|runtime/src|constructs/src)/',
      'A service is configured by its variables.',
    ),
    {
      name: 'cdktf-in-two-rooms',
      severity: 'error',
      comment:
        'CDKTF lives in constructs/ and stacks/ alone, so that a change to its community fork stays small.',
      from: { path: '^(environments|runtime|local-aws|scripts|services)/' },
      to: { path: 'node_modules/(cdktf|@cdktf|constructs)/' },
    },
    {
      name: 'services-meet-over-http',
      severity: 'error',
      from: { path: '^services/([^/]+)/' },
      to: { path: '^services/', pathNot: '^services/$1/' },
    },
    {
      name: 'local-aws-never-ships',
      severity: 'error',
      comment: 'The local AWS is for the demo and the tests.',
      from: { path: '^(environments|constructs/src|stacks|runtime/src)/' },
      to: { path: '^local-aws/' },
    },
    {
      name: 'the-gateway-has-no-aws',
      severity: 'error',
      comment: 'Who has no key can lose none.',
      from: { path: '^services/api/src/' },
      to: { path: '(^runtime/|node_modules/(@aws-sdk|@smithy)/)' },
    },
    { name: 'resolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(cdktf\\.out|/dist/)' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
      mainFields: ['main'],
    },
  },
};
