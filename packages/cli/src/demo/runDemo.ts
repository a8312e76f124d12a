/**
 * The demo's course: upload everything, deliver the good files' events twice, kill a worker in the middle of a run,
 * wait for the end, replay the archive, look again.
 */
import { DeadLetter, Executions, type ExecutionRow } from "@millrace/core";
import { EmbeddedAws, HostEvents, layerLocalMode, localBuckets } from "@millrace/local";
import { type PipelineTopology, pipelines } from "@millrace/workflows/topology";
import { Effect, Option, PubSub, Ref, Schedule } from "effect";
import { localStageOf, type Stage } from "../Stage.ts";
import { layerStores } from "../stores.ts";
import { uploadFile } from "../upload.ts";
import type { DemoFile } from "./DemoFile.ts";
import {
  deliverAgain,
  type DemoWorld,
  downloadObject,
  listVersions,
  makeDemoWorld,
  observeBus,
  readDeadLetters,
  replayHour,
  takeEvent,
} from "./DemoWorld.ts";
import { type LoggedLine, readLogLine } from "./HandledLog.ts";
import { type DemoObservations, summarize, untrueClaims } from "./verdict.ts";

/** Time that a file's run may take, in seconds: a slow machine's 1 MB a second, and what a run costs at least. */
const timeoutSecondsFor = (files: ReadonlyArray<DemoFile>) =>
  4 + Math.ceil(Math.max(0, ...files.map(({ bytes }) => bytes)) / 1_000_000);

type Say = (text: string) => Effect.Effect<void>;

interface Demo {
  readonly files: ReadonlyArray<DemoFile>;
  readonly directory: string;
  readonly world: DemoWorld;
  readonly say: Say;
  readonly lines: Ref.Ref<ReadonlyArray<LoggedLine>>;
}

/** Runs the demo with its state in `directory`. */
export const runDemo = Effect.fnUntraced(function* (
  files: ReadonlyArray<DemoFile>,
  directory: string,
  say: Say,
) {
  const timeoutSeconds = timeoutSecondsFor(files);
  yield* say(`Starting the embedded AWS in ${directory}`);
  yield* say(
    `A function may take ${timeoutSeconds} s here; its queue hides a message for ${timeoutSeconds + 1} s (6 times the timeout on AWS)\n`,
  );
  const local = layerLocalMode({
    directory,
    variables: { MILLRACE_LOG_LEVEL: "Debug" },
    timesOf: () => ({ timeoutSeconds, visibilitySeconds: timeoutSeconds + 1 }),
  });
  return yield* Effect.gen(function* () {
    const connection = yield* EmbeddedAws;
    const stage = yield* localStageOf(connection);
    const world = makeDemoWorld(connection);
    const lines = yield* Ref.make<ReadonlyArray<LoggedLine>>([]);
    const demo: Demo = { files, directory, world, say, lines };
    yield* observeBus(world);
    const killed = yield* watch(demo);
    yield* Effect.forEach(files, (file) => uploadTwice(demo, stage, file), {
      concurrency: 4,
      discard: true,
    });
    const deliveries = files.length + files.filter(isGood).length;
    const observations = yield* settled(demo, deliveries).pipe(
      Effect.andThen(Ref.get(killed)),
      Effect.flatMap((victim) => observe(demo, victim)),
      Effect.provide(layerStores(stage)),
    );
    return {
      ...observations,
      summary: summarize(observations.seen),
      untrue: untrueClaims(observations.seen),
    };
  }).pipe(Effect.scoped, Effect.provide(local));
});

export type DemoReport = Effect.Success<ReturnType<typeof runDemo>>;

const isGood = (file: DemoFile): boolean => file.expected !== "failed";

/** Uploads the file, and delivers its event a second time when it is a good one. */
const uploadTwice = Effect.fnUntraced(function* (
  { say, world }: Demo,
  stage: Stage,
  file: DemoFile,
) {
  yield* uploadFile(stage, file.path, file.key);
  yield* say(`uploaded    ${localBuckets.raw}/${file.key}`);
  if (!isGood(file)) return;
  yield* deliverAgain(world, file.pipeline, yield* takeEvent(world, file.key));
});

/** The activities that do the work: in their middle is the middle of a run. */
const workActivities: ReadonlySet<string | undefined> = new Set(["transform", "render"]);

