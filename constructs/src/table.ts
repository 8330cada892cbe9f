import { DynamodbTable } from '@cdktf/provider-aws/lib/dynamodb-table';
import { DynamodbTableItem } from '@cdktf/provider-aws/lib/dynamodb-table-item';
import { Construct } from 'constructs';
import type { EncryptionKey } from './encryption-key';
import { literal } from './literal';

/** Attributes that a table's items are found by; each holds a text. */
interface TableKey {
  partition: string;
  /** @default - the partition key alone */
  sort?: string;
}

export interface TableProps {
  name: string;
  key: EncryptionKey;
  /** What an item is found by. */
  by: TableKey;
  /** Other ways to find an item, by the index's name. An index holds whole items. @default - none */
  indexes?: Record<string, TableKey>;
  /** The attribute that says when an item goes, in seconds since 1970. @default - items stay */
  expiresAt?: string;
  /** Whether AWS refuses to delete the table. @default true */
  deletionProtection?: boolean;
  tags?: Record<string, string>;
}

/** A DynamoDB table: encrypted with a key of ours, each second of the last 35 days can be restored, paid by request. */
export class Table extends Construct {
  /** A reference: what uses it comes after the table. */
  readonly name: string;
  private readonly partitionKey: string;

  constructor(scope: Construct, id: string, props: TableProps) {
    super(scope, id);
    const { name, key, by, indexes = {}, expiresAt, deletionProtection = true, tags } = literal(props);
    const keys = [by, ...Object.values(indexes)].flatMap(({ partition, sort }) => [partition, sort ?? []]);
    const table = new DynamodbTable(this, 'table', {
      name,
      billingMode: 'PAY_PER_REQUEST',
      attribute: [...new Set(keys.flat())].map((attribute) => ({ name: attribute, type: 'S' })),
      ...keySchema(by),
      globalSecondaryIndex: Object.entries(indexes).map(([index, indexBy]) => ({
        name: index,
        projectionType: 'ALL',
        ...keySchema(indexBy),
      })),
      serverSideEncryption: { enabled: true, kmsKeyArn: key.arn },
      pointInTimeRecovery: { enabled: true },
      deletionProtectionEnabled: deletionProtection,
      ...(expiresAt !== undefined && { ttl: { enabled: true, attributeName: expiresAt } }),
      ...(tags && { tags }),
    });
    this.name = table.name;
    this.partitionKey = props.by.partition;
  }

  /**
   * An item that Terraform keeps as it is said here.
   *
   * @param key value of the partition key
   * @param attributes texts
   */
  item(id: string, key: string, attributes: Record<string, string>): void {
    const item = Object.entries({ [this.partitionKey]: key, ...attributes });
    new DynamodbTableItem(this, id, {
      tableName: this.name,
      hashKey: literal(this.partitionKey),
      item: JSON.stringify(literal(Object.fromEntries(item.map(([name, text]) => [name, { S: text }])))),
    });
  }
}

function keySchema({ partition, sort }: TableKey) {
  return { hashKey: partition, ...(sort !== undefined && { rangeKey: sort }) };
}
