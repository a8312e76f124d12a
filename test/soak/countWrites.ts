/**
 * Counts the writes to tables that pass the front, and those of them that are about executions of before.
 */
import { Effect, Option, Schema } from "effect";
import { SoakWorld } from "./SoakWorld.ts";

const reads: ReadonlySet<string> = new Set([
  "Query",
  "GetItem",
  "BatchGetItem",
  "Scan",
  "DescribeTable",
]);

const About = Schema.Struct({ executionId: Schema.Struct({ S: Schema.String }) });
const Write = Schema.fromJsonString(
  Schema.Struct({ Item: Schema.optionalKey(About), Key: Schema.optionalKey(About) }),
);
const decodeWrite = Schema.decodeUnknownOption(Write);

/** The execution that a write is about; nothing when it cannot be told. */
const executionOf = (body: string): string | undefined => {
  const write = Option.getOrUndefined(decodeWrite(body));
  return (write?.Item ?? write?.Key)?.executionId.S;
};

export interface WriteCounts {
  reads: number;
  writes: number;
  /** About an execution of before, or about nobody can say what. */
  oldWrites: number;
}

/** Counts while the effect runs. */
export const countWrites = <A, E, R>(
  isOld: (executionId: string) => boolean,
  effect: Effect.Effect<A, E, R>,
) =>
  Effect.gen(function* () {
    const { front } = yield* SoakWorld;
    const counts: WriteCounts = { reads: 0, writes: 0, oldWrites: 0 };
    const watcher = (operation: string, body: string) => {
      if (reads.has(operation)) return void counts.reads++;
      counts.writes++;
      const executionId = executionOf(body);
      if (executionId === undefined || isOld(executionId)) counts.oldWrites++;
    };
    front.watchers.add(watcher);
    const result = yield* Effect.ensuring(
      effect,
      Effect.sync(() => front.watchers.delete(watcher)),
    );
    return { result, counts };
  });
