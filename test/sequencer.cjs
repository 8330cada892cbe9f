const { default: Sequencer } = require('@jest/test-sequencer');

/** The end-to-end tests before all others: they take longest, and their deploy is under way already. */
module.exports = class extends Sequencer {
  sort(tests) {
    const isFirst = ({ path }) => path.endsWith('end-to-end.test.ts');
    const sorted = super.sort(tests);
    return [...sorted.filter(isFirst), ...sorted.filter((test) => !isFirst(test))];
  }
};
