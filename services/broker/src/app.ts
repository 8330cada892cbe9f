import { randomUUID } from 'node:crypto';
import { Hono, type Context } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import type { Logger } from 'pino';
import { z } from 'zod';
import type { Audit, AuditEvent } from './audit';
import type { HeadNode } from './head-node';
import * as ids from './identifiers';
import type { Metrics } from './metrics';
import { type Broker, issuedEvent } from './operations';
import {
  invalid,
  loggable,
  noToken,
  notTheHeadNode,
  Refusal,
  refusalBody,
  refusalOf,
  tooManyRequests,
} from './problem';
import type { rateLimit } from './rate-limit';
import { STATUSES } from './sessions';
import { isoSeconds } from './time';
import { tokenDigest } from './tokens';

/** A session's facts have a few hundred bytes. */
const LONGEST_BODY = 16 * 1024;
/** What a refusal costs of a source's limit: who guesses is slowed down sooner than who works. */
const REFUSAL_COST = 20;

/** What the server or Lambda knows of a request beside the request itself. */
export interface Bindings {
  /** Address of the client. */
  source: string;
  /** See `Caller.verifiedPrincipal`. */
  verifiedPrincipal?: string | undefined;
}

export interface AppOptions {
  broker: Broker;
  headNode: HeadNode;
  /** By what a node of a job says it is, by the job, and by where a request comes from. */
  limits: Record<'node' | 'session' | 'source', ReturnType<typeof rateLimit>>;
  /** Paths are taken with it in front, and without. @default - none */
  stage: string;
  audit: Audit;
  metrics: Metrics;
  log: Logger;
  /** What /metrics shows. @default - there is no such path */
  shownMetrics?: () => Promise<{ text: string; contentType: string }>;
}

interface Env {
  Bindings: Bindings;
  Variables: { requestId: string; told: Omit<AuditEvent, 'event'> };
}

const newSession = z.object({
  sessionId: ids.sessionId,
  projectId: ids.projectId,
  clusterName: ids.clusterName,
  clusterUser: ids.clusterUser,
  submittedTime: z.string().min(1).max(64),
});

