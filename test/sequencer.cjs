const { default: Sequencer } = require('@jest/test-sequencer');

/** What takes longest, longest first: a clean clone knows no times, and one of these left for last would run alone. */
const LONG = [
  // Their deploy is under way already.
  'test/end-to-end/end-to-end.test.ts',
  'local-aws/test/cases.test.ts',
  'test/deploy-faults.test.ts',
  'test/slurm.test.ts',
  'services/broker/test/broker.test.ts',
  'test/plan-summary.test.ts',
  'test/access-report.test.ts',
  'services/broker/test/faults.test.ts',
  'local-aws/test/local-aws.test.ts',
  'test/local-aws-command.test.ts',
];

const place = ({ path }) => LONG.findIndex((file) => path.endsWith(`/${file}`));

module.exports = class extends Sequencer {
  sort(tests) {
    const long = tests.filter((test) => place(test) >= 0).sort((a, b) => place(a) - place(b));
    return [...long, ...super.sort(tests).filter((test) => place(test) < 0)];
  }
};
