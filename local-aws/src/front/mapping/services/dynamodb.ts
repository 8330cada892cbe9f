import { DescribeTableCommand, ListTagsOfResourceCommand } from '@aws-sdk/client-dynamodb';
import { orNothing } from '../../authorization/moto-clients';
import { gap } from '../../refusal';
import { asksFor, ask } from '../asks-by-name';
import { isRecord, records, text, texts, type Ask, type Context, type Mapping, type Rules } from '../ask';
import { throughService } from './kms-through';

/** The one value in DynamoDB's form of a value: `{ S: 'a' }`. */
function plainValue(value: unknown): string | undefined {
  if (!isRecord(value)) return undefined;
  const [inner] = Object.values(value);
  return typeof inner === 'string' || typeof inner === 'number' ? String(inner) : undefined;
}

function tableArn(name: string, { call, account }: Mapping): string {
  return name.startsWith('arn:')
    ? name.replace(/\/index\/.*$/, '')
    : `arn:aws:dynamodb:${call.region}:${account}:table/${name}`;
}

/** Name of the partition key of a table, or of one of its indexes. */
async function partitionKey(
  table: string,
  index: string | undefined,
  mapping: Mapping,
): Promise<string | undefined> {
  const { world, account, call } = mapping;
  const place = { account: table.split(':')[4] ?? account, region: call.region };
  const described = await world.read('dynamodb', place, `table ${table}`, () =>
    orNothing(world.client('dynamodb', place).send(new DescribeTableCommand({ TableName: table }))),
  );
  const indexes = [
    ...(described?.Table?.GlobalSecondaryIndexes ?? []),
    ...(described?.Table?.LocalSecondaryIndexes ?? []),
  ];
  const schema =
    index === undefined
      ? described?.Table?.KeySchema
      : indexes.find(({ IndexName: name }) => name === index)?.KeySchema;
  return schema?.find(({ KeyType: type }) => type === 'HASH')?.AttributeName;
}