/** The credentials API: one app, on Lambda and on Node. */
export function createApp(options: AppOptions): Hono<Env> {
  const { broker, headNode, limits, stage, audit, metrics, log, shownMetrics } = options;
  const api = new Hono<Env>();

  const forHeadNode = async (context: Context<Env>) => {
    const caller = {
      authorization: context.req.header('authorization'),
      verifiedPrincipal: context.env.verifiedPrincipal,
    };
    if (!(await headNode(caller))) throw notTheHeadNode();
  };
  const tell = (context: Context<Env>, event: AuditEvent) => {
    audit({ ...event, ...about(context) });
  };

  api.post('/sessions', async (context) => {
    await forHeadNode(context);
    const session = parsed(newSession, await bodyOf(context), 'the body');
    context.set('told', { sessionId: session.sessionId });
    const answer = await broker.create(session);
    tell(context, { event: 'session-created', ...session });
    return context.json(answer);
  });

  api.get('/sessions', async (context) => {
    await forHeadNode(context);
    const user = parsed(ids.clusterUser, context.req.query('user'), 'user');
    const after = parsed(ids.sessionId.optional(), context.req.query('after'), 'after');
    return context.json(await broker.sessionsOf(user, after));
  });

  api.put('/sessions/:sessionId', async (context) => {
    await forHeadNode(context);
    const sessionId = parsed(ids.sessionId, context.req.param('sessionId'), 'sessionId');
    const { status } = parsed(z.object({ status: z.enum(STATUSES) }), await bodyOf(context), 'the body');
    context.set('told', { sessionId });
    const answer = await broker.move(sessionId, status);
    tell(context, { event: 'session-moved', sessionId, status });
    return context.json(answer);
  });

  api.delete('/sessions/users/:userId', async (context) => {
    await forHeadNode(context);
    const user = parsed(ids.clusterUser, context.req.param('userId'), 'userId');
    context.set('told', { user });
    const answer = await broker.revokeUser(user);
    metrics.count('Revocations');
    tell(context, { event: 'user-revoked', ...answer });
    return context.json(answer);
  });

  api.delete('/sessions/:sessionId', async (context) => {
    await forHeadNode(context);
    const sessionId = parsed(ids.sessionId, context.req.param('sessionId'), 'sessionId');
    context.set('told', { sessionId });
    const answer = await broker.revokeSession(sessionId);
    metrics.count('Revocations');
    tell(context, { event: 'session-revoked', ...answer });
    return context.json(answer);
  });

  api.get('/sessions/:sessionId/cluster/:clusterName/project/:projectId', async (context) => {
    const { sessionId, clusterName, projectId } = context.req.param();
    const token = context.req.header('authorization');
    if (token === undefined || token === '') throw noToken();
    const asked = {
      sessionId: parsed(ids.sessionId, sessionId, 'sessionId'),
      clusterName: parsed(ids.clusterName, clusterName, 'clusterName'),
      projectId: parsed(ids.projectId, projectId, 'projectId'),
      roleSessionName: parsed(
        ids.roleSessionName,
        context.req.query('roleSessionName') ?? `session-${sessionId}`,
        'roleSessionName',
      ),
      token,
    };
    context.set('told', { sessionId: asked.sessionId });
    // By what only the job can show, not by what anyone can name: else its limit could be used up for it.
    const job = tokenDigest(token);
    spend(limits.node(`${job} ${asked.roleSessionName}`) ?? limits.session(job));
    const issued = await broker.issue(asked);
    metrics.count('Issued');
    if (issued.fresh) metrics.count('StsCalls');
    tell(context, issuedEvent(issued));
    const { accessKeyId, secretAccessKey, sessionToken, expiresAt } = issued.credentials;
    return context.json({
      AccessKeyId: accessKeyId,
      SecretAccessKey: secretAccessKey,
      Token: sessionToken,
      Expiration: isoSeconds(expiresAt),
    });
  });

  api.get('/projects', async (context) => {
    await forHeadNode(context);
    return context.json(await broker.projects());
  });

  api.get('/projects/:projectId/role', async (context) => {
    await forHeadNode(context);
    return context.json(
      await broker.project(parsed(ids.projectId, context.req.param('projectId'), 'projectId')),
    );
  });

  api.put('/projects/:projectId/role', async (context) => {
    await forHeadNode(context);
    const projectId = parsed(ids.projectId, context.req.param('projectId'), 'projectId');
    const { roleArn } = parsed(z.object({ roleArn: ids.roleArn }), await bodyOf(context), 'the body');
    const answer = await broker.mapProject(projectId, roleArn);
    tell(context, { event: 'role-mapped', projectId, roleArn });
    return context.json(answer);
  });

  api.get('/health', (context) => context.json({ alive: true }));
  if (shownMetrics)
    api.get('/metrics', async () => {
      const { text, contentType } = await shownMetrics();
      return new Response(text, { headers: { 'content-type': contentType } });
    });
  for (const [path, methods] of METHODS)
    api.all(path, () => {
      throw Object.assign(new Refusal(405, 'MethodNotAllowed', `Only ${methods} can be asked here.`), {
        allow: methods,
      });
    });

  const app = new Hono<Env>();
  app.use(async (context, next) => {
    const started = performance.now();
    context.set('requestId', randomUUID());
    await next();
    const { headers } = context.res;
    headers.set('cache-control', 'no-store');
    headers.set('x-content-type-options', 'nosniff');
    headers.set('x-request-id', context.get('requestId'));
    metrics.count('Requests');
    metrics.took(performance.now() - started);
  });
  app.use(async (context, next) => {
    spend(limits.source(context.env.source));
    await next();
  });
  app.use(
    bodyLimit({
      maxSize: LONGEST_BODY,
      onError: () => {
        throw new Refusal(413, 'RequestTooLarge', `A body has at most ${LONGEST_BODY} bytes.`);
      },
    }),
  );
  app.route('/', api);
  if (stage !== '') app.route(`/${stage}`, api);
  app.notFound(() => {
    throw new Refusal(404, 'NotFound', 'There is nothing here.');
  });
  app.onError((error, context) => refuse(context, error));
  return app;

  function refuse(context: Context<Env>, error: unknown): Response {
    const refusal = refusalOf(error);
    const { status, code, retryAfter } = refusal;
    metrics.count(status < 500 ? 'Refusals' : 'Failures');
    tell(context, { event: 'refused', status, code });
    if (status >= 500) log.error({ ...about(context), code, error: loggable(error) }, 'failed');
    if (status === 401 || status === 403) limits.source(context.env.source, REFUSAL_COST);
    const { allow } = error as { allow?: string };
    return Response.json(refusalBody(refusal), {
      status,
      headers: {
        ...(retryAfter !== undefined && { 'retry-after': String(retryAfter) }),
        ...(allow !== undefined && { allow }),
      },
    });
  }
}

/** Where something is, and by which methods. */
const METHODS = [
  ['/sessions', 'GET, POST'],
  ['/sessions/:sessionId', 'PUT, DELETE'],
  ['/sessions/users/:userId', 'DELETE'],
  ['/sessions/:sessionId/cluster/:clusterName/project/:projectId', 'GET'],
  ['/projects', 'GET'],
  ['/projects/:projectId/role', 'GET, PUT'],
  ['/health', 'GET'],
] as const;

function about(context: Context<Env>) {
  return { requestId: context.get('requestId'), source: context.env.source, ...context.get('told') };
}

function spend(waitSeconds: number | undefined): void {
  if (waitSeconds !== undefined) throw tooManyRequests(waitSeconds);
}

async function bodyOf(context: Context<Env>): Promise<unknown> {
  try {
    return await context.req.json();
  } catch (error) {
    if (error instanceof Refusal) throw error;
    throw new Refusal(400, 'InvalidRequest', 'The body must be JSON.');
  }
}

function parsed<T>(shape: z.ZodType<T>, value: unknown, name: string): T {
  const read = shape.safeParse(value);
  if (read.success) return read.data;
  throw invalid(name, read.error);
}
