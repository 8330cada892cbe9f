import {
  DescribeParametersCommand,
  ListTagsForResourceCommand,
  type ResourceTypeForTagging,
} from '@aws-sdk/client-ssm';
import { orNothing } from '../../authorization/moto-clients';
import { gap } from '../../refusal';
import { ask, asksFor } from '../asks-by-name';
import { accountIn, parseArn } from '../arn';
import { records, shown, text, texts, type Ask, type Mapping, type Rules } from '../ask';
import { throughService } from './kms-through';
import { ec2Tags } from './ec2-facts';

/** A parameter's name as its ARN has it: without the slash at its beginning, and without the version or label behind it. */
function parameterName(name: string): string {
  if (name.startsWith('arn:')) return name.replace(/(:parameter\/[^:]+):.*$/, '$1');
  return name.replace(/^\//, '').split(':')[0] ?? '';
}

/** Amazon's own parameters are of no account (Systems Manager User Guide, "Working with public parameters"). */
const isPublicParameter = (name: string) => /^\/?aws\/service\//.test(name);

export function parameterArn(name: string, mapping: Mapping): string {
  if (name.startsWith('arn:')) return parameterName(name);
  return isPublicParameter(name)
    ? `arn:aws:ssm:${mapping.call.region}::parameter/${parameterName(name)}`
    : ssmArn(mapping, `parameter/${parameterName(name)}`);
}

/** What `ResourceType` of the tagging operations is called in ARNs. */
const TAGGED: Readonly<Record<string, (id: string) => string>> = {
  Association: (id) => `association/${id}`,
  Automation: (id) => `automation-execution/${id}`,
  Document: (id) => `document/${id}`,
  MaintenanceWindow: (id) => `maintenancewindow/${id}`,
  ManagedInstance: (id) => `managed-instance/${id}`,
  OpsItem: (id) => `opsitem/${id}`,
  OpsMetadata: (id) => `opsmetadata/${id}`,
  Parameter: (id) => `parameter/${parameterName(id)}`,
  PatchBaseline: (id) => `patchbaseline/${id}`,
};

function onTagged(action: string) {
  return (mapping: Mapping): Ask[] => {
    const { call, account } = mapping;
    const toResource = TAGGED[text(call.input.ResourceType) ?? ''];
    if (toResource === undefined) throw gap(`ssm:${call.operation} names no known ResourceType.`);
    const id = text(call.input.ResourceId) ?? '';
    const arn = id.startsWith('arn:') ? id : `arn:aws:ssm:${call.region}:${account}:${toResource(id)}`;
    return [ask(action, arn, mapping, ssm)];
  };
}

const ssmArn = ({ call, account }: Mapping, resource: string) =>
  `arn:aws:ssm:${call.region}:${account}:${resource}`;

/** A document by name; Amazon's own have no account. */
function documentArn(name: string, mapping: Mapping): string {
  if (name.startsWith('arn:')) return name;
  return /^(AWS|Amazon)[-A-Z]/.test(name)
    ? `arn:aws:ssm:${mapping.call.region}::document/${name}`
    : ssmArn(mapping, `document/${name}`);
}

function instanceArn(id: string, mapping: Mapping): string {
  if (id.startsWith('arn:')) return id;
  if (id.startsWith('mi-')) return ssmArn(mapping, `managed-instance/${id}`);
  return `arn:aws:ec2:${mapping.call.region}:${mapping.account}:instance/${id}`;
}

/** A secret parameter takes leave for its key as well. */
async function putParameter(mapping: Mapping): Promise<Ask[]> {
  const { input } = mapping.call;
  const asks = await asksFor('PutParameter', mapping, ssm);
  const tagged =
    input.Tags === undefined
      ? asks
      : [...asks, ...asks.map((one) => ({ ...one, action: 'ssm:AddTagsToResource' }))];
  const key = text(input.KeyId) ?? 'alias/aws/ssm';
  if (text(input.Type) !== 'SecureString') return tagged;
  const action = text(input.Tier) === 'Advanced' ? 'GenerateDataKey' : 'Encrypt';
  return [
    ...tagged,
    ...(await throughService(mapping, 'ssm', key, [action], { PARAMETER_ARN: asks[0]?.resource ?? '' })),
  ];
}

/**
 * What reading a secret parameter needs besides: the key it is encrypted with (Systems Manager User Guide, "AWS KMS
 * encryption for Parameter Store SecureString parameters").
 *
 * @param arn of the parameter
 */
export async function decryptParameter(mapping: Mapping, name: string, arn: string): Promise<Ask[]> {
  const { world, call } = mapping;
  const place = { account: accountIn(arn, mapping.account), region: call.region };
  const key = await world.read('ssm', place, `key of ${name}`, async () => {
    const command = new DescribeParametersCommand({
      ParameterFilters: [{ Key: 'Name', Option: 'Equals', Values: [name] }],
    });
    return (await orNothing(world.client('ssm', place).send(command)))?.Parameters?.[0]?.KeyId;
  });
  return key === undefined ? [] : throughService(mapping, 'ssm', key, ['Decrypt'], { PARAMETER_ARN: arn });
}

async function tagsOf(
  { world, call, account }: Mapping,
  resource: string,
): Promise<Readonly<Record<string, string>> | undefined> {
  const arn = parseArn(resource);
  const place = { account: accountIn(resource, account), region: call.region };
  if (arn?.service === 'ec2') return ec2Tags(world, place, resource);
  const [kind = '', ...rest] = (arn?.resource ?? '').split('/');
  const type = Object.entries(TAGGED).find(([, toResource]) => toResource('').startsWith(`${kind}/`))?.[0];
  if (type === undefined) return undefined;
  const id = rest.join('/');
  const ids = type === 'Parameter' ? [`/${id}`, id] : [id];
  for (const each of ids) {
    const command = new ListTagsForResourceCommand({
      ResourceType: type as ResourceTypeForTagging,
      ResourceId: each,
    });
    const answer = await orNothing(world.client('ssm', place).send(command));
    if (answer?.TagList !== undefined && answer.TagList.length > 0)
      return Object.fromEntries(answer.TagList.map(({ Key: key = '', Value: value = '' }) => [key, value]));
  }
  return {};
}

function sendCommand(mapping: Mapping): Ask[] {
  const { input } = mapping.call;
  const one = (resource: string) => ask('SendCommand', resource, mapping, ssm);
  const targets = records(input.Targets).map(({ Key: key, Values: values }) => ({
    key: text(key) ?? '',
    values: texts(values),
  }));
  const ids = [
    ...texts(input.InstanceIds),
    ...targets.filter(({ key }) => BY_ID.test(key)).flatMap(({ values }) => values),
  ];
  const byTag = targets.filter(({ key }) => !BY_ID.test(key));
  if (byTag.some(({ key, values }) => !key.startsWith('tag:') || values.length !== 1))
    throw gap('ssm:SendCommand picks its hosts by more than one value of a tag.');
  // Whichever instances have the tags are asked for as what they are known by.
  const tags = Object.fromEntries(byTag.map(({ key, values }) => [key.replace('tag:', ''), values[0] ?? '']));
  const bucket = text(input.OutputS3BucketName);
  return [
    one(documentArn(text(input.DocumentName) ?? '', mapping)),
    ...ids.map((id) => one(instanceArn(id, mapping))),
    ...(byTag.length > 0 ? [{ ...one(instanceArn('*', mapping)), tags: () => Promise.resolve(tags) }] : []),
    ...(bucket === undefined ? [] : [one(`arn:aws:s3:::${bucket}`)]),
  ];
}

const BY_ID = /^instanceids$/i;
const DOCUMENT_CHECK = 'ssm:SessionDocumentAccessCheck';

function startSession(mapping: Mapping): Ask[] {
  const { input } = mapping.call;
  const document = text(input.DocumentName);
  const one = (resource: string) => ask('StartSession', resource, mapping, ssm, { [DOCUMENT_CHECK]: 'true' });
  return [
    one(instanceArn(text(input.Target) ?? '', mapping)),
    document === undefined
      ? // The default one isn't asked for but where a policy wants documents checked.
        { ...one(ssmArn(mapping, `document/${DEFAULT_DOCUMENT}`)), onlyWhereMentioned: DOCUMENT_CHECK }
      : one(documentArn(document, mapping)),
  ];
}

const DEFAULT_DOCUMENT = 'SSM-SessionManagerRunShell';

export const ssm: Rules = {
  members: {
    ParameterNameWithoutLeadingSlash: ['Name', 'Names', 'ParameterName'],
    DocumentName: ['Name', 'DocumentName'],
    ResourceId: ['WindowId', 'OpsItemId', 'OpsMetadataArn', 'SettingId', 'AssociationId'],
    PatchBaselineIdResourceId: ['BaselineId'],
  },
  resolve: (variable, value, mapping) => {
    if (variable === 'ParameterNameWithoutLeadingSlash') return parameterArn(value, mapping);
    return variable === 'DocumentName' ? documentArn(value, mapping) : value;
  },
  tags: tagsOf,
  context: ({ call }) => ({
    'ssm:Overwrite': shown(call.input.Overwrite),
    'ssm:Policies': text(call.input.Policies),
    'ssm:Recursive': shown(call.input.Recursive),
    'ssm:SessionDocumentAccessCheck': undefined,
    'ssm:AccessRequestId': undefined,
    'ssm:SourceInstanceARN': undefined,
    'ec2:SourceInstanceARN': undefined,
    'ssm:DocumentType': undefined,
    'ssm:DocumentCategories': undefined,
  }),
  collections: ['UpdateInstanceInformation'],
  asks: {
    AddTagsToResource: onTagged('AddTagsToResource'),
    ListTagsForResource: onTagged('ListTagsForResource'),
    RemoveTagsFromResource: onTagged('RemoveTagsFromResource'),
    PutParameter: putParameter,
    // Checked against the path alone: whoever may list a path sees all below it.
    GetParametersByPath: (mapping) => [
      ask('GetParametersByPath', parameterArn(text(mapping.call.input.Path) ?? '', mapping), mapping, ssm),
    ],
    SendCommand: sendCommand,
    StartSession: startSession,
    UpdateInstanceInformation: (mapping) => [
      ask(
        'UpdateInstanceInformation',
        instanceArn(text(mapping.call.input.InstanceId) ?? '*', mapping),
        mapping,
        ssm,
      ),
    ],
  },
};
