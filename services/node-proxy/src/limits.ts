/*
 * What a local user may take of the proxy. Those who wait are always fewer than the connections: one that waits
 * is never closed to make room, so that there must be others.
 */

/** On each address: twice what a mass start on a large node opens; some 10 KiB each. */
export const MAX_CONNECTIONS = 4096;
/** Of these, with a request that is not answered yet; further requests that can't be answered at once are refused. */
export const MAX_WAITING = 3072;
/** Clients that wait for a session's first credentials, and so the most questions about such sessions; more are refused. */
export const MAX_FETCHING = 2048;
/** Of these, of one local user, where the proxy knows who asks. */
export const MAX_WAITING_OF_ONE = 1024;
/** Clients that wait for the API's word on what is cached; further ones get what is cached. */
export const MAX_CHECKING = 512;
