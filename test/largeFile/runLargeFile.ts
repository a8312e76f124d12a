/**
 * One large file through everything: uploaded, routed to a task, transformed in parts, with the task taken back in the
 * middle; and what the stores hold afterwards, compared with what the generator knows.
 *
 * Units:  bytes; seconds
 */
import { NodeServices } from "@effect/platform-node";
import { S3Client } from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import { type Commit, FargateTask, Journal } from "@millrace/core";
import { clientConfig, Ecs, localBuckets, type LocalModeOptions } from "@millrace/local";
import { Effect, Layer, Schedule, Schema, type Stream } from "effect";
import { NodeStream } from "@effect/platform-node";
import { salesCsv } from "../../bench/data-plane/salesCsv.ts";
import { layerLocalWorld, LocalWorld } from "../LocalWorld.ts";

export interface LargeFileOptions {
  readonly bytes: number;
  /** The task is taken back when so many parts are stored; the next one, too. */
  readonly interruptAfterParts: ReadonlyArray<number>;
  readonly local: LocalModeOptions;
}

/** What was found. */
export interface LargeFileReport {
  readonly bytes: number;
  readonly rows: { readonly wanted: number; readonly found: number };
  readonly duplicates: { readonly wanted: number; readonly found: number };
  readonly blankRows: { readonly wanted: number; readonly found: number };
  /** By which the parts were written. */
  readonly engine: string;
  readonly parts: number;
  /** Parts that the history holds more than once, or whose number is missing: none. */
  readonly wrongParts: ReadonlyArray<string>;
  /** Objects of the dataset that have more than one version: none. */
  readonly rewritten: ReadonlyArray<string>;
  readonly rowsInManifest: number;
  readonly launches: number;
  readonly ends: ReadonlyArray<string>;
  /** Of the last container. */
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly memoryMbMax: number;
}

const Launched = Schema.Struct({
  exit: Schema.Struct({ value: Schema.Struct({ child: Schema.String }) }),
});
const isLaunched = Schema.is(Launched);
const isEnded = Schema.is(Schema.Struct({ value: FargateTask.TaskEnd }));
const Report = Schema.Struct({
  manifest: Schema.Struct({ bucket: Schema.String, key: Schema.String }),
  report: Schema.Struct({
    rowsIn: Schema.Int,
    rowsOut: Schema.Int,
    duplicates: Schema.Int,
    blankRows: Schema.Int,
  }),
});
const Manifest = Schema.fromJsonString(
  Schema.Struct({
    rows: Schema.Int,
    engine: Schema.String,
    parts: Schema.Array(Schema.Struct({ key: Schema.String, rows: Schema.Int })),
  }),
);

const eventsOf = (commits: ReadonlyArray<Commit>) => commits.flatMap(({ events }) => events);

const partsIn = (commits: ReadonlyArray<Commit>): ReadonlyArray<string> =>
  eventsOf(commits).flatMap((event) =>
    event._tag === "ActivityCompleted" && /^(?:part|duckdb)-\d+$/.test(event.name)
      ? [event.name]
      : [],
  );

/** Uploads without holding the file. */
const upload = Effect.fnUntraced(function* (key: string, bytes: Stream.Stream<Uint8Array>) {
  const { connection } = yield* LocalWorld;
  const body = yield* NodeStream.toReadable(bytes);
  const done = yield* Effect.promise(() =>
    new Upload({
      client: new S3Client({ ...clientConfig(connection), forcePathStyle: true }),
      params: { Bucket: localBuckets.raw, Key: key, Body: body },
    }).done(),
  );
  return { subject: `${localBuckets.raw}/${key}@${done.VersionId ?? ""}` };
});

