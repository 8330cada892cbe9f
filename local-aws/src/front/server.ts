import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { watchAnswer } from './answers/afterwards';
import {
  answerBucketPolicy,
  BUCKET_POLICY_OPERATIONS,
  learnBucket,
  lendLogDelivery,
} from './answers/bucket-policies';
import { answerControl, CONTROL_PATH, CONTROL_SERVICE, type ControlServices } from './answers/control';
import { forward, isMotosFailure, wholeAnswer, type ForwardOptions } from './answers/forward';
import type { MotoConnections } from './answers/moto-connections';
import { partly, type Partly } from './answers/partly';
import { refusalResponse, type Response } from './answers/refusal-response';
import { answerSts, checkStsInput, checkWebIdentity, encodeMessage, type CheckedToken } from './answers/sts';
import { answerUserBoundary, USER_BOUNDARY_OPERATIONS } from './answers/users';
import { checkedBody, declaredHash, payloadHash, wholeBody } from './authentication/payload';
import { sessionOf, shownArn, type Principal } from './authentication/principal';
import {
  checkSignature,
  checkTime,
  readSignature,
  type ChunkSeed,
  type Signed,
} from './authentication/signature';
import { administratorMay, decide, type Decision } from './authorization/decide';
import type { Asker } from './authorization/global-context';
import { asksOf } from './mapping/asks';
import { parseArn } from './mapping/arn';
import { text, type Ask, type Mapping } from './mapping/ask';
import { hasStreamedBody, readCall, type Call } from './mapping/call';
import { serviceOf, type Protocol, type Service } from './mapping/model';
import { route } from './mapping/rest-route';
import { gap, invalid, Refusal } from './refusal';
import { requestHead, type RequestHead } from './request-head';

export interface FrontServices extends ControlServices {
  readonly moto: MotoConnections;
}

export interface Door {
  /** `http://127.0.0.1:PORT` */
  readonly endpoint: string;
  readonly server: Server;
}

/**
 * Opens a way in on a free loopback port.
 *
 * @param secure whether what comes in here counts as TLS
 */
export async function openDoor(services: FrontServices, secure: boolean): Promise<Door> {
  const handle = (incoming: IncomingMessage, outgoing: ServerResponse) => {
    void answerRequest(incoming, outgoing, secure, services);
  };
  const server = createServer({ requestTimeout: 0 }, handle);
  // Whoever asks first whether he may send the body gets his decision before he does.
  server.on('checkContinue', handle);
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((ready, failed) => {
    server.once('error', failed);
    server.listen(0, '127.0.0.1', ready);
  });
  return { endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server };
}

/** One request on its way: filled in step by step, so that a refusal knows how to speak. */
interface Exchange {
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
  readonly id: string;
  protocol: Protocol;
}

async function answerRequest(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  secure: boolean,
  services: FrontServices,
): Promise<void> {
  const exchange: Exchange = { incoming, outgoing, id: randomUUID(), protocol: guessedProtocol(incoming) };
  try {
    await handle(exchange, requestHead(incoming, secure), services);
  } catch (error) {
    if (error instanceof Refusal)
      send(exchange, refusalResponse(error, exchange.protocol, exchange.id, incoming.method ?? ''));
    else fail(exchange, error);
  }
}

/** moto hung up, or this front has a fault: no answer of AWS's, but told in the service's form. */
function fail(exchange: Exchange, error: unknown): void {
  const { outgoing, incoming, protocol, id } = exchange;
  // Whoever hung up hears nothing more.
  if (incoming.destroyed && !incoming.complete) return;
  console.error(`${incoming.method ?? ''} ${incoming.url ?? ''}:`, error);
  if (outgoing.headersSent) outgoing.destroy();
  else {
    const message = `The local AWS failed: ${error instanceof Error ? error.message : String(error)}`;
    send(
      exchange,
      refusalResponse(invalid('InternalFailure', message, 500), protocol, id, incoming.method ?? ''),
    );
  }
}

function send({ outgoing }: Exchange, { status, headers, body }: Response): void {
  if (outgoing.headersSent || outgoing.destroyed) return;
  outgoing.writeHead(status, {
    ...headers,
    date: new Date().toUTCString(),
    'content-length': Buffer.byteLength(body),
  });
  outgoing.end(body);
}

