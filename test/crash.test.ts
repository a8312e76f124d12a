/**
 * Goal: a worker that is killed or stops answering loses nothing and does nothing twice: another one goes on.
 * Method: processes are killed (SIGKILL) or stopped (SIGSTOP) at the moment that their log names an activity; the
 * output is compared with the source, the history says who did what.
 */
import { assert, layer } from "@effect/vitest";
import { type HistoryEvent, Journal } from "@millrace/core";
import { type HostEvent, localBuckets } from "@millrace/local";
import { Effect, Option, Schema } from "effect";
import sharp from "sharp";
import { layerLocalWorld, LocalWorld } from "./LocalWorld.ts";
import { queryDuckDb } from "./parquetReaders.ts";

const ActivityLine = Schema.fromJsonString(
  Schema.Struct({ annotations: Schema.Struct({ activity: Schema.String, key: Schema.String }) }),
);
const decodeActivityLine = Schema.decodeUnknownOption(ActivityLine);
const Outputs = Schema.Struct({ outputs: Schema.Array(Schema.Struct({ key: Schema.String })) });
const decodeOutputs = Schema.decodeUnknownEffect(Outputs);

/** The process that begins an activity for an object, and what it begins. */
const beginning = (event: HostEvent, key: string) =>
  event._tag === "Line"
    ? decodeActivityLine(event.line).pipe(
        Option.filter(({ annotations }) => annotations.key.includes(`/${key}@`)),
        Option.map(({ annotations: { activity } }) => ({ activity, pid: event.pid })),
      )
    : Option.none();

/** Sends a signal to the first process that begins the activity for the object. */
const strike = Effect.fnUntraced(function* (
  key: string,
  activity: string,
  signal: "SIGKILL" | "SIGSTOP",
) {
  const { watchers } = yield* LocalWorld;
  const struck: Array<number> = [];
  watchers.add((event) => {
    const begun = beginning(event, key);
    if (struck.length > 0 || Option.isNone(begun) || begun.value.activity !== activity) return;
    struck.push(begun.value.pid);
    process.kill(begun.value.pid, signal);
  });
  return struck;
});

const historyOf = Effect.fnUntraced(function* (executionId: string) {
  const journal = yield* Journal;
  const commits = yield* journal.load(executionId, 0);
  return commits.flatMap(({ events }): ReadonlyArray<HistoryEvent> => events);
});

const namesOf = (history: ReadonlyArray<HistoryEvent>) =>
  history.map((event) => (event._tag === "ActivityCompleted" ? event.name : event._tag));

const rowCount = 60_000;
const csv = `id,date,name\n${Array.from(
  { length: rowCount },
  (_, id) => `${id},2024-01-0${(id % 9) + 1},name of ${id % 977} é\n`,
).join("")}`;

const world = layerLocalWorld({
  timeoutSeconds: 8,
  variables: { MILLRACE_LOG_LEVEL: "Debug" },
});

layer(world, { timeout: "120 seconds", excludeTestServices: true, concurrent: true })(
  "a worker",
  (it) => {
    for (const [what, signal, activity] of [
      ["killed in the middle of the transform", "SIGKILL", "transform"],
      ["killed at its first step", "SIGKILL", "validate"],
      ["that stops answering in the middle of the transform", "SIGSTOP", "transform"],
    ] as const) {
      it.effect(`${what} is replaced, and the output is exact`, () =>
        Effect.gen(function* () {
          const { ended, handledAbout, read, upload, versions } = yield* LocalWorld;
          const key = `incoming/${signal}-${activity}.csv`;
          const struck = yield* strike(key, activity, signal);
          const uploaded = yield* upload(key, csv);
          const row = yield* ended(uploaded);
          assert.lengthOf(struck, 1);
          assert.strictEqual(row.status, "completed");
          assert.strictEqual(row.runs, 2);
          assert.notInclude(
            handledAbout(uploaded.subject).map(({ pid }) => pid),
            struck[0],
          );

          const history = yield* historyOf(row.executionId);
          const runs = history.flatMap((event) =>
            event._tag === "RunStarted" ? [event.owner] : [],
          );
          assert.lengthOf(new Set(runs), 2);
          // What the first process had stored before the second began is not done again.
          const names = namesOf(history);
          assert.lengthOf(
            names.filter((name) => name === "validate"),
            1,
          );
          assert.lengthOf(
            names.filter((name) => name === "transform"),
            1,
          );
          if (activity === "transform") {
            assert.isBelow(names.indexOf("validate"), names.lastIndexOf("RunStarted"));
          }

          const { outputs } = yield* decodeOutputs(row.result);
          const output = outputs[0]?.key ?? "";
          assert.lengthOf(yield* versions(localBuckets.clean, output), 1);
          const { bytes } = yield* read(localBuckets.clean, output);
          const found = yield* queryDuckDb(
            bytes,
            `select count(*)::int as n, sum(id::int)::int as ids, count(distinct name)::int as names,
             max(epoch_ms(_processed_at))::bigint::text as at, max(_source_file) as source,
             count(*) filter (date = make_date(2024, 1, 1 + id::int % 9) and name = 'name of ' || (id::int % 977) || ' é')::int as exact
           from FILE`,
          );
          assert.deepStrictEqual(found, [
            {
              n: rowCount,
              ids: (rowCount * (rowCount - 1)) / 2,
              names: 977,
              at: String(row.startedEpochMs),
              source: uploaded.subject,
              exact: rowCount,
            },
          ]);
        }),
      );
    }

    it.effect("killed while it renders an image is replaced, and each rendition is whole", () =>
      Effect.gen(function* () {
        const { ended, read, upload } = yield* LocalWorld;
        const photo = yield* Effect.promise(() =>
          sharp({ create: { width: 3000, height: 2000, channels: 3, background: "navy" } })
            .jpeg()
            .toBuffer(),
        );
        const struck = yield* strike("images/killed.jpg", "render", "SIGKILL");
        const row = yield* ended(yield* upload("images/killed.jpg", photo));
        assert.lengthOf(struck, 1);
        assert.strictEqual(row.status, "completed");
        assert.strictEqual(row.runs, 2);
        const names = namesOf(yield* historyOf(row.executionId));
        assert.deepStrictEqual(
          names.filter((name) => name === "render" || name === "catalog"),
          ["render", "catalog"],
        );
        for (const [box, width, height] of [
          ["800x600", 800, 533],
          ["400x300", 400, 267],
          ["150x150", 150, 100],
        ] as const) {
          const { bytes } = yield* read(localBuckets.clean, `resized/${box}/killed.jpg`);
          const found = yield* Effect.promise(() => sharp(bytes).metadata());
          assert.deepInclude(found, { format: "jpeg", width, height });
        }
      }),
    );
  },
);
