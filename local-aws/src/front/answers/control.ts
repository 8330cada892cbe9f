import type { Principal } from '../authentication/principal';
import { decide } from '../authorization/decide';
import type { DecisionLog } from '../decision-log';
import type { GithubIssuer, GithubTokenOptions } from '../github-issuer';
import { isRecord, text, texts } from '../mapping/ask';
import { parseArn } from '../mapping/arn';
import { Refusal } from '../refusal';
import type { RequestHead } from '../request-head';
import type { Response } from './refusal-response';
import { startRoleSession, type StsServices } from './sts';

/** No bucket is called like this: what goes here is for the local AWS itself. */
export const CONTROL_PATH = '/_local-aws/';
/** In the scope of the administrator's signature. */
export const CONTROL_SERVICE = 'local-aws';

export interface ControlServices extends StsServices {
  readonly log: DecisionLog;
  readonly github: GithubIssuer;
  /** Prefixes of services that allow everything. */
  readonly openServices: Set<string>;
}

/** EC2's and Lambda's credentials for a role last up to six hours; an hour is enough here. */
const SERVICE_SESSION_SECONDS = 3600;

type Input = Readonly<Record<string, unknown>>;
type Command = (input: Input, services: ControlServices, head: RequestHead) => Promise<unknown>;

/** What only the local AWS itself can do, by the path's last part. For the administrator alone. */
const COMMANDS: Readonly<Partial<Record<string, Command>>> = {
  'github-token': async (input, { github }) => ({
    token: await github.token(input as unknown as GithubTokenOptions),
  }),
  'github-keys': (_input, { github }) => Promise.resolve(github.keys),
  'service-credentials': serviceCredentials,
  'expire-sessions': (input, { credentials }) => {
    const [key, arn] = [text(input.accessKeyId), text(input.principalArn)];
    const ended = credentials.expireSessions(
      (id, principal) => (key === undefined || key === id) && (arn === undefined || principal.arn === arn),
    );
    return Promise.resolve({ ended });
  },
  'open-services': (input, { openServices }) => {
    openServices.clear();
    for (const prefix of texts(input.prefixes)) openServices.add(prefix);
    return Promise.resolve({ open: [...openServices] });
  },
  decisions: (_input, { log }) => Promise.resolve({ lines: log.read() }),
};

/** @throws Refusal for anyone but the administrator */
export async function answerControl(
  head: RequestHead,
  principal: Principal,
  body: Buffer,
  services: ControlServices,
): Promise<Response> {
  if (principal.kind !== 'administrator')
    throw new Refusal('denied', "Only the administrator's pair may use the local AWS's own commands.");
  const command = COMMANDS[head.path.slice(CONTROL_PATH.length)];
  if (command === undefined || head.method !== 'POST')
    return json(404, { message: `The local AWS has no command ${head.path}.` });
  const input: unknown = body.length === 0 ? {} : JSON.parse(body.toString('utf8'));
  try {
    return json(200, await command(isRecord(input) ? input : {}, services, head));
  } catch (error) {
    if (error instanceof Refusal) return json(403, { message: error.message });
    throw error;
  }
}

const json = (status: number, value: unknown): Response => ({
  status,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(value),
});

/** A service of AWS's takes on a role that trusts it, as EC2 does for an instance: no request of anyone's does this. */
async function serviceCredentials(
  input: Input,
  services: ControlServices,
  head: RequestHead,
): Promise<unknown> {
  const { world } = services;
  const [service = '', roleArn = '', sessionName = 'service'] = [
    text(input.service),
    text(input.roleArn),
    text(input.sessionName),
  ];
  const ask = {
    action: 'sts:AssumeRole',
    resource: roleArn,
    account: parseArn(roleArn)?.account ?? '',
    context: {},
  };
  const decision = await decide({
    asker: { kind: 'service', service },
    ask,
    region: world.region,
    head,
    world,
  });
  if (decision?.allowed !== true)
    throw new Refusal('denied', `The role ${roleArn} does not trust ${service}.`);
  const seconds = Number(input.durationSeconds ?? SERVICE_SESSION_SECONDS);
  const session = { tags: {}, transitiveTagKeys: [] };
  const { credentials, arn } = await startRoleSession(roleArn, sessionName, seconds, session, services);
  return { ...credentials, arn };
}