/** Tells what happens, and kills the first process that is at work on the largest good file. */
const watch = Effect.fnUntraced(function* ({ files, lines, say }: Demo) {
  const killed = yield* Ref.make(Option.none<{ readonly pid: number; readonly key: string }>());
  const victim = files.filter(isGood).toSorted((a, b) => b.bytes - a.bytes)[0];
  const events = yield* HostEvents;
  const subscription = yield* PubSub.subscribe(events);
  yield* Effect.forkScoped(
    Effect.forever(
      Effect.gen(function* () {
        const event = yield* PubSub.take(subscription);
        if (event._tag === "InvocationFailed") {
          yield* say(`process ${event.pid} of ${event.function}: ${event.reason}`);
        }
        const line = event._tag === "Line" ? readLogLine(event) : Option.none();
        if (Option.isNone(line)) return;
        yield* Ref.update(lines, (all) => [...all, line.value]);
        const { activity, key = "", outcome, pid, reason, status, subject } = line.value;
        const isMiddle = workActivities.has(activity) && victim && key.includes(`/${victim.key}@`);
        if (isMiddle && Option.isNone(yield* Ref.get(killed))) {
          process.kill(pid, "SIGKILL");
          yield* Ref.set(killed, Option.some({ pid, key }));
          yield* say(`killed      process ${pid} in the middle of ${victim.key} (SIGKILL)`);
        }
        if (outcome) yield* say(`${outcome.padEnd(11)} ${subject ?? ""} ${status ?? reason ?? ""}`);
      }),
    ),
  );
  return killed;
});

/** Lines about an object's event: one for each delivery that a function has finished with. */
const aboutObjects = (lines: ReadonlyArray<LoggedLine>) =>
  lines.filter(({ outcome, subject }) => outcome !== undefined && subject?.includes("/"));

/** Waits until every delivery has been handled and every file's execution has ended. */
const settled = Effect.fnUntraced(function* ({ files, lines }: Demo, deliveries: number) {
  yield* Effect.all([Ref.get(lines), allRows]).pipe(
    Effect.repeat({
      until: ([all, rows]) =>
        aboutObjects(all).length >= deliveries &&
        rows.filter(({ status }) => status === "completed" || status === "failed").length >=
          files.length,
      schedule: Schedule.spaced("200 millis"),
    }),
  );
});

const allRows = Effect.gen(function* () {
  const { rows } = yield* Executions.use((executions) => executions.list({ rowsMax: 1_000 }));
  return rows;
});

/** Looks at everything, replays the archive, and looks again. */
const observe = Effect.fnUntraced(function* (
  demo: Demo,
  killed: Option.Option<{ readonly key: string }>,
) {
  const { files, lines, say, world } = demo;
  const rows = yield* allRows;
  const before = yield* Ref.get(lines);
  const letters = yield* Effect.forEach(Object.values(pipelines), readLetters(world));
  const outputs = yield* listVersions(world, localBuckets.clean);

  yield* say("\nReplaying the whole hour from the archive ...");
  yield* replayHour(world);
  yield* settled(demo, aboutObjects(before).length + files.length);
  const replayed = aboutObjects(yield* Ref.get(lines)).filter(({ replayName }) => replayName);
  const outputsAfter = yield* listVersions(world, localBuckets.clean);
  const rowsAfterReplay: ReadonlyArray<ExecutionRow> = yield* allRows;

  const seen: DemoObservations = {
    files,
    rows,
    deadLettered: letters.flat().length,
    duplicatesDelivered: files.filter(isGood).length,
    duplicatesAbsorbed: aboutObjects(before).length - rows.length,
    resumedAfterKill: rows.filter(
      ({ key, runs, status }) =>
        status === "completed" && runs > 1 && Option.exists(killed, (victim) => victim.key === key),
    ).length,
    outputsWrittenOnce: new Set(outputs.map(({ key }) => key)).size === outputs.length,
    replayedEvents: replayed.length,
    rowsAfterReplay,
    killed: Option.isSome(killed),
    outputsUnchanged: JSON.stringify(outputs) === JSON.stringify(outputsAfter),
  };
  const folder = `${demo.directory}/outputs`;
  yield* Effect.forEach(
    new Set(outputs.map(({ key }) => key)),
    (key) => downloadObject(world, localBuckets.clean, key, `${folder}/${key}`),
    { discard: true },
  );
  return { seen, letters: letters.flat(), outputs, folder };
});

const readLetters = (world: DemoWorld) =>
  Effect.fnUntraced(function* (pipeline: PipelineTopology) {
    const bodies = yield* readDeadLetters(world, pipeline);
    return yield* Effect.forEach(bodies, (body) => DeadLetter.decodeEnvelope(body));
  });