/** Takes the running task back whenever so many parts are stored. */
const interruptAfter = Effect.fnUntraced(function* (counts: ReadonlyArray<number>) {
  const ecs = yield* Ecs;
  const journal = yield* Journal;
  const look = Schedule.spaced("50 millis");
  const launchedChild = Effect.gen(function* () {
    const all = yield* ecs.tasks;
    const parent = all.find(({ startedBy }) => startedBy !== undefined)?.startedBy?.split("/")[0];
    const commits = yield* journal.load(parent ?? "", 0);
    return eventsOf(commits).flatMap((event) =>
      event._tag === "ActivityCompleted" && isLaunched(event.result)
        ? [event.result.exit.value.child]
        : [],
    )[0];
  });
  const child = yield* Effect.repeat(launchedChild, {
    until: (found) => found !== undefined,
    schedule: look,
  });
  for (const count of counts) {
    yield* journal.load(child ?? "", 0).pipe(
      Effect.map((commits) => partsIn(commits).length),
      Effect.repeat({ until: (parts) => parts >= count, schedule: look }),
    );
    const task = yield* ecs.tasks.pipe(
      Effect.map((all) => all.find(({ desiredStatus }) => desiredStatus === "RUNNING")),
      Effect.repeat({ until: (found) => found !== undefined, schedule: look }),
    );
    yield* ecs.interrupt(task?.id ?? "");
  }
  return child ?? "";
});

const run = Effect.fnUntraced(function* ({ bytes, interruptAfterParts }: LargeFileOptions) {
  const { ended, read, versions } = yield* LocalWorld;
  const journal = yield* Journal;
  const { bytes: content, figures } = salesCsv(bytes);
  const uploaded = yield* upload("incoming/large.csv", content);
  const child = yield* interruptAfter(interruptAfterParts);
  const row = yield* ended(uploaded);
  if (row.status !== "completed") return yield* Effect.die(new Error(row.errorMessage));
  const { manifest, report } = yield* Schema.decodeUnknownEffect(Report)(row.result);
  const document = yield* Schema.decodeUnknownEffect(Manifest)(
    Buffer.from((yield* read(manifest.bucket, manifest.key)).bytes).toString(),
  );
  const parts = partsIn(yield* journal.load(child, 0));
  // The steps of one engine, from the first to the last.
  const step = document.engine === "duckdb" ? "duckdb" : "part";
  const wanted = parts.map((_, index) => `${step}-${String(index + 1).padStart(5, "0")}`);
  const counted = Map.groupBy(yield* versions(localBuckets.clean), ({ key }) => key);
  const ends = eventsOf(yield* journal.load(row.executionId, 0)).flatMap((event) =>
    event._tag === "DeferredDone" && isEnded(event.exit) ? [event.exit.value] : [],
  );
  const usage = ends.at(-1)?.usage;
  const found: LargeFileReport = {
    bytes: figures.bytes,
    rows: {
      wanted: figures.rows - figures.duplicates - figures.blankRows,
      found: report.rowsOut,
    },
    duplicates: { wanted: figures.duplicates, found: report.duplicates },
    blankRows: { wanted: figures.blankRows, found: report.blankRows },
    engine: document.engine,
    parts: document.parts.length,
    wrongParts: parts.filter((name, index) => name !== wanted[index]),
    rewritten: document.parts.flatMap(({ key }) => (counted.get(key)?.length === 1 ? [] : [key])),
    rowsInManifest: document.parts.reduce((sum, part) => sum + part.rows, 0),
    launches: ends.length,
    ends: ends.map(({ exitCode, stopCode }) => `${exitCode} ${stopCode ?? ""}`.trim()),
    seconds: usage?.seconds ?? 0,
    cpuSeconds: usage?.cpuSeconds ?? 0,
    memoryMbMax: Math.round((usage?.memoryBytesMax ?? 0) / 1_048_576),
  };
  return found;
});

/** Runs one file through a local mode of its own. */
export const runLargeFile = (options: LargeFileOptions) =>
  run(options).pipe(
    Effect.provide(
      layerLocalWorld({ timeoutSeconds: 60, ...options.local }).pipe(
        Layer.provideMerge(NodeServices.layer),
      ),
    ),
    Effect.scoped,
  );