async function handle(exchange: Exchange, head: RequestHead, services: FrontServices): Promise<void> {
  const signed = readSignature(head);
  const service = await serviceFor(signed, head);
  if (service !== undefined) exchange.protocol = likelyProtocol(service, exchange.protocol);
  const found = signed && (await findSigner(signed, services));
  const meant = service?.prefix === 's3' && signed?.presigned === true ? withHoistedHeaders(head) : head;
  const streamed = service?.prefix === 's3' && isStreamed(service, meant);
  if (exchange.incoming.headers.expect !== undefined && !streamed) exchange.outgoing.writeContinue();
  const body = streamed ? undefined : await wholeBody(exchange.incoming);
  const { principal, hash, seed } = authenticate(head, signed, found, body);
  if (signed?.service === CONTROL_SERVICE || head.path.startsWith(CONTROL_PATH)) {
    send(exchange, await answerControl(head, principal, body ?? Buffer.alloc(0), services));
    return;
  }
  if (principal.kind === 'anonymous' && service === undefined)
    throw new Refusal('missing-token', 'Request is missing Authentication Token');

  const understood = await understand({
    exchange,
    head: meant,
    service,
    signed,
    principal,
    body: body ?? Buffer.alloc(0),
    services,
  });
  if (understood === undefined) {
    await pass(exchange, services, services.world.account, body ?? Buffer.alloc(0));
    services.world.changed(signed?.service ?? '', services.world.account);
    return;
  }
  const { mapping, decisions, token } = understood;
  const denied = decisions.find(({ allowed, part }) => !allowed && part === undefined);
  if (denied !== undefined) throw refusalFor(denied, mapping, token);
  const stream = streamed
    ? { stream: exchange.incoming, check: checkedBody(hash, decodedLength(head), seed) }
    : undefined;
  await answer(exchange, mapping, decisions, services, stream ?? mapping.body, token);
}

/** A presigned URL may hold headers as parameters, and S3 takes them for headers. */
function withHoistedHeaders(head: RequestHead): RequestHead {
  const hoisted = head.query.filter(([name]) => name.startsWith('x-amz-'));
  return {
    ...head,
    query: head.query.filter(([name]) => !name.startsWith('x-amz-')),
    headers: { ...Object.fromEntries(hoisted), ...head.headers },
  };
}

/** The service by the signature's scope. Without a signature it can be S3, or STS by the action. */
async function serviceFor(signed: Signed | undefined, head: RequestHead): Promise<Service | undefined> {
  if (signed !== undefined) return serviceOf(signed.service, head.path);
  const form = (head.headers['content-type'] ?? '').startsWith('application/x-www-form-urlencoded');
  if (form || head.query.some(([name]) => name === 'Action')) return serviceOf('sts', head.path);
  return head.headers['x-amz-target'] === undefined ? serviceOf('s3', head.path) : undefined;
}

const guessedProtocol = ({ headers }: IncomingMessage): Protocol =>
  headers['smithy-protocol'] === 'rpc-v2-cbor'
    ? 'rpc-v2-cbor'
    : headers['x-amz-target'] !== undefined
      ? 'json'
      : (headers['content-type'] ?? '').startsWith('application/x-www-form-urlencoded')
        ? 'query'
        : 'rest-json';

function likelyProtocol({ protocols }: Service, guessed: Protocol): Protocol {
  return protocols.includes(guessed) ? guessed : (protocols[0] ?? guessed);
}

async function findSigner(signed: Signed, { credentials, world }: FrontServices) {
  checkTime(signed, Date.now());
  return credentials.find(signed, async (account, userName) => {
    const user = await world.identities.user(account, userName);
    return user && { arn: user.arn, userId: user.id };
  });
}

function isStreamed(service: Service, head: RequestHead): boolean {
  const { operation } = route(service, head);
  return hasStreamedBody(operation);
}

interface Authenticated {
  readonly principal: Principal;
  /** What stands for the body in the signature. */
  readonly hash: string;
  readonly seed: ChunkSeed | undefined;
}

function authenticate(
  head: RequestHead,
  signed: Signed | undefined,
  found: { readonly secret: string; readonly principal: Principal } | undefined,
  body: Buffer | undefined,
): Authenticated {
  const declared = head.headers['x-amz-content-sha256'] ?? new Map(head.query).get('X-Amz-Content-Sha256');
  if (signed === undefined || found === undefined)
    return { principal: { kind: 'anonymous' }, hash: 'UNSIGNED-PAYLOAD', seed: undefined };
  const hash =
    body === undefined
      ? declaredHash(declared, signed.presigned)
      : payloadHash(signed.service, declared, signed.presigned, body);
  const seed = checkSignature(head, signed, found.secret, hash);
  return { principal: found.principal, hash, seed };
}

