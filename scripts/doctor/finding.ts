/**
 * - `found`: there, and as it should be
 * - `fetched`: not there, but whatever runs on a local AWS fetches it by itself
 * - `due`: there, but something should be done soon
 * - `unknown`: can't be told, and nothing fails for it
 * - `missing`: not there, too old, or not working
 */
export type State = 'found' | 'fetched' | 'due' | 'unknown' | 'missing';

/** What a check has found; there is no secret in it. */
export interface Finding {
  state: State;
  /** Version and place, or what is wrong. */
  text: string;
  /** One line: a command or an address. */
  remedy?: string;
}

export type Check = () => Promise<Finding>;

/** Nothing that is asked, a program or a server, is waited for any longer, in milliseconds. */
export const PATIENCE_MS = 5_000;

/** @throws Error when there is no answer in time */
export async function inTime<T>(answer: Promise<T>, patience = PATIENCE_MS): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`no answer within ${patience / 1000} s`));
    }, patience);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}
