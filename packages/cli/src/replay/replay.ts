/**
 * `millrace replay`: a range of the archive once more: what was lost is started, what failed redriven, or all of it
 * done again, as the mode says. Read and counted first, then done at a rate.
 */
import { Operations } from "@millrace/core";
import { Clock, Console, Effect, Option, Schema } from "effect";
import { CliError, Command, Flag } from "effect/cli";
import { randomUUID } from "node:crypto";
import { carryOut } from "../carryOut.ts";
import { findStage } from "../Stage.ts";
import { jsonFlag } from "../jsonFlag.ts";
import { pipelineFlag } from "../pipelineFlag.ts";
import { makeCounter } from "../Progress.ts";
import { requiredTimeFlag, timeFlag } from "../queryFlags.ts";
import { dryRunFlag, rateFlag } from "../rateFlag.ts";
import { layerOperations } from "../stores.ts";
import { executionsOf, pipelinesNamed } from "../triggered.ts";
import { readArchive } from "./ArchiveReader.ts";

/** Some executions may not be redriven or rerun. */
export class ReplayRefused extends Schema.TaggedError<ReplayRefused>()("ReplayRefused", {
  executions: Schema.Int,
}) {
  override get message(): string {
    return `${this.executions} executions may not be redriven: they have undone their steps; \`--mode rerun\` makes new ones of them`;
  }
}

export const replay = Command.make(
  "replay",
  {
    from: requiredTimeFlag(
      "from",
      "First event time: 2026-11-20T08:00:00Z, or 30m, 2h, 7d ago; by the events' own time",
    ),
    to: timeFlag("to", "Last event time, written likewise; by default now"),
    pipeline: pipelineFlag,
    mode: Flag.Literals("mode", Operations.ReplayMode.literals).pipe(
      Flag.withDescription(
        "join: start what has no execution, touch nothing else; failed: redrive what failed, start nothing; rerun: a new, linked execution of everything that has ended",
      ),
      Flag.withDefault("join" as const),
    ),
    label: Flag.String("label").pipe(
      Flag.withDescription(
        "Names the occasion, in the histories and in reruns: the same rerun again does nothing, one with another label does",
      ),
      Flag.withDefault("replay"),
    ),
    rate: rateFlag,
    dryRun: dryRunFlag,
    json: jsonFlag,
  },
  Effect.fnUntraced(function* ({ dryRun, from, json, label, mode, pipeline, rate, to }) {
    const now = yield* Clock.currentTimeMillis;
    const range = { fromEpochMs: from(now), toEpochMs: Option.match(to, lastOf(now)) };
    if (range.fromEpochMs >= range.toEpochMs) return yield* emptyRange;
    const stage = yield* findStage;
    const among = pipelinesNamed(Option.getOrUndefined(pipeline));
    const about = { mode, dryRun, from: iso(range.fromEpochMs), to: iso(range.toEpochMs) };
    const report = (counts: Operations.ReplayCounts) =>
      Console.log(
        json ? JSON.stringify({ ...about, ...counts }) : describe(about, counts).join("\n"),
      );
    yield* Effect.gen(function* () {
      const planner = Operations.makeReplayPlan({
        mode,
        label,
        executionsOf: executionsOf(stage, among),
      });
      const counter = yield* makeCounter("events read");
      const name = `millrace-replay-${randomUUID()}`;
      yield* readArchive(stage, name, range, (event) =>
        Effect.andThen(planner.take(event), counter.advance(1)),
      ).pipe(Effect.ensuring(counter.clear));
      const plan = yield* planner.plan;
      if (dryRun) yield* report(plan.counts);
      else yield* carryOutPlan(plan, { label, perSecond: rate, report });
      if (plan.counts.refused > 0) {
        return yield* new ReplayRefused({ executions: plan.counts.refused });
      }
    }).pipe(Effect.provide(layerOperations(stage)));
  }),
).pipe(
  Command.withDescription(
    "Replay a range of the archive of all object events. The range is read first, through a rule and a queue of its own that no pipeline sees, and counted; then what the mode asks for is done, at the rate. Events that came in the last ten minutes may not be in the archive yet. Exit codes: 0 done or counted; 1 the archive or the stores did not answer, or executions were refused; 2 wrong usage; 130 stopped",
  ),
  Command.withShortDescription(
    "Replay a range of the archive: join, redrive what failed, or rerun",
  ),
  Command.withExamples([
    {
      command: "millrace replay --from 2026-11-19T00:00:00Z --to 2026-11-20T00:00:00Z --dry-run",
      description: "What a day's events would start: what was lost",
    },
    {
      command: "millrace replay --from 2h --mode failed --rate 5/s",
      description: "Redrive what failed of the last two hours' uploads",
    },
    {
      command: "millrace replay --from 7d --mode rerun --pipeline csv-to-parquet --label cleaner-2",
      description: "All of a week's files once more, with new code",
    },
  ]),
);

const iso = (epochMs: number): string => new Date(epochMs).toISOString();

const lastOf = (now: number) => ({
  onNone: () => now,
  onSome: (at: (nowEpochMs: number) => number) => at(now),
});

const emptyRange = Effect.fail(
  new CliError.ShowHelp({
    commandPath: ["millrace", "replay"],
    errors: [new CliError.ValidationError({ message: "--from must be earlier than --to" })],
  }),
);

/** Does the steps of a plan, and counts what they really came to. */
const carryOutPlan = Effect.fnUntraced(function* (
  plan: Operations.ReplayPlan,
  options: {
    readonly label: string;
    readonly perSecond: number;
    readonly report: (counts: Operations.ReplayCounts) => Effect.Effect<void>;
  },
) {
  const counts: Record<keyof Operations.ReplayCounts, number> = {
    ...Operations.beforeSteps(plan),
  };
  yield* carryOut(plan.steps, {
    label: "replaying",
    perSecond: options.perSecond,
    act: (step) =>
      Effect.map(
        Operations.carryOutReplay(step, { label: options.label, queueOf: (pipeline) => pipeline }),
        (outcome) => void counts[outcome]++,
      ),
    report: Effect.suspend(() => options.report(counts)),
  });
});

const describe = (about: ArchiveText, counts: Operations.ReplayCounts): ReadonlyArray<string> => [
  `${about.from} to ${about.to}, mode ${about.mode}${about.dryRun ? " (dry run, nothing is changed)" : ""}`,
  `${counts.events} events: ${counts.executions} executions, ${counts.duplicates} duplicates, ${counts.ignored} that start nothing, ${counts.unreadable} unreadable`,
  `${counts.executions} executions: ${counts.missing} missing, ${counts.underWay} under way, ${counts.finished} finished, ${counts.failed} failed`,
  `${counts.started} started, ${counts.redriven} redriven, ${counts.rerun} rerun, ${counts.rerunBefore} rerun before, ${counts.left} left, ${counts.refused} refused`,
];

interface ArchiveText {
  readonly mode: Operations.ReplayMode;
  readonly dryRun: boolean;
  readonly from: string;
  readonly to: string;
}
