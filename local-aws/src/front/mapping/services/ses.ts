import { GetEmailIdentityCommand } from '@aws-sdk/client-sesv2';
import { orNothing } from '../../authorization/moto-clients';
import { gap } from '../../refusal';
import { isRecord, records, text, texts, type Ask, type Context, type Mapping, type Rules } from '../ask';
import { asksFor } from '../asks-by-name';

interface Mail {
  /** As given: `Name <user@example.com>`, or the address alone. */
  readonly from: string | undefined;
  readonly recipients: readonly string[];
  readonly feedback: string | undefined;
  readonly identityArn: string | undefined;
  readonly template: string | undefined;
  readonly configurationSet: string | undefined;
}

const address = (mailbox: string) => (/<([^>]+)>/.exec(mailbox)?.[1] ?? mailbox).trim();
const displayName = (mailbox: string) => /^\s*"?([^"<]*?)"?\s*</.exec(mailbox)?.[1];

/** The parts of a mail that decide who may send it, in SES's API of either version. */
function mailOf({ call }: Mapping): Mail {
  const { input } = call;
  const destination = isRecord(input.Destination) ? input.Destination : {};
  const content = isRecord(input.Content) ? input.Content : {};
  const raw = isRecord(input.RawMessage) ? input.RawMessage : isRecord(content.Raw) ? content.Raw : undefined;
  const headers = raw === undefined ? {} : rawHeaders(raw.Data);
  const template = isRecord(content.Template) ? content.Template : {};
  return {
    from: text(input.Source) ?? text(input.FromEmailAddress) ?? headers.from?.[0],
    recipients: [
      ...texts(destination.ToAddresses),
      ...texts(destination.CcAddresses),
      ...texts(destination.BccAddresses),
      ...texts(input.Destinations),
      ...records(input.BulkEmailEntries ?? input.Destinations).flatMap(({ Destination: each }) =>
        isRecord(each)
          ? [...texts(each.ToAddresses), ...texts(each.CcAddresses), ...texts(each.BccAddresses)]
          : [],
      ),
      ...(texts(input.Destinations).length > 0 || Object.keys(destination).length > 0
        ? []
        : [...(headers.to ?? []), ...(headers.cc ?? []), ...(headers.bcc ?? [])]),
    ].map(address),
    feedback: text(input.ReturnPath) ?? text(input.FeedbackForwardingEmailAddress),
    identityArn: text(input.SourceArn) ?? text(input.FromArn) ?? text(input.FromEmailAddressIdentityArn),
    template: text(input.Template) ?? text(template.TemplateName),
    configurationSet: text(input.ConfigurationSetName),
  };
}

/** Addresses in the headers of a raw message (RFC 5322, 2.2 and 3.6.3). */
function rawHeaders(data: unknown): Partial<Record<string, string[]>> {
  if (typeof data !== 'string') throw gap('the raw message has no data.');
  const [head = ''] = Buffer.from(data, 'base64')
    .toString('utf8')
    .split(/\r?\n\r?\n/);
  const lines = head.replaceAll(/\r?\n[ \t]+/g, ' ').split(/\r?\n/);
  return Object.fromEntries(
    lines.flatMap((line) => {
      const [, name, value] = /^(from|to|cc|bcc):\s*(.*)$/i.exec(line) ?? [];
      return name === undefined || value === undefined
        ? []
        : [[name.toLowerCase(), value.split(',').map((each) => each.trim())]];
    }),
  );
}

/** The identity that a mail is sent from: the address itself where it is verified, or else its domain (Amazon SES Developer Guide, "Verified identities"). */
async function identityOf(from: string, { world, account, call }: Mapping): Promise<string> {
  const place = { account, region: call.region };
  const isVerified = (identity: string) =>
    world.read('ses', place, `identity ${identity}`, async () => {
      const command = new GetEmailIdentityCommand({ EmailIdentity: identity });
      return (await orNothing(world.client('ses', place).send(command))) !== undefined;
    });
  const domain = from.split('@').at(-1) ?? '';
  return !(await isVerified(from)) && (await isVerified(domain)) ? domain : from;
}

async function send(mapping: Mapping): Promise<Ask[]> {
  const { call, account } = mapping;
  const mail = mailOf(mapping);
  if (mail.from === undefined) throw gap(`ses:${call.operation} names no sender.`);
  const from = address(mail.from);
  const arn = (resource: string) => `arn:aws:ses:${call.region}:${account}:${resource}`;
  const resources = [
    mail.identityArn ?? arn(`identity/${await identityOf(from, mapping)}`),
    ...(mail.template === undefined ? [] : [arn(`template/${mail.template}`)]),
    ...(mail.configurationSet === undefined ? [] : [arn(`configuration-set/${mail.configurationSet}`)]),
  ];
  // Each API has an action of its own name, but v2's raw and templated mail.
  const content = isRecord(call.input.Content) ? call.input.Content : {};
  const action = 'Raw' in content ? 'SendRawEmail' : call.operation;
  return resources.map((resource) => ({
    action: `ses:${action}`,
    resource,
    account: resource.split(':')[4] ?? account,
    context: {
      ...version(mapping),
      'ses:FromAddress': from,
      'ses:FromDisplayName': displayName(mail.from ?? ''),
      'ses:FeedbackAddress': mail.feedback,
      'ses:Recipients': mail.recipients.length > 0 ? mail.recipients : undefined,
      'ses:MultiRegionEndpointId': text(call.input.EndpointId),
      'ses:TenantName': text(call.input.TenantName),
    },
    tags: () => Promise.resolve(undefined),
  }));
}

function version({ call }: Mapping): Context {
  return { 'ses:ApiVersion': call.protocol === 'rest-json' ? '2' : '1' };
}

export const ses: Rules = {
  members: {
    IdentityName: ['EmailIdentity', 'Identity'],
    TemplateName: ['TemplateName'],
    ConfigurationSetName: ['ConfigurationSetName'],
    ContactListName: ['ContactListName'],
    DedicatedIPPool: ['PoolName'],
    ArchiveId: [],
  },
  context: (mapping) => ({
    ...version(mapping),
    'ses:MultiRegionEndpointId': undefined,
    'ses:TenantName': undefined,
    'ses:ReplicaRegion': undefined,
    'ses:ExportSourceType': undefined,
  }),
  asks: {
    ...Object.fromEntries(
      ['SendEmail', 'SendRawEmail', 'SendTemplatedEmail', 'SendBulkEmail', 'SendBulkTemplatedEmail'].map(
        (operation) => [operation, send],
      ),
    ),
    CreateEmailIdentity: async (mapping) => {
      const asks = await asksFor('CreateEmailIdentity', mapping, ses);
      return mapping.call.input.Tags === undefined
        ? asks
        : [...asks, ...asks.map((one) => ({ ...one, action: 'ses:TagResource' }))];
    },
  },
};
