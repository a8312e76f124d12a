export { DocumentClient } from "./DocumentClient.ts";
export * as DynamoExecutions from "./DynamoExecutions.ts";
export * as DynamoIdempotency from "./DynamoIdempotency.ts";
export * as DynamoJournal from "./DynamoJournal.ts";
export * as S3LargeValues from "./S3LargeValues.ts";
export * as EventBridgeSchedules from "./EventBridgeSchedules.ts";
export * as S3ObjectStore from "./S3ObjectStore.ts";
export * as SqsMessageQueue from "./SqsMessageQueue.ts";
export * from "./tables.ts";
