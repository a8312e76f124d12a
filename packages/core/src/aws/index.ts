export * as DynamoJournal from "./DynamoJournal.ts";
export { DocumentClient } from "./DocumentClient.ts";