const decodedLength = ({ headers }: RequestHead) => {
  const length = headers['x-amz-decoded-content-length'];
  return length === undefined ? undefined : Number(length);
};

interface Understood {
  readonly mapping: Mapping;
  readonly decisions: readonly Decision[];
  /** A web identity's token that was believed. */
  readonly token: CheckedToken | undefined;
}

interface ToUnderstand {
  readonly exchange: Exchange;
  readonly head: RequestHead;
  readonly service: Service | undefined;
  readonly signed: Signed | undefined;
  readonly principal: Principal;
  readonly body: Buffer;
  readonly services: FrontServices;
}

/**
 * Finds out what a request needs, and decides. The administrator's requests go through even where that can't be told.
 *
 * @returns undefined for such a one
 * @throws Refusal
 */
async function understand({
  exchange,
  head,
  service,
  signed,
  principal,
  body,
  services,
}: ToUnderstand): Promise<Understood | undefined> {
  const { world, log } = services;
  const account = principal.kind === 'anonymous' ? world.account : principal.account;
  const region = signed?.region ?? world.region;
  let mapping: Mapping | undefined;
  try {
    if (service === undefined) throw gap(`the service ${signed?.service ?? ''} isn't mapped.`);
    const call = readCall(service, region, head, body);
    exchange.protocol = call.protocol;
    mapping = { call, head, caller: principal, account, world, body };
    return await decideAll(mapping, exchange.id, services);
  } catch (error) {
    if (!(error instanceof Refusal) || error.kind !== 'gap') throw error;
    const operation = mapping === undefined ? (signed?.service ?? 'unknown') : operationOf(mapping.call);
    const isAdministrator = principal.kind === 'administrator';
    const decision: Decision = {
      action: operation,
      resource: '?',
      allowed: isAdministrator,
      by: isAdministrator ? 'administrator' : 'gap',
      statements: [],
      because: error.message,
      context: {},
    };
    log.write(exchange.id, shownArn(principal), operation, [decision]);
    if (!isAdministrator) throw error;
    return mapping && { mapping, decisions: [], token: undefined };
  }
}

const operationOf = ({ service, operation }: Call) => `${service.prefix}:${operation}`;

async function decideAll(given: Mapping, requestId: string, services: FrontServices): Promise<Understood> {
  const { world, log, openServices } = services;
  const { call, caller } = given;
  let mapping = given;
  let asker: Asker = caller;
  let token: CheckedToken | undefined;
  if (call.service.prefix === 'sts') {
    checkStsInput(call.operation, call.input);
    if (call.operation === 'AssumeRoleWithWebIdentity') {
      token = await checkWebIdentity(call.input, services);
      mapping = { ...given, call: { ...call, input: { ...call.input, Claims: token.claims } } };
      asker = { kind: 'web-identity', provider: token.providerArn };
    } else if (caller.kind === 'anonymous')
      throw new Refusal('missing-token', 'Request is missing Authentication Token');
  }
  if (caller.kind === 'anonymous' && !['s3', 'sts'].includes(call.service.prefix))
    throw new Refusal('missing-token', 'Request is missing Authentication Token');
  if (call.service.prefix === 's3')
    await learnBucket(world, text(call.input.Bucket) ?? '', mapping.account, call.region);
  checkSessionKind(mapping);
  const asks = await asksOf(mapping);
  const decisions = await judge(asks, asker, mapping, openServices);
  log.write(requestId, token?.providerArn ?? shownArn(caller), operationOf(call), decisions);
  return { mapping, decisions, token };
}

async function judge(
  asks: readonly Ask[],
  asker: Asker,
  { head, world, call }: Mapping,
  openServices: ReadonlySet<string>,
): Promise<Decision[]> {
  const one = async (ask: Ask): Promise<Decision | undefined> => {
    if (asker.kind === 'administrator') return administratorMay(ask);
    // Switched open, so that tests can show that they notice.
    if (openServices.has(ask.action.split(':')[0] ?? ''))
      return { ...administratorMay(ask), by: 'policy', because: 'this service is switched open' };
    return decide({ asker, ask, region: requestedRegion(call), head, world });
  };
  const decisions = await Promise.all(asks.map(one));
  return decisions.filter((decision) => decision !== undefined);
}

