import type { Socket } from 'node:net';
import type { Answer } from './answers';
import { peerUid } from './peer-uid';
import { anothersToken } from './refusal';
import { type Asked, digest } from './request';

const ROOT = 0;

/** Answers a question that came on a connection. */
export type LocalAnswer = (asked: Asked, socket: Socket) => string | Promise<string>;

/**
 * Binds each token to the local user who first got credentials with it: others who have the token get none.
 * Root gets them and owns nothing, for a prolog may have asked first. Known as long as the process runs, of
 * the latest `capacity` tokens.
 */
export function ownedBy(answer: Answer, capacity: number): LocalAnswer {
  const owners = new Map<string, number>();
  const users = new WeakMap<Socket, Promise<number | undefined>>();

  return async (asked, socket) => {
    const uid = await userOf(socket);
    const token = digest(asked.authorization);
    check(token, uid);
    const body = await answer(asked);
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
