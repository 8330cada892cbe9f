import {
  ConditionalCheckFailedException,
  type DynamoDBClient,
  ScanCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { type Item, numberOf, textOf } from './items';
import type { Read } from './reads';

/** A row of the role-mapping table. Rows with `ProjectId` and `RoleArn` alone are whole. */
export interface RoleMapping {
  projectId: string;
  roleArn: string;
  /** Whether the role takes session tags; where not, one session can't be told from another of the same user. */
  sessionTags: boolean;
  /** Milliseconds since 1970: credentials issued before were revoked for everyone who has the role. */
  revokedBefore: number;
}

export class RoleMappings {
  constructor(
    private readonly client: DynamoDBClient,
    private readonly read: Read,
    private readonly table: string,
  ) {}

  async get(projectId: string): Promise<RoleMapping | undefined> {
    const item = await this.read({ table: this.table, name: 'ProjectId', value: projectId });
    return item && mappingOf(item);
  }

  async all(): Promise<RoleMapping[]> {
    const mappings: RoleMapping[] = [];
    let start: Item | undefined;
    do {
      const { Items = [], LastEvaluatedKey }: { Items?: Item[]; LastEvaluatedKey?: Item } =
        await this.client.send(
          new ScanCommand({
            TableName: this.table,
            ConsistentRead: true,
            ...(start && { ExclusiveStartKey: start }),
          }),
        );
      mappings.push(...Items.map(mappingOf));
      start = LastEvaluatedKey;
    } while (start);
    return mappings;
  }

  async put({ projectId, roleArn, sessionTags }: Omit<RoleMapping, 'revokedBefore'>): Promise<void> {
    await this.client.send(
      new UpdateItemCommand({
        TableName: this.table,
        Key: key(projectId),
        UpdateExpression: 'SET RoleArn = :role, SessionTags = :tags REMOVE RevokedBefore',
        ExpressionAttributeValues: { ':role': { S: roleArn }, ':tags': { BOOL: sessionTags } },
      }),
    );
  }

  /** The role turned out to take no session tags. */
  async withoutTags({ projectId, roleArn }: RoleMapping): Promise<void> {
    await this.changeWhile(projectId, roleArn, 'SET SessionTags = :value', { BOOL: false });
  }

  /** Credentials of the role, whose ever, issued before the cutoff are of no use any more. */
  async revokedBefore({ projectId, roleArn }: RoleMapping, cutoff: number): Promise<void> {
    await this.changeWhile(projectId, roleArn, 'SET RevokedBefore = :value', { N: String(cutoff) });
  }

  /** Only where the row still names the role: it is nobody's place to bring an old row back. */
  private async changeWhile(
    projectId: string,
    roleArn: string,
    change: string,
    value: Item[string],
  ): Promise<void> {
    try {
      await this.client.send(
        new UpdateItemCommand({
          TableName: this.table,
          Key: key(projectId),
          UpdateExpression: change,
          ConditionExpression: 'RoleArn = :role',
          ExpressionAttributeValues: { ':role': { S: roleArn }, ':value': value },
        }),
      );
    } catch (error) {
      if (!(error instanceof ConditionalCheckFailedException)) throw error;
    }
  }
}

const key = (projectId: string) => ({ ProjectId: { S: projectId } });

function mappingOf(item: Item): RoleMapping {
  return {
    projectId: textOf(item.ProjectId) ?? '',
    roleArn: textOf(item.RoleArn) ?? '',
    sessionTags: item.SessionTags?.BOOL ?? true,
    revokedBefore: numberOf(item.RevokedBefore) ?? 0,
  };
}