/** IAM has one endpoint for all regions (IAM User Guide, "aws:RequestedRegion"). */
const requestedRegion = ({ service, region }: Call) => (service.prefix === 'iam' ? 'us-east-1' : region);

/**
 * What sessions of GetSessionToken and GetFederationToken can't do, whatever policies say (IAM User Guide, "Compare AWS
 * STS credentials").
 *
 * @throws Refusal
 */
function checkSessionKind({ caller, call }: Mapping): void {
  if (caller.kind !== 'federated-user' && !(caller.kind === 'user' && sessionOf(caller) !== undefined))
    return;
  const allowedOfSts =
    caller.kind === 'user'
      ? ['AssumeRole', 'GetCallerIdentity', 'GetFederationToken', 'GetSessionToken']
      : ['GetCallerIdentity'];
  const { prefix } = call.service;
  if (prefix === 'iam' || (prefix === 'sts' && !allowedOfSts.includes(call.operation)))
    throw new Refusal('unknown-key', 'The security token included in the request is invalid');
}

/** AWS's own sentence. */
function refusalFor(decision: Decision, { caller, call }: Mapping, token: CheckedToken | undefined): Refusal {
  if (decision.by === 'gap') return gap(decision.because);
  if (token !== undefined) return new Refusal('denied', `Not authorized to perform ${decision.action}`);
  if (caller.kind === 'anonymous') return new Refusal('denied', 'Access Denied');
  const on =
    decision.resource === '*'
      ? ''
      : ` on resource: ${call.service.prefix === 's3' ? `"${decision.resource}"` : decision.resource}`;
  const because = decision.because === '' ? '' : ` ${decision.because}`;
  const sentence = `User: ${shownArn(caller)} is not authorized to perform: ${decision.action}${on}${because}`;
  if (call.service.prefix !== 'ec2') return new Refusal('denied', sentence);
  return new Refusal(
    'denied',
    `${sentence}. Encoded authorization failure message: ${encodeMessage(failure(decision, caller))}`,
  );
}

/** As much of EC2's message as decisions know (STS API Reference, "DecodeAuthorizationMessage"). */
function failure({ action, resource, statements, context }: Decision, caller: Principal) {
  return {
    allowed: false,
    explicitDeny: statements.length > 0,
    matchedStatements: { items: statements },
    failures: { items: [] },
    context: {
      principal: { arn: shownArn(caller) },
      action,
      resource,
      conditions: {
        items: Object.entries(context).map(([key, value]) => ({ key, values: { items: [value].flat() } })),
      },
    },
  };
}

type Body = Buffer | { readonly stream: IncomingMessage; readonly check: ReturnType<typeof checkedBody> };

async function answer(
  exchange: Exchange,
  mapping: Mapping,
  decisions: readonly Decision[],
  services: FrontServices,
  body: Body,
  token: CheckedToken | undefined,
): Promise<void> {
  const { call, caller } = mapping;
  const { prefix } = call.service;
  if (prefix === 'sts') {
    const xml = await answerSts(call.operation, call.input, caller, services, exchange.id, token);
    send(exchange, {
      status: 200,
      headers: { 'content-type': 'text/xml', 'x-amzn-requestid': exchange.id },
      body: xml,
    });
    return;
  }
  if (prefix === 's3' && BUCKET_POLICY_OPERATIONS.has(call.operation)) {
    send(exchange, await answerBucketPolicy(mapping));
    return;
  }
  if (prefix === 'iam' && USER_BOUNDARY_OPERATIONS.has(call.operation)) {
    send(exchange, await answerUserBoundary(mapping, exchange.id));
    return;
  }
  if (prefix === 's3' && call.operation === 'PutBucketLogging') await lendLogDelivery(mapping);
  const account = ownerOf(decisions, mapping);
  const inParts =
    caller.kind === 'administrator' ? undefined : partly(mapping, refusedParts(decisions, mapping));
  if (inParts !== undefined) {
    await answerPartly(exchange, inParts, account, services);
    return;
  }
  if (exchange.incoming.headers.expect !== undefined && !Buffer.isBuffer(body))
    exchange.outgoing.writeContinue();
  const options = {
    connections: services.moto,
    account,
    body,
    // moto lets nobody in without a signature, and checks none.
    ...(caller.kind === 'anonymous' && { headers: { authorization: madeUpSignature(call.region) } }),
  };
  const response = await forwardWhole(exchange.incoming, options, mapping);
  await watchAnswer(mapping, response, services, {
    judge: (asked) => judge(asked, caller, mapping, services.openServices),
    refuse: (decision) => refusalFor(decision, mapping, undefined),
    log: (made) => {
      services.log.write(exchange.id, shownArn(caller), operationOf(call), made);
    },
    send: (changed) => {
      relay(exchange, response, changed);
    },
  });
}

