import type { Socket } from 'node:net';
import type { Answer } from './answers';
import { atMost, type Bounded } from './at-most';
import { MAX_WAITING_OF_ONE } from './limits';
import { peerUid } from './peer-uid';
import { anothersToken } from './refusal';
import { type Asked, digest } from './request';

const ROOT = 0;

/** Answers a question that came on a connection. */
export type LocalAnswer = (asked: Asked, socket: Socket) => string | Promise<string>;

/**
 * Binds each token to the local user who first got credentials with it: others who have the token get none.
 * Root gets them and owns nothing, for a prolog may have asked first. Known as long as the process runs, of
 * the latest `capacity` tokens. Of those who wait for an answer, each user but root may have a part only.
 */
export function ownedBy(answer: Answer, capacity: number): LocalAnswer {
  const owners = new Map<string, number>();
  const users = new WeakMap<Socket, Promise<number | undefined>>();
  const waiting = new Map<number, Bounded>();

  return async (asked, socket) => {
    const uid = await userOf(socket);
    const token = digest(asked.authorization);
    check(token, uid);
    const body = await withinShare(uid, async () => answer(asked));
    // Another one may have been quicker.
    check(token, uid);
    if (uid !== ROOT) own(token, uid);
    return body;
  };

  async function userOf(socket: Socket): Promise<number> {
    const known = users.get(socket) ?? peerUid(socket);
    users.set(socket, known);
    const uid = await known;
    if (uid === undefined) throw anothersToken();
    return uid;
  }

  function withinShare(uid: number, task: () => Promise<string>): Promise<string> {
    if (uid === ROOT) return task();
    const share = waiting.get(uid) ?? atMost(MAX_WAITING_OF_ONE);
    waiting.set(uid, share);
    return share(task);
  }

  function check(token: string, uid: number): void {
    const owner = owners.get(token);
    if (owner !== undefined && owner !== uid && uid !== ROOT) throw anothersToken();
  }

  function own(token: string, uid: number): void {
    if (owners.has(token)) return;
    if (owners.size >= capacity) for (const oldest of owners.keys()) if (owners.delete(oldest)) break;
    owners.set(token, uid);
  }
}
