/**
 * Kills the functions' processes of a whole local mode on disk, again and again, while files are uploaded: the host
 * starts others, and the queue gives the messages back.
 *
 * What the queue itself gives up, because its worker was killed three times in a row, is put back as an operator would;
 * any other dead letter must be that of a broken file.
 */
import { GetQueueAttributesCommand } from "@aws-sdk/client-sqs";
import { NodeServices } from "@effect/platform-node";
import { DeadLetter, type ExecutionRow, Executions, Journal } from "@millrace/core";
import { Prng } from "@millrace/core/testing/simulation";
import { localBuckets, localQueues, queueUrl } from "@millrace/local";
import { csvToParquet, layerHyparquet } from "@millrace/workflows";
import { pipelines } from "@millrace/workflows/topology";
import { Deferred, Effect, Layer, Option, Schema, Stream } from "effect";
import { layerLocalWorld, LocalWorld, type Uploaded } from "../LocalWorld.ts";
import { historyViolations } from "./historyViolations.ts";
import type { KillOptions, KillResult } from "./KillReport.ts";

const pipeline = pipelines.csvToParquet;
const timeoutSeconds = 4;
const uploadsPerRound = 3;
/** One upload in so many is no CSV, and must be dead-lettered. */
const brokenEvery = 10;
/** The longest that a round waits for an invocation, and how long after its beginning a kill falls, in milliseconds. */
const invocationMsMax = 3_000;
const strikeMsMax = 400;
/** How long the rest may take once nobody is killed any more, in milliseconds. */
const calmMsMax = 180_000;

interface Upload {
  readonly uploaded: Uploaded;
  readonly text: string;
  readonly isBroken: boolean;
}

const Outputs = Schema.Struct({
  outputs: Schema.Array(Schema.Struct({ bucket: Schema.String, key: Schema.String })),
});
const isOutputs = Schema.is(Outputs);

const csvOf = (number: number): string =>
  `id,name,when\n${Array.from(
    { length: 40 },
    (_, row) => `${number}-${row},name ${row},2024-03-0${(row % 9) + 1}\n`,
  ).join("")}`;

const uploadOne = Effect.fnUntraced(function* (number: number) {
  const { upload } = yield* LocalWorld;
  const isBroken = number % brokenEvery === brokenEvery - 1;
  const text = isBroken ? `\u0000\u0001${number}` : csvOf(number);
  const uploaded = yield* upload(`incoming/kill-${number}.csv`, text);
  return { uploaded, text, isBroken } satisfies Upload;
});

/** Waits for an invocation to begin, and then a random while. */
const untilStrike = Effect.fnUntraced(function* (prng: Prng) {
  const { watchers } = yield* LocalWorld;
  const begun = yield* Deferred.make<void>();
  const watcher = ({ _tag }: { readonly _tag: string }) => {
    if (_tag === "InvocationStarted") Deferred.doneUnsafe(begun, Effect.void);
  };
  watchers.add(watcher);
  yield* Deferred.await(begun).pipe(Effect.timeoutOption(invocationMsMax));
  watchers.delete(watcher);
  yield* Effect.sleep(prng.between(0, strikeMsMax));
});

const killRounds = Effect.fnUntraced(function* (options: KillOptions) {
  const { watchers } = yield* LocalWorld;
  const prng = new Prng(options.seed);
  const alive = new Set<number>();
  watchers.add((event) => {
    if (event._tag === "EnvironmentStarted") alive.add(event.pid);
  });
  const uploads: Array<Upload> = [];
  let kills = 0;
  for (let round = 1; round <= options.rounds; round++) {
    for (let index = 0; index < uploadsPerRound; index++) {
      uploads.push(yield* uploadOne(uploads.length));
    }
    yield* untilStrike(prng);
    const all = prng.chance(0.5);
    for (const pid of all ? alive : [...alive].slice(0, 1)) {
      alive.delete(pid);
      // One that the host has ended itself, because its time was over, is gone already.
      kills += yield* Effect.sync(() => process.kill(pid, "SIGKILL")).pipe(
        Effect.as(1),
        Effect.catchDefect(() => Effect.succeed(0)),
      );
    }
    options.onRound?.(round, kills);
  }
  return { uploads, kills };
});

const allRows = Effect.gen(function* () {
  const executions = yield* Executions;
  const rows = new Map<string, ExecutionRow>();
  let cursor: string | undefined;
  do {
    const page = yield* executions.list({ rowsMax: 100, cursor });
    for (const row of page.rows) rows.set(row.key, row);
    cursor = page.cursor;
  } while (cursor !== undefined);
  return rows;
});

const isOver = ({ status }: ExecutionRow): boolean => status === "completed" || status === "failed";

/** Lets all end; puts back what the queue gave up. Gives the dead letters of the pipeline itself. */
const calm = Effect.fnUntraced(function* (uploads: ReadonlyArray<Upload>) {
  const { deliver, takeLetters } = yield* LocalWorld;
  const endMs = performance.now() + calmMsMax;
  const letters: Array<DeadLetter.DeadLetterEnvelope> = [];
  let redriven = 0;
  let rows = yield* allRows;
  const isDone = () =>
    uploads.every(({ uploaded }) => {
      const row = rows.get(uploaded.subject);
      return row !== undefined && isOver(row);
    });
  while (performance.now() < endMs) {
    for (const text of yield* takeLetters(pipeline)) {
      const letter = yield* Effect.option(DeadLetter.decodeEnvelope(text));
      if (Option.isSome(letter)) {
        letters.push(letter.value);
      } else {
        redriven++;
        yield* deliver(pipeline, text);
      }
    }
    rows = yield* allRows;
    if (isDone() && (yield* isQueueEmpty)) break;
    yield* Effect.sleep("500 millis");
  }
  return { rows, letters, redriven };
});

