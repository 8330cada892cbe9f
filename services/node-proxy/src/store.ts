import { credentialsOf, mark, packed, questionOf, type Session, type Times, timesOf } from './record';
import type { Asked } from './request';
import { type Place, slabs } from './slabs';

/**
 * Sessions by the digest of what was asked; never more than `capacity`. When another one comes, the one whose
 * credentials are oldest goes. Whatever leaves is wiped.
 */
export interface Store {
  readonly size: () => number;
  readonly times: (key: string) => Times | undefined;
  /** What a client is answered by. */
  readonly find: (key: string) => Omit<Session, 'question'> | undefined;
  readonly question: (key: string) => Asked | undefined;
  readonly put: (key: string, session: Session) => void;
  readonly mark: (key: string, changed: Partial<Times>) => void;
  readonly drop: (key: string) => void;
  /** The next keys, as many as asked for at the most; after the last come the first ones again. */
  readonly round: (count: number) => string[];
}

export function boundedStore(capacity: number): Store {
  const memory = slabs();
  /** In the order in which they were put. The values are small integers, and so cost nothing besides. */
  const references = new Map<string, number>();
  let going = references.keys();

  const reading =
    <T>(read: (place: Place) => T) =>
    (key: string): T | undefined => {
      const reference = references.get(key);
      return reference === undefined ? undefined : read(memory.at(reference));
    };

  return {
    size: () => references.size,
    times: reading(timesOf),
    find: reading((place) => Object.assign(timesOf(place), { credentials: credentialsOf(place) })),
    question: reading(questionOf),
    put(key, session) {
      drop(key);
      if (references.size >= capacity) for (const oldest of references.keys()) if (drop(oldest)) break;
      references.set(key, memory.write(packed(session)));
    },
    mark(key, changed) {
      reading((place) => {
        mark(place, changed);
      })(key);
    },
    drop,
    round(count) {
      const keys: string[] = [];
      for (let each = 0; each < count; each += 1) {
        let next = going.next();
        if (next.done) next = (going = references.keys()).next();
        if (next.done) break;
        keys.push(next.value);
      }
      return keys;
    },
  };

  function drop(key: string): boolean {
    const reference = references.get(key);
    if (reference === undefined) return false;
    memory.free(reference);
    return references.delete(key);
  }
}
