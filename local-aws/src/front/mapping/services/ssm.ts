import {
  DescribeParametersCommand,
  ListTagsForResourceCommand,
  type ResourceTypeForTagging,
} from '@aws-sdk/client-ssm';
import { orNothing } from '../../authorization/world';
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

/** A secret parameter with a key of the account's own. */
async function putParameter(mapping: Mapping): Promise<Ask[]> {
  const { input } = mapping.call;
  const asks = await asksFor('PutParameter', mapping, ssm);
  const tagged =
    input.Tags === undefined
      ? asks
      : [...asks, ...asks.map((one) => ({ ...one, action: 'ssm:AddTagsToResource' }))];
  const key = text(input.KeyId);
  if (text(input.Type) !== 'SecureString' || key === undefined) return tagged;
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

export const ssm: Rules = {
  members: {
    ParameterNameWithoutLeadingSlash: ['Name', 'Names', 'ParameterName'],
    DocumentName: ['Name', 'DocumentName'],
    ResourceId: ['WindowId', 'OpsItemId', 'OpsMetadataArn', 'SettingId', 'AssociationId'],
    PatchBaselineIdResourceId: ['BaselineId'],
  },
  resolve: (variable, value, mapping) => {
    if (variable === 'ParameterNameWithoutLeadingSlash') return parameterName(value);
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
      ask(
        'GetParametersByPath',
        ssmArn(mapping, `parameter/${(text(mapping.call.input.Path) ?? '').replace(/^\//, '')}`),
        mapping,
        ssm,
      ),
    ],
    SendCommand: (mapping) => {
      const { input } = mapping.call;
      const targets = [
        ...texts(input.InstanceIds),
        ...records(input.Targets).flatMap(({ Key: key, Values: values }) =>
          key === 'InstanceIds' || key === 'instanceids' ? texts(values) : [],
        ),
      ];
      const byTag = records(input.Targets).some(({ Key: key }) => !/^instanceids$/i.test(text(key) ?? ''));
      if (byTag) throw gap('ssm:SendCommand picks its hosts by tag.');
      const resources = [
        documentArn(text(input.DocumentName) ?? '', mapping),
        ...targets.map((id) => instanceArn(id, mapping)),
      ];
      const bucket = text(input.OutputS3BucketName);
      if (bucket !== undefined) resources.push(`arn:aws:s3:::${bucket}`);
      return resources.map((resource) => ask('SendCommand', resource, mapping, ssm));
    },
    StartSession: (mapping) => {
      const { input } = mapping.call;
      const resources = [instanceArn(text(input.Target) ?? '', mapping)];
      const document = text(input.DocumentName);
      // Without a name, the document of the default session is not asked for.
      if (document !== undefined) resources.push(documentArn(document, mapping));
      return resources.map((resource) => ask('StartSession', resource, mapping, ssm));
    },
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
