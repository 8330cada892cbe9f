const { availableParallelism } = require('node:os');

// Terraform and its provider spend a quarter of their CPU time on collecting garbage; this costs them 50 MB.
process.env.GOGC ??= '400';

/** Two projects: what needs no server (fast, in parallel), and what runs on one shared local AWS. */
const common = {
  setupFiles: ['<rootDir>/test/no-token-traces.cjs'],
  transform: { '^.+\\.ts$': ['@swc/jest', { jsc: { target: 'es2023', parser: { syntax: 'typescript' } } }] },
  modulePathIgnorePatterns: ['<rootDir>/.*/dist/', '/cdktf.out/'],
};

/** @type {import('jest').Config} */
module.exports = {
  // One more than there are cores: the end-to-end tests and SLURM's wait for a third of their time.
  maxWorkers: availableParallelism() + 1,
  testSequencer: '<rootDir>/test/sequencer.cjs',
  projects: [
    {
      ...common,
      displayName: 'unit',
      testMatch: ['<rootDir>/**/test/**/*.test.ts'],
      testPathIgnorePatterns: ['/node_modules/', '/test/end-to-end/'],
    },
    {
      ...common,
      displayName: 'end-to-end',
      testMatch: ['<rootDir>/test/end-to-end/**/*.test.ts'],
      globalSetup: '<rootDir>/test/end-to-end/start.ts',
      globalTeardown: '<rootDir>/test/end-to-end/stop.ts',
    },
  ],
};