/** moto's threads share data without a lock, and now and then one trips over another. */
const ATTEMPTS = 3;
const READS = /^(Get|List|Describe|Head|BatchGet|Query$|Scan$)/;

/** @throws Refusal where moto has no answer of AWS's */
async function forwardWhole(
  incoming: IncomingMessage,
  options: ForwardOptions,
  mapping: Mapping,
): Promise<IncomingMessage> {
  const mayRepeat = Buffer.isBuffer(options.body) && READS.test(mapping.call.operation);
  for (let attempt = 1; ; attempt++) {
    const response = await forward(incoming, options);
    if (!isMotosFailure(response)) return response;
    response.resume();
    if (!mayRepeat || attempt === ATTEMPTS) throw motoFailed(mapping);
  }
}

function motoFailed({ call }: Mapping): Refusal {
  const code = call.service.prefix === 's3' ? 'InternalError' : 'InternalFailure';
  const message = `moto, which stands behind the local AWS, lacks or failed ${operationOf(call)}; its log says which.`;
  return invalid(code, message, 500);
}

function refusedParts(decisions: readonly Decision[], mapping: Mapping): Map<number, string> {
  const refused = new Map<number, string>();
  for (const decision of decisions)
    if (decision.part !== undefined && !decision.allowed)
      refused.set(decision.part, refusalFor(decision, mapping, undefined).message);
  return refused;
}

const madeUpSignature = (region: string) =>
  `AWS4-HMAC-SHA256 Credential=AKIALOCALAWSFRONT000/20200101/${region}/s3/aws4_request, SignedHeaders=host, Signature=0`;

/** Whose account moto is to look in: the resource's, where it is another's. */
function ownerOf(decisions: readonly Decision[], { account, call, world }: Mapping): string {
  if (call.service.prefix === 's3')
    return world.buckets.get(text(call.input.Bucket) ?? '')?.account ?? account;
  const [first] = decisions;
  const owner = parseArn(first?.resource ?? '')?.account ?? '';
  return /^\d{12}$/.test(owner) && !['iam', 'ec2'].includes(call.service.prefix) ? owner : account;
}

async function answerPartly(
  exchange: Exchange,
  { body, nothing, contentType, withErrors }: Partly,
  account: string,
  services: FrontServices,
): Promise<void> {
  const headers = { 'content-type': contentType };
  if (body === undefined) {
    send(exchange, { status: 200, headers, body: withErrors(nothing) });
    return;
  }
  const response = await forward(exchange.incoming, {
    connections: services.moto,
    account,
    body,
    headers: { 'content-length': String(body.length) },
  });
  const answered = (await wholeAnswer(response)).toString('utf8');
  send(exchange, { status: response.statusCode ?? 502, headers, body: withErrors(answered) });
}

/** Forwards without looking. */
async function pass(
  exchange: Exchange,
  services: FrontServices,
  account: string,
  body: Buffer,
): Promise<void> {
  relay(exchange, await forward(exchange.incoming, { connections: services.moto, account, body }), undefined);
}

/** moto's answer as it is; or with another body, where one was put in its place. */
function relay(
  { outgoing, incoming }: Exchange,
  response: IncomingMessage,
  changed: Buffer | undefined,
): void {
  if (outgoing.headersSent || outgoing.destroyed) return;
  const headers: string[] = [];
  for (let at = 0; at + 1 < response.rawHeaders.length; at += 2) {
    const name = response.rawHeaders[at] ?? '';
    const lower = name.toLowerCase();
    if (
      lower === 'connection' ||
      lower === 'keep-alive' ||
      (changed !== undefined && ['content-length', 'transfer-encoding'].includes(lower))
    )
      continue;
    headers.push(name, response.rawHeaders[at + 1] ?? '');
  }
  if (changed !== undefined) headers.push('Content-Length', String(changed.length));
  outgoing.writeHead(response.statusCode ?? 502, headers);
  if (changed !== undefined) {
    outgoing.end(incoming.method === 'HEAD' ? undefined : changed);
    return;
  }
  response.on('error', () => outgoing.destroy());
  outgoing.on('close', () => response.destroy());
  response.pipe(outgoing);
}