/** The partition key that a query asks for: an equality in its condition. */
function queriedKey(input: Readonly<Record<string, unknown>>, key: string): string | undefined {
  const conditions = isRecord(input.KeyConditions) ? input.KeyConditions : {};
  const old = conditions[key];
  if (isRecord(old) && old.ComparisonOperator === 'EQ') return plainValue([old.AttributeValueList].flat()[0]);
  const names = isRecord(input.ExpressionAttributeNames) ? input.ExpressionAttributeNames : {};
  const values = isRecord(input.ExpressionAttributeValues) ? input.ExpressionAttributeValues : {};
  for (const [, name = '', value = ''] of (text(input.KeyConditionExpression) ?? '').matchAll(
    /([#\w.-]+)\s*=\s*(:\w+)/g,
  ))
    if ((names[name] ?? name) === key) return plainValue(values[value]);
  return undefined;
}

interface Access {
  readonly action: string;
  readonly table: string;
  readonly index?: string | undefined;
  /** Items, or their keys. */
  readonly items: readonly unknown[];
  readonly input: Readonly<Record<string, unknown>>;
  readonly enclosing?: string;
}

function itemAsk(access: Access, mapping: Mapping): Ask {
  const { action, table, index, items, input, enclosing } = access;
  const arn = tableArn(table, mapping);
  const resource = index === undefined ? arn : `${arn}/index/${index}`;
  const leadingKeys = async () => {
    const key = await partitionKey(arn, index, mapping);
    if (key === undefined) return undefined;
    const found =
      action === 'Query'
        ? [queriedKey(input, key)]
        : items.map((item) => (isRecord(item) ? plainValue(item[key]) : undefined));
    const known = found.filter((value): value is string => value !== undefined);
    return known.length > 0 ? known : undefined;
  };
  const context: Context = {
    'dynamodb:LeadingKeys': leadingKeys,
    'dynamodb:Select':
      text(input.Select) ??
      (/^(Query|Scan|GetItem|BatchGetItem)$/.test(action) ? defaultSelect(input, index) : undefined),
    'dynamodb:ReturnValues':
      text(input.ReturnValues) ?? (/^(Put|Update|Delete)Item$/.test(action) ? 'NONE' : undefined),
    'dynamodb:ReturnConsumedCapacity': text(input.ReturnConsumedCapacity) ?? 'NONE',
    'dynamodb:EnclosingOperation': enclosing,
    'dynamodb:FullTableScan': undefined,
    ...attributes(access),
  };
  return ask(action, resource, mapping, dynamodb, context);
}

const defaultSelect = (input: Readonly<Record<string, unknown>>, index: string | undefined) =>
  input.ProjectionExpression !== undefined || input.AttributesToGet !== undefined
    ? 'SPECIFIC_ATTRIBUTES'
    : index === undefined
      ? 'ALL_ATTRIBUTES'
      : 'ALL_PROJECTED_ATTRIBUTES';

/** Top-level attributes that a request names, in any of the forms of an expression. */
function attributes({ items, input }: Access): Context {
  const names = isRecord(input.ExpressionAttributeNames) ? input.ExpressionAttributeNames : {};
  const expressions = [
    'ProjectionExpression',
    'UpdateExpression',
    'ConditionExpression',
    'FilterExpression',
    'KeyConditionExpression',
  ]
    .map((member) => text(input[member]) ?? '')
    .join(' ');
  const inExpressions = [...expressions.matchAll(/(?<![:\w.\]])(#?[A-Za-z_][\w-]*)/g)]
    .map(([, name = '']) => (name.startsWith('#') ? (text(names[name]) ?? '') : name))
    .filter((name) => name !== '' && !KEYWORDS.has(name.toUpperCase()));
  const old = ['KeyConditions', 'AttributeUpdates', 'Expected', 'QueryFilter', 'ScanFilter'].flatMap(
    (member) => (isRecord(input[member]) ? Object.keys(input[member]) : []),
  );
  const inItems = items.flatMap((item) => (isRecord(item) ? Object.keys(item) : []));
  const all = [...new Set([...inItems, ...texts(input.AttributesToGet), ...inExpressions, ...old])];
  return { 'dynamodb:Attributes': all.length > 0 ? all : undefined };
}

/** Words and functions of DynamoDB's expressions. */
const KEYWORDS = new Set(
  'SET REMOVE ADD DELETE AND OR NOT BETWEEN IN IF_NOT_EXISTS LIST_APPEND ATTRIBUTE_EXISTS ATTRIBUTE_NOT_EXISTS ATTRIBUTE_TYPE BEGINS_WITH CONTAINS SIZE'.split(
    ' ',
  ),
);

function single(action: string, member: 'Key' | 'Item' | undefined) {
  return (mapping: Mapping): Ask[] => {
    const { input } = mapping.call;
    const name = text(input.TableName) ?? '';
    // An index may be in the ARN, too.
    const index = text(input.IndexName) ?? /\/index\/(.+)$/.exec(name)?.[1];
    return [
      itemAsk(
        { action, table: name, index, items: member === undefined ? [] : [input[member]], input },
        mapping,
      ),
    ];
  };
}

function batch(mapping: Mapping): Ask[] {
  const { operation, input } = mapping.call;
  const tables = isRecord(input.RequestItems) ? input.RequestItems : {};
  return Object.entries(tables).map(([table, requests]) => {
    const details = isRecord(requests) ? requests : {};
    const items =
      operation === 'BatchGetItem'
        ? [details.Keys].flat()
        : records(requests).map(({ PutRequest: put, DeleteRequest: remove }) =>
            isRecord(put) ? put.Item : isRecord(remove) ? remove.Key : undefined,
          );
    return itemAsk(
      {
        action: operation,
        table,
        items,
        input: { ...details, ReturnConsumedCapacity: input.ReturnConsumedCapacity },
      },
      mapping,
    );
  });
}

/** Each part of a transaction is asked for as the operation that it is (DynamoDB Developer Guide, "Using IAM with DynamoDB transactions"). */
const PARTS: Readonly<Record<string, string>> = {
  ConditionCheck: 'ConditionCheckItem',
  Delete: 'DeleteItem',
  Get: 'GetItem',
  Put: 'PutItem',
  Update: 'UpdateItem',
};

function transaction(mapping: Mapping): Ask[] {
  const { operation, input } = mapping.call;
  return records(input.TransactItems).flatMap((item) =>
    Object.entries(item).map(([kind, part]) => {
      const action = PARTS[kind];
      if (action === undefined || !isRecord(part)) throw gap(`a transaction with ${kind}.`);
      return itemAsk(
        {
          action,
          table: text(part.TableName) ?? '',
          items: [part.Key ?? part.Item],
          input: part,
          enclosing: operation,
        },
        mapping,
      );
    }),
  );
}

export const dynamodb: Rules = {
  members: {
    TableName: ['TableName'],
    IndexName: ['IndexName'],
    StreamLabel: [],
    BackupName: [],
    ExportName: [],
    ImportName: [],
    GlobalTableName: ['GlobalTableName'],
  },
  tags: async ({ world, account, call }, resource) => {
    const command = new ListTagsOfResourceCommand({ ResourceArn: resource.replace(/\/index\/.*$/, '') });
    const answer = await orNothing(world.client('dynamodb', { account, region: call.region }).send(command));
    return Object.fromEntries(
      (answer?.Tags ?? []).map(({ Key: key = '', Value: value = '' }) => [key, value]),
    );
  },
  asks: {
    BatchGetItem: batch,
    BatchWriteItem: batch,
    DeleteItem: single('DeleteItem', 'Key'),
    GetItem: single('GetItem', 'Key'),
    PutItem: single('PutItem', 'Item'),
    Query: single('Query', undefined),
    Scan: single('Scan', undefined),
    UpdateItem: single('UpdateItem', 'Key'),
    TransactGetItems: transaction,
    TransactWriteItems: transaction,
    CreateTable: async (mapping) => {
      const { input } = mapping.call;
      const asks = await asksFor('CreateTable', mapping, dynamodb);
      const tagged =
        input.Tags === undefined
          ? asks
          : [...asks, ...asks.map((one) => ({ ...one, action: 'dynamodb:TagResource' }))];
      const encryption = isRecord(input.SSESpecification) ? input.SSESpecification : {};
      const key = text(encryption.KMSMasterKeyId);
      if (key === undefined) return tagged;
      return [
        ...tagged,
        ...(await throughService(mapping, 'dynamodb', key, [
          'DescribeKey',
          'CreateGrant',
          'Encrypt',
          'Decrypt',
          'GenerateDataKey',
        ])),
      ];
    },
  },
};
