/** CDKTF notes for each token where it was made, and Jest maps each line of that to its source: a third of a synth's time here, and nobody reads it. */
jest.mock('cdktf/lib/tokens/private/stack-trace', () => ({ captureStackTrace: () => [] }));
