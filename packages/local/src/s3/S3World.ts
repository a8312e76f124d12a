/**
 * What the operations of S3 work on: the rows, the files, and the one way to change them.
 *
 * `commit` makes a change and the events that tell of it durable in one transaction; the events are published after
 * that, and those that a crash kept from being published go out at the next start. So an event is never ahead of its
 * object and never lost (AWS promises at least once, too).
 */
import {
  Clock,
  Effect,
  type FileSystem,
  type Path,
  type PlatformError,
  Result,
  Schema,
} from "effect";
import type { DatabaseSync } from "node:sqlite";
import type { AwsError } from "../AwsError.ts";
import { LocalEvents } from "../LocalEvents.ts";
import { LocalState } from "../LocalState.ts";
import { findBucket } from "./Buckets.ts";
import { type Bodies, type BodyFile, openBodies } from "./Bodies.ts";
import { ObjectEvent } from "./objectEvent.ts";
import { noSuchBucket, s3Error } from "./s3Error.ts";
import { type BucketRow, createTables } from "./S3Tables.ts";
import { allRows, firstRow, run, transaction } from "./sql.ts";
import { knownFiles } from "./Versions.ts";

/** What a change brings with it: events to publish, files that nothing points to any more. */
export interface Changes {
  readonly events: Array<ObjectEvent>;
  readonly garbage: Array<BodyFile>;
}

export interface S3World {
  readonly database: DatabaseSync;
  readonly bodies: Bodies;
  /** Runs `change` in a transaction; it must check before it writes, a failure rolls nothing back. */
  readonly commit: <A>(
    change: (changes: Changes) => Result.Result<A, AwsError>,
  ) => Effect.Effect<A, AwsError>;
}

/** Opens S3's tables and files and publishes the events that a crash left behind. */
export const openWorld: Effect.Effect<
  S3World,
  PlatformError.PlatformError,
  LocalState | LocalEvents | FileSystem.FileSystem | Path.Path
> = Effect.gen(function* () {
  const { database, directory } = yield* LocalState;
  const events = yield* LocalEvents;
  createTables(database);
  const known = knownFiles(database);
  const bodies = yield* openBodies(directory, (file) => known.has(file));

  const publish = (entry: OutboxEntry) =>
    Effect.andThen(
      events.publish(entry.event),
      Effect.sync(() => run(database, "DELETE FROM s3_outbox WHERE id = ?", entry.id)),
    );
  const left = allRows(database, OutboxRow, "SELECT id, event FROM s3_outbox ORDER BY id");
  yield* Effect.forEach(left, publish, { discard: true });

  const commit = <A>(change: (changes: Changes) => Result.Result<A, AwsError>) =>
    Effect.gen(function* () {
      const changes: Changes = { events: [], garbage: [] };
      const { outcome, entries } = transaction(database, () => {
        const outcome = change(changes);
        return {
          outcome,
          entries: Result.isSuccess(outcome)
            ? changes.events.map((event) => store(database, event))
            : [],
        };
      });
      const value = yield* Effect.fromResult(outcome);
      yield* Effect.forEach(entries, publish, { discard: true });
      yield* bodies.remove(changes.garbage);
      return value;
    }).pipe(Effect.uninterruptible);

  return { database, bodies, commit };
});

const OutboxRow = Schema.Struct({ id: Schema.Int, event: Schema.fromJsonString(ObjectEvent) });
type OutboxEntry = typeof OutboxRow.Type;
const OutboxId = Schema.Struct({ id: Schema.Int });

const store = (database: DatabaseSync, event: ObjectEvent): OutboxEntry => {
  const row = firstRow(
    database,
    OutboxId,
    "INSERT INTO s3_outbox (event) VALUES (?) RETURNING id",
    JSON.stringify(event),
  );
  return { id: row?.id ?? 0, event };
};

/** The bucket of that name. */
export const requireBucket = (world: S3World, name: string): Result.Result<BucketRow, AwsError> => {
  const bucket = findBucket(world.database, name);
  return bucket === undefined ? Result.fail(noSuchBucket(name)) : Result.succeed(bucket);
};

/** Now in whole seconds, the precision of `Last-Modified`. */
export const currentSecondMs: Effect.Effect<number> = Effect.map(
  Clock.currentTimeMillis,
  (nowMs) => Math.floor(nowMs / 1000) * 1000,
);

/** The internal error for a state that the tables should not allow. */
export const internalError = (message: string): AwsError => s3Error(500, "InternalError", message);