const isQueueEmpty = Effect.gen(function* () {
  const { clients, connection } = yield* LocalWorld;
  const { Attributes } = yield* Effect.promise(() =>
    clients.sqs.send(
      new GetQueueAttributesCommand({
        QueueUrl: queueUrl(connection.endpoint, localQueues(pipeline).queue),
        AttributeNames: [
          "ApproximateNumberOfMessages",
          "ApproximateNumberOfMessagesNotVisible",
          "ApproximateNumberOfMessagesDelayed",
        ],
      }),
    ),
  );
  return Object.values(Attributes ?? {}).every((count) => count === "0");
});

/** What the transform makes of the text, with the recorded instant. */
const expectedBytes = Effect.fnUntraced(function* (upload: Upload, startedEpochMs: number) {
  const parts: Array<Uint8Array> = [];
  const source = upload.uploaded.subject;
  yield* csvToParquet(
    { source, sourceFile: source, processedAtEpochMs: startedEpochMs },
    Stream.make(Buffer.from(upload.text)),
    {
      part: () => Effect.succeed((bytes: Uint8Array) => Effect.sync(() => void parts.push(bytes))),
      endPart: () => Effect.void,
      rejects: () => Effect.void,
    },
  );
  return Buffer.concat(parts);
});

/** One output; a version more for each time that a worker died between the upload and its record, and the same bytes. */
const outputViolations = Effect.fnUntraced(function* (upload: Upload, row: ExecutionRow) {
  const { read, versions } = yield* LocalWorld;
  if (!isOutputs(row.result)) return ["has no outputs"];
  const wrong: Array<string> = [];
  const [output, ...more] = row.result.outputs;
  if (!output || more.length > 0) return [`has ${row.result.outputs.length} outputs`];
  const expected = yield* expectedBytes(upload, row.startedEpochMs);
  for (const { versionId } of yield* versions(localBuckets.clean, output.key)) {
    const { bytes } = yield* read(localBuckets.clean, output.key, versionId);
    if (!expected.equals(bytes)) wrong.push(`version ${versionId} of its output differs`);
  }
  return wrong;
});

const uploadViolations = Effect.fnUntraced(function* (
  upload: Upload,
  row: ExecutionRow | undefined,
  letters: ReadonlyArray<DeadLetter.DeadLetterEnvelope>,
) {
  if (!row) return ["has no execution"];
  const journal = yield* Journal;
  const commits = yield* journal.load(row.executionId, 0);
  const own = letters.filter(({ execution }) => execution?.executionId === row.executionId);
  const wrong = [...historyViolations(commits)];
  if (row.commit !== commits.length) wrong.push(`its row tells of commit ${row.commit}`);
  if (row.status !== (upload.isBroken ? "failed" : "completed")) wrong.push(`is ${row.status}`);
  if (upload.isBroken && own.length === 0) wrong.push("is broken, and not dead-lettered");
  if (!upload.isBroken && own.length > 0) wrong.push("is dead-lettered");
  if (!upload.isBroken) wrong.push(...(yield* outputViolations(upload, row)));
  return wrong;
});

const killAndLook = Effect.fnUntraced(function* (options: KillOptions) {
  const { unfinishedUploads, versions } = yield* LocalWorld;
  const { kills, uploads } = yield* killRounds(options);
  const { letters, redriven, rows } = yield* calm(uploads);
  const violations: Array<string> = [];
  for (const upload of uploads) {
    const row = rows.get(upload.uploaded.subject);
    const wrong = yield* uploadViolations(upload, row, letters);
    violations.push(...wrong.map((what) => `${upload.uploaded.subject}: ${what}`));
  }
  const known = new Set(uploads.map(({ uploaded }) => uploaded.subject));
  for (const key of rows.keys()) if (!known.has(key)) violations.push(`unknown execution: ${key}`);
  const objects = new Set(
    (yield* versions(localBuckets.clean, "processed/")).map(({ key }) => key),
  );
  const good = uploads.filter(({ isBroken }) => !isBroken).length;
  if (objects.size !== good) violations.push(`${objects.size} outputs of ${good} good files`);
  const written = (yield* versions(localBuckets.clean, "processed/")).length;
  const open = (yield* unfinishedUploads(localBuckets.clean)).length;
  return { kills, uploads, violations, redriven, written, objects: objects.size, open };
});

/** Runs the rounds, and looks at everything afterwards. */
export const killUploads = async (options: KillOptions): Promise<KillResult> => {
  const startedMs = performance.now();
  const world = layerLocalWorld({ directory: options.directory, timeoutSeconds });
  const found = await Effect.runPromise(
    killAndLook(options).pipe(
      Effect.provide(Layer.mergeAll(world, layerHyparquet, NodeServices.layer)),
      Effect.scoped,
    ),
  );
  return {
    violations: found.violations,
    report: {
      store: "dynamo",
      rounds: options.rounds,
      violations: found.violations.length,
      executions: found.uploads.length,
      kills: found.kills,
      seed: options.seed,
      ms: Math.round(performance.now() - startedMs),
      effects: found.written,
      effectsRepeated: found.written - found.objects,
    },
  };
};
