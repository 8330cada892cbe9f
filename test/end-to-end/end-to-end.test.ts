/** Longest wait of one test, in milliseconds; the first one waits for the shared deploy. */
jest.setTimeout(300_000);

// On one deployed environment, in this order: the last one destroys it.
import './environment';
import './access';
import './kubernetes-secret';
import './rotate-base-keys';
import './destroy';
