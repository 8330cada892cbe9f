import { BatchGetItemCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Item, textOf } from './items';
import { awsUnavailable } from './problem';

/** Keys that DynamoDB reads at once (DynamoDB API Reference, "BatchGetItem"). */
const MOST_KEYS = 100;
/** Batches on their way at once; what comes meanwhile makes the next ones larger. */
const ABREAST = 4;
/** DynamoDB leaves keys out of a batch when it is short of capacity. */
const ATTEMPTS = 4;

export interface Key {
  table: string;
  /** Name of the partition key. */
  name: string;
  value: string;
}

/**
 * Consistent reads: each sees whatever was written before it was asked for. Those asked for at the same time go to
 * DynamoDB as one.
 */
export type Read = (key: Key) => Promise<Item | undefined>;

interface Waiting {
  key: Key;
  resolve: (item: Item | undefined) => void;
  reject: (error: unknown) => void;
}

export function readsOf(client: DynamoDBClient): Read {
  let waiting: Waiting[] = [];
  let onTheirWay = 0;
  let scheduled = false;

  const schedule = () => {
    if (scheduled || onTheirWay >= ABREAST || waiting.length === 0) return;
    scheduled = true;
    setImmediate(() => {
      scheduled = false;
      const batch = waiting.slice(0, MOST_KEYS);
      waiting = waiting.slice(MOST_KEYS);
      onTheirWay += 1;
      void fetch(batch).finally(() => {
        onTheirWay -= 1;
        schedule();
      });
      schedule();
    });
  };

  async function fetch(batch: readonly Waiting[]): Promise<void> {
    try {
      const items = await batchGet(client, new Map(batch.map(({ key }) => [idOf(key), key])));
      for (const { key, resolve } of batch) resolve(items.get(idOf(key)));
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }

  return (key) =>
    new Promise((resolve, reject) => {
      waiting.push({ key, resolve, reject });
      schedule();
    });
}

const idOf = ({ table, value }: Pick<Key, 'table' | 'value'>) => `${table} ${value}`;

/** @param keys by their ids, as DynamoDB takes none twice */
async function batchGet(client: DynamoDBClient, keys: ReadonlyMap<string, Key>): Promise<Map<string, Item>> {
  const found = new Map<string, Item>();
  const names = new Map([...keys.values()].map(({ table, name }) => [table, name]));
  let left = requestItems([...keys.values()]);
  for (let attempt = 1; ; attempt += 1) {
    const { Responses = {}, UnprocessedKeys = {} } = await client.send(
      new BatchGetItemCommand({ RequestItems: left }),
    );
    for (const [table, items] of Object.entries(Responses))
      for (const item of items)
        found.set(idOf({ table, value: textOf(item[names.get(table) ?? '']) ?? '' }), item);
    if (Object.keys(UnprocessedKeys).length === 0) return found;
    if (attempt === ATTEMPTS) throw awsUnavailable(new Error('DynamoDB left keys unprocessed'));
    left = Object.fromEntries(
      Object.entries(UnprocessedKeys).map(([table, { Keys = [] }]) => [
        table,
        { ConsistentRead: true, Keys },
      ]),
    );
    await sleep(25 * 2 ** attempt * Math.random());
  }
}

function requestItems(keys: readonly Key[]): Record<string, { ConsistentRead: boolean; Keys: Item[] }> {
  const tables: Record<string, { ConsistentRead: boolean; Keys: Item[] }> = {};
  for (const { table, name, value } of keys) {
    tables[table] ??= { ConsistentRead: true, Keys: [] };
    tables[table].Keys.push({ [name]: { S: value } });
  }
  return tables;
}
