/**
 * Which parameters of DynamoDB's operations are honoured. dynalite drops what it does not know, so everything else is
 * refused here by name before dynalite sees it.
 */
import { Effect } from "effect";
import { type AwsError, unknownParameter } from "../AwsError.ts";

/** A parameter is honoured, honoured with some values only, or honoured if its own members are. */
type Rule = true | ReadonlyArray<unknown> | Members | { readonly each: Members };
interface Members {
  readonly members: Readonly<Record<string, Rule>>;
}

const members = (rules: Readonly<Record<string, Rule>>): Members => ({ members: rules });
const all = (...names: ReadonlyArray<string>): Readonly<Record<string, Rule>> =>
  Object.fromEntries(names.map((name) => [name, true]));

const writes = {
  ...all("TableName", "ReturnConsumedCapacity", "ReturnValues", "ConditionalOperator", "Expected"),
  ...all(
    "ConditionExpression",
    "ExpressionAttributeValues",
    "ExpressionAttributeNames",
    "ReturnValuesOnConditionCheckFailure",
  ),
  ReturnItemCollectionMetrics: ["NONE"],
};

const reads = all(
  "TableName",
  "Select",
  "IndexName",
  "ReturnConsumedCapacity",
  "ConditionalOperator",
  "AttributesToGet",
  "Limit",
  "ExclusiveStartKey",
  "ConsistentRead",
  "FilterExpression",
  "ProjectionExpression",
  "ExpressionAttributeValues",
  "ExpressionAttributeNames",
);

const index = members(all("IndexName", "KeySchema", "Projection", "ProvisionedThroughput"));

const operations: Readonly<Record<string, Members>> = {
  BatchGetItem: members({
    ReturnConsumedCapacity: true,
    RequestItems: {
      each: members(
        all(
          "Keys",
          "AttributesToGet",
          "ConsistentRead",
          "ProjectionExpression",
          "ExpressionAttributeNames",
        ),
      ),
    },
  }),
  BatchWriteItem: members({
    ...all("ReturnConsumedCapacity", "RequestItems"),
    ReturnItemCollectionMetrics: ["NONE"],
  }),
  CreateTable: members({
    ...all(
      "TableName",
      "AttributeDefinitions",
      "BillingMode",
      "ProvisionedThroughput",
      "KeySchema",
      "Tags",
    ),
    LocalSecondaryIndexes: { each: index },
    GlobalSecondaryIndexes: { each: index },
    StreamSpecification: members({ StreamEnabled: [false] }),
    SSESpecification: members({ Enabled: [false] }),
    TableClass: ["STANDARD"],
    DeletionProtectionEnabled: [false],
  }),
  DeleteItem: members({ ...writes, Key: true }),
  DeleteTable: members(all("TableName")),
  DescribeTable: members(all("TableName")),
  DescribeTimeToLive: members(all("TableName")),
  GetItem: members(
    all(
      "TableName",
      "Key",
      "ReturnConsumedCapacity",
      "AttributesToGet",
      "ConsistentRead",
      "ProjectionExpression",
      "ExpressionAttributeNames",
    ),
  ),
  ListTables: members(all("Limit", "ExclusiveStartTableName")),
  ListTagsOfResource: members(all("ResourceArn")),
  PutItem: members({ ...writes, Item: true }),
  Query: members({
    ...reads,
    ...all("QueryFilter", "KeyConditions", "KeyConditionExpression", "ScanIndexForward"),
  }),
  Scan: members({ ...reads, ...all("TotalSegments", "Segment", "ScanFilter") }),
  TagResource: members(all("ResourceArn", "Tags")),
  UntagResource: members(all("ResourceArn", "TagKeys")),
  UpdateItem: members({
    ...writes,
    ...all("Key", "AttributeUpdates", "UpdateExpression"),
  }),
  UpdateTable: members({
    ...all("TableName", "ProvisionedThroughput", "BillingMode"),
    // dynalite accepts Create and Delete and does nothing.
    GlobalSecondaryIndexUpdates: { each: members({ Update: true }) },
    StreamSpecification: members({ StreamEnabled: [false] }),
    TableClass: ["STANDARD"],
    DeletionProtectionEnabled: [false],
  }),
  UpdateTimeToLive: members(all("TableName", "TimeToLiveSpecification")),
};

/** True for operations that are here. */
export const isOperation = (operation: string): boolean => Object.hasOwn(operations, operation);

/** Refuses the first parameter that nobody honours, by its path. */
export const checkParameters = (
  operation: string,
  input: Readonly<Record<string, unknown>>,
): Effect.Effect<void, AwsError> => {
  const rules = operations[operation];
  const path = rules === undefined ? undefined : refusedPath(rules, input, "");
  return path === undefined
    ? Effect.void
    : Effect.fail(unknownParameter("dynamodb", operation, path));
};

const refusedPath = (rule: Rule, value: unknown, path: string): string | undefined => {
  // JSON null means "not given".
  if (rule === true || value === null || value === undefined) return undefined;
  if (isValues(rule)) {
    return rule.includes(value) ? undefined : `${path}: ${JSON.stringify(value)}`;
  }
  if (typeof value !== "object") return undefined;
  if ("each" in rule) {
    for (const [name, member] of Object.entries(value)) {
      const refused = refusedPath(rule.each, member, `${path}[${name}]`);
      if (refused !== undefined) return refused;
    }
    return undefined;
  }
  for (const [name, member] of Object.entries(value)) {
    const memberPath = path === "" ? name : `${path}.${name}`;
    const memberRule = Object.hasOwn(rule.members, name) ? rule.members[name] : undefined;
    if (memberRule === undefined) {
      if (member !== null) return memberPath;
    } else {
      const refused = refusedPath(memberRule, member, memberPath);
      if (refused !== undefined) return refused;
    }
  }
  return undefined;
};

const isValues = (rule: Exclude<Rule, true>): rule is ReadonlyArray<unknown> => Array.isArray(rule);
