/**
 * `millrace backfill s3://bucket/prefix`: objects that are in a bucket already, through the same queue and with the same
 * ids as if their events had come: what has an execution is left alone.
 */
import {
  MessageQueue,
  toObjectCreated,
  type ObjectVersion,
  Operations,
  Retry,
  toEventText,
} from "@millrace/core";
import { type PipelineTopology } from "@millrace/workflows/topology";
import { Console, Effect, FileSystem, Option } from "effect";
import { Argument, Command, Flag } from "effect/cli";
import { reportAlways } from "../carryOut.ts";
import { findStage, type Stage } from "../Stage.ts";
import { jsonFlag } from "../jsonFlag.ts";
import { listVersions } from "../listVersions.ts";
import { pipelineFlag } from "../pipelineFlag.ts";
import { makeCounter } from "../Progress.ts";
import { dryRunFlag, rateFlag } from "../rateFlag.ts";
import { layerOperations } from "../stores.ts";
import { executionsOf, pipelinesNamed } from "../triggered.ts";
import {
  type BackfillCounts,
  progressFileOf,
  readProgress,
  writeProgress,
} from "./BackfillProgress.ts";

const readPlace = (text: string) => {
  const [, bucket, prefix] = /^s3:\/\/([^/]+)\/?(.*)$/s.exec(text) ?? [];
  return bucket === undefined ? Option.none() : Option.some({ bucket, prefix: prefix ?? "" });
};

export const backfill = Command.make(
  "backfill",
  {
    place: Argument.String("place").pipe(
      Argument.withDescription("The bucket, and the beginning of the keys: s3://bucket/prefix"),
      Argument.filterMap(readPlace, (text) => `a place like s3://bucket/prefix, not ${text}`),
    ),
    pipeline: pipelineFlag,
    restart: Flag.Boolean("restart").pipe(
      Flag.withDescription("Begin anew, where an earlier run was stopped"),
      Flag.withDefault(false),
    ),
    rate: rateFlag,
    dryRun: dryRunFlag,
    json: jsonFlag,
  },
  Effect.fnUntraced(function* ({ dryRun, json, pipeline, place, rate, restart }) {
    const stage = yield* findStage;
    const among = pipelinesNamed(Option.getOrUndefined(pipeline));
    const file = yield* progressFileOf({ ...place, pipelines: among.map(({ name }) => name) });
    const earlier = restart ? Option.none() : yield* readProgress(file);
    const afterKey = Option.getOrUndefined(Option.map(earlier, (progress) => progress.afterKey));
    const counts = Option.match(earlier, {
      onNone: () => ({ objects: 0, ignored: 0, unversioned: 0, known: 0, sent: 0 }),
      onSome: (progress) => ({ ...progress.counts }),
    });
    const report = Effect.suspend(() => {
      const told = { dryRun, ...place, resumedAfter: afterKey ?? null, ...counts };
      return Console.log(json ? JSON.stringify(told) : describe(told).join("\n"));
    });
    yield* backfillFrom(stage, {
      ...place,
      afterKey,
      among,
      counts,
      perSecond: rate,
      dryRun,
      save: (key) =>
        dryRun ? Effect.void : writeProgress(file, { afterKey: key, counts: { ...counts } }),
    }).pipe(reportAlways(report), Effect.provide(layerOperations(stage)));
    const fs = yield* FileSystem.FileSystem;
    if (!dryRun) yield* fs.remove(file, { force: true });
  }),
).pipe(
  Command.withDescription(
    "Send the newest version of every object below a prefix through the pipelines' queues, as if its event had come now; what has an execution already is left alone. A run that was stopped goes on where it was (a file under .millrace/ remembers). Exit codes: 0 all sent or counted; 1 the bucket, the stores or the queue did not answer; 2 wrong usage; 130 stopped",
  ),
  Command.withShortDescription("Send objects that are in a bucket already through the pipelines"),
  Command.withExamples([
    {
      command: "millrace backfill s3://millrace-raw/incoming/2025/ --dry-run",
      description: "How many objects have no execution",
    },
    {
      command:
        "millrace backfill s3://millrace-raw/incoming/ --pipeline csv-to-parquet --rate 10/s",
      description: "Start them, ten a second",
    },
  ]),
);

interface Backfill<E, R> {
  readonly bucket: string;
  readonly prefix: string;
  readonly afterKey: string | undefined;
  readonly among: ReadonlyArray<PipelineTopology>;
  /** Counted on while it works. */
  readonly counts: { -readonly [Name in keyof BackfillCounts]: BackfillCounts[Name] };
  readonly perSecond: number;
  readonly dryRun: boolean;
  /** All objects up to that key are done. */
  readonly save: (key: string) => Effect.Effect<void, E, R>;
}

/** Objects between two saves: how many at most are looked at again after a crash. */
const objectsPerSave = 10;

const backfillFrom = Effect.fnUntraced(function* <E, R>(stage: Stage, request: Backfill<E, R>) {
  const { among, bucket, counts, dryRun, save } = request;
  const turn = yield* Operations.makePace(request.perSecond);
  const counter = yield* makeCounter("objects");
  const executions = executionsOf(stage, among);
  const visit = Effect.fnUntraced(function* (version: ObjectVersion) {
    const object = toObjectCreated(bucket, version);
    const started = yield* executions(object);
    const isUnversioned = started.length > 0 && version.versionId === undefined;
    let known = 0;
    for (const { executionId, pipeline } of isUnversioned ? [] : started) {
      if ((yield* Operations.standingOf(executionId)) !== "missing") {
        known++;
        continue;
      }
      if (dryRun) continue;
      yield* turn;
      yield* Effect.uninterruptible(send(pipeline, toEventText(object)));
    }
    // Counted when it is done: what was stopped in between is looked at again.
    counts.objects++;
    if (started.length === 0) counts.ignored++;
    if (isUnversioned) counts.unversioned++;
    else {
      counts.known += known;
      counts.sent += started.length - known;
    }
    yield* counter.advance(1);
  });
  yield* listVersions(
    stage,
    request,
    Effect.fnUntraced(function* (versions) {
      const latest = versions.filter(({ isLatest }) => isLatest);
      for (let from = 0; from < latest.length; from += objectsPerSave) {
        const part = latest.slice(from, from + objectsPerSave);
        const last = part.at(-1);
        yield* Effect.forEach(part, visit, { concurrency: objectsPerSave, discard: true });
        if (last) yield* save(last.key);
      }
    }),
  ).pipe(Effect.ensuring(counter.clear));
});

const send = (pipeline: string, body: string) =>
  MessageQueue.use((queue) => queue.send(pipeline, body)).pipe(Retry.retry({ baseMs: 50 }));

const describe = (
  told: BackfillCounts & { readonly dryRun: boolean; readonly resumedAfter: string | null },
): ReadonlyArray<string> => [
  ...(told.resumedAfter === null ? [] : [`went on after ${told.resumedAfter}`]),
  `${told.objects} objects: ${told.sent} ${told.dryRun ? "would be sent" : "sent"}, ${told.known} known already, ${told.ignored} matched by no trigger`,
  ...(told.unversioned === 0
    ? []
    : [
        `${told.unversioned} have no version id, so that nobody can say whether they were processed: copy them onto themselves to start them`,
      ]),
];
