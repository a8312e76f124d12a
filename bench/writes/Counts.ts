/**
 * What one execution asked of AWS, counted where the SDK sends it.
 */
import type { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { executionsTable } from "@millrace/core/aws";
import { Schema } from "effect";

export interface Counts {
  journalWrites: number;
  journalReads: number;
  /** Of the requests' bodies. */
  journalBytesWritten: number;
  journalWriteUnits: number;
  journalReadUnits: number;
  indexWrites: number;
  /** Of the table and of its indexes. */
  indexWriteUnits: number;
  indexReads: number;
  /** Messages sent by the engine: wakes and timers. */
  messagesSent: number;
  /** Messages handled: the event, and what came of it. */
  invocations: number;
}

export const noCounts = (): Counts => ({
  journalWrites: 0,
  journalReads: 0,
  journalBytesWritten: 0,
  journalWriteUnits: 0,
  journalReadUnits: 0,
  indexWrites: 0,
  indexWriteUnits: 0,
  indexReads: 0,
  messagesSent: 0,
  invocations: 0,
});

export const tables = { journal: "Journal", executions: "Executions" } as const;

const Input = Schema.Struct({ TableName: Schema.String });
const isInput = Schema.is(Input);
const Output = Schema.Struct({ ConsumedCapacity: Schema.Struct({ CapacityUnits: Schema.Finite }) });
const isOutput = Schema.is(Output);

const Put = Schema.Struct({ Item: Schema.Record(Schema.String, Schema.Unknown) });
const isPut = Schema.is(Put);

/** A Put is a write to each index whose partition key the item has, too, and of the same size: they project all of it. */
const tableAndIndexes = (input: unknown): number =>
  1 +
  (executionsTable.GlobalSecondaryIndexes ?? []).filter(({ KeySchema }) => {
    const key = KeySchema?.find(({ KeyType }) => KeyType === "HASH")?.AttributeName;
    return key !== undefined && isPut(input) && Object.hasOwn(input.Item, key);
  }).length;

const isWrite = (command: string): boolean =>
  command === "PutItemCommand" ||
  command === "UpdateItemCommand" ||
  command === "PutCommand" ||
  command === "UpdateCommand";

/** Counts every request of the client, and asks the store how many units each has taken. */
export const countRequests = (client: DynamoDBDocumentClient, counts: Counts): void => {
  client.middlewareStack.add(
    (next, context) => async (sent) => {
      const { commandName = "" } = context;
      Object.assign(sent.input, { ReturnConsumedCapacity: "TOTAL" });
      const answer = await next(sent);
      const table = isInput(sent.input) ? sent.input.TableName : "";
      const units = isOutput(answer.output) ? answer.output.ConsumedCapacity.CapacityUnits : 0;
      if (table === tables.journal && isWrite(commandName)) {
        counts.journalWrites++;
        counts.journalWriteUnits += units;
        counts.journalBytesWritten += Buffer.byteLength(JSON.stringify(sent.input));
      } else if (table === tables.journal) {
        counts.journalReads++;
        // DynamoDB bills a consistent read that finds nothing as one unit; dynalite says none.
        counts.journalReadUnits += Math.max(1, units);
      } else if (isWrite(commandName)) {
        counts.indexWrites++;
        counts.indexWriteUnits += units * tableAndIndexes(sent.input);
      } else {
        counts.indexReads++;
      }
      return answer;
    },
    { step: "initialize", name: "countRequests", priority: "high" },
  );
};
