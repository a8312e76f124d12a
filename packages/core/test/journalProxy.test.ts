/**
 * Goal: whatever happens to a write on its way to DynamoDB and back, its writer learns the truth about it.
 * Method: many writers, each with facts of its own, append to a few executions through the unmodified SDK client and a
 * proxy that resets, answers 500 or hangs, before or after the store has applied the write. What they were told is
 * compared with what is stored.
 *
 * MILLRACE_PROXY_APPENDS sets the number of appends, MILLRACE_PROXY_SEED the seed.
 */
import { CreateTableCommand, DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { assert, describe, it } from "@effect/vitest";
import { type Commit, Journal } from "@millrace/core";
import { DocumentClient, DynamoJournal, journalTable } from "@millrace/core/aws";
import { Prng } from "@millrace/core/testing/simulation";
import { Config, Console, Effect, Layer, Schedule } from "effect";
import { startDynalite } from "./dynalite.ts";
import { startFaultyProxy } from "./faultyProxy.ts";

const executions = 8;
const writersPerExecution = 4;
/** Of the writes, those that the proxy spoils. */
const spoiledRate = 0.35;
/** Instead of the product's 3 s: a write that hangs is one of many here. */
const requestTimeoutMs = 250;

const TableName = "Journal";

/** A table, a proxy before it, and the product's journal behind a client that only knows the proxy. */
const world = Effect.fnUntraced(function* (seed: number) {
  const endpoint = yield* startDynalite;
  const config = {
    region: "us-east-1",
    credentials: { accessKeyId: "test", secretAccessKey: "test" },
  };
  const admin = new DynamoDBClient({ ...config, endpoint });
  yield* Effect.promise(() => admin.send(new CreateTableCommand({ TableName, ...journalTable })));
  admin.destroy();
  const proxy = yield* startFaultyProxy(endpoint, new Prng(seed), spoiledRate);
  const journal = yield* Layer.build(
    DynamoJournal.layerDynamo(TableName).pipe(
      Layer.provide(
        DocumentClient.layer({
          ...config,
          endpoint: proxy.endpoint,
          requestHandler: { requestTimeout: requestTimeoutMs, throwOnRequestTimeout: true },
        }),
      ),
    ),
  );
  return { proxy, journal: yield* Effect.provide(Journal, journal) };
});

/** What the writers were told. */
interface Told {
  appended: number;
  conflicts: number;
  unavailable: number;
  /** Commits that their writer was told somebody else holds. */
  readonly refused: Array<Commit>;
  readonly stored: Array<Commit>;
}

/** However busy the machine is that both ends of the proxy run on. */
const untilAnswered = {
  while: (error: { readonly _tag: string }) => error._tag === "JournalUnavailable",
  schedule: Schedule.spaced("20 millis"),
};

/** Appends facts one after the other as the engine does: a conflict means to load, and to decide again. */
const write = Effect.fnUntraced(function* (
  journal: Journal["Service"],
  told: Told,
  executionId: string,
  name: string,
  facts: number,
) {
  let [fact, last, tries] = [0, 0, 0];
  while (fact < facts) {
    const commit: Commit = {
      executionId,
      commit: last + 1,
      writer: `${name}/${++tries}`,
      events: [{ _tag: "DeferredDone", name: `${name}/${fact}`, exit: {}, atEpochMs: 1 }],
    };
    const isStored = yield* journal.append(commit).pipe(
      Effect.tapError((error) =>
        Effect.sync(() => void (error._tag === "JournalUnavailable" && told.unavailable++)),
      ),
      Effect.retry(untilAnswered),
      Effect.as(true),
      Effect.catchTag("JournalConflict", () => Effect.succeed(false)),
    );
    told.appended++;
    (isStored ? told.stored : told.refused).push(commit);
    if (isStored) fact++;
    else told.conflicts++;
    const tail = yield* journal.load(executionId, last).pipe(Effect.retry(untilAnswered));
    last = tail.at(-1)?.commit ?? last;
  }
});

const appends = Config.Int("MILLRACE_PROXY_APPENDS").pipe(Config.withDefault(320));
const seedWanted = Config.Int("MILLRACE_PROXY_SEED").pipe(Config.withDefault(7));

describe("DynamoDB behind a proxy that spoils writes", () => {
  it.live(
    "no writer takes its own write for another's, and no fact is lost or stored twice",
    () =>
      Effect.gen(function* () {
        const seed = yield* seedWanted;
        const facts = Math.ceil((yield* appends) / executions / writersPerExecution);
        const { journal, proxy } = yield* world(seed);
        const told: Told = { appended: 0, conflicts: 0, unavailable: 0, refused: [], stored: [] };
        const ids = Array.from({ length: executions }, (_, index) => `execution-${index}`);
        const names = Array.from({ length: writersPerExecution }, (_, index) => `writer-${index}`);
        yield* Effect.forEach(
          ids.flatMap((id) => names.map((name) => [id, name] as const)),
          ([id, name]) => write(journal, told, id, name, facts),
          { concurrency: "unbounded" },
        );

        const faults = Object.values(proxy.counts).reduce((sum, count) => sum + count, 0);
        yield* Console.log(
          `seed ${seed}: ${told.appended} appends, ${told.stored.length} stored, ${told.conflicts} conflicts, ${told.unavailable} unavailable; ${faults} of ${faults + proxy.forwarded()} writes spoiled: ${JSON.stringify(proxy.counts)}`,
        );
        for (const [fate, count] of Object.entries(proxy.counts)) assert.isAbove(count, 0, fate);

        for (const id of ids) {
          // Refuses a gap and a repeated number by itself.
          const history = yield* journal.load(id, 0);
          assert.lengthOf(history, names.length * facts);
          assert.deepStrictEqual(
            history
              .flatMap(({ events }) =>
                events.flatMap((event) => (event._tag === "DeferredDone" ? [event.name] : [])),
              )
              .toSorted(),
            names
              .flatMap((name) => Array.from({ length: facts }, (_, at) => `${name}/${at}`))
              .toSorted(),
          );
          const holders = new Map(history.map(({ commit, writer }) => [commit, writer]));
          for (const { commit, executionId, writer } of told.stored) {
            if (executionId === id) assert.strictEqual(holders.get(commit), writer);
          }
          for (const { commit, executionId, writer } of told.refused) {
            if (executionId === id) assert.notStrictEqual(holders.get(commit), writer);
          }
        }
      }).pipe(Effect.scoped),
    600_000,
  );
});
