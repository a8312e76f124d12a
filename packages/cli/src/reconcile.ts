/**
 * `millrace reconcile`: the buckets against the executions, and the command that puts each finding right. Changes
 * nothing itself.
 */
import { compareBuckets } from "@millrace/workflows/compareBuckets";
import { Console, Effect, Option, Schema } from "effect";
import { Command } from "effect/cli";
import { findStage } from "./Stage.ts";
import { jsonFlag } from "./jsonFlag.ts";
import { listVersions } from "./listVersions.ts";
import { pipelineFlag } from "./pipelineFlag.ts";
import { makeCounter } from "./Progress.ts";
import { ageFlag } from "./queryFlags.ts";
import { fixesOf, renderReconciliation } from "./reconcileReport.ts";
import { layerStores } from "./stores.ts";
import { pipelinesNamed } from "./triggered.ts";

/** Something does not agree. */
export class Unreconciled extends Schema.TaggedError<Unreconciled>()("Unreconciled", {
  findings: Schema.Int,
}) {
  override get message(): string {
    return `${this.findings} findings: each names the command that puts it right`;
  }
}

export const reconcile = Command.make(
  "reconcile",
  {
    pipeline: pipelineFlag,
    grace: ageFlag("grace", "Uploads younger than this may be on their way: 30s, 5m", "5m"),
    openLonger: ageFlag("open-longer", "Executions open for longer are findings: 6h, 2d", "1d"),
    json: jsonFlag,
  },
  Effect.fnUntraced(function* ({ grace, json, openLonger, pipeline }) {
    const stage = yield* findStage;
    const among = pipelinesNamed(Option.getOrUndefined(pipeline));
    const counter = yield* makeCounter("read");
    const found = yield* compareBuckets({
      list: (where, use) => listVersions(stage, where, use),
      buckets: stage.buckets,
      pipelines: among,
      graceMs: grace,
      openMsMax: openLonger,
      advance: counter.advance,
    }).pipe(Effect.ensuring(counter.clear), Effect.provide(layerStores(stage)));
    const fixes = fixesOf(found);
    yield* Console.log(
      json ? JSON.stringify({ ...found, fixes }) : renderReconciliation(found, fixes).join("\n"),
    );
    const findings = Object.values(found)
      .map((one) => (Array.isArray(one) ? one.length : 0))
      .reduce((sum, count) => sum + count, 0);
    if (findings > 0) return yield* new Unreconciled({ findings });
  }),
).pipe(
  Command.withDescription(
    "Compare the buckets with the executions: uploads without an execution, executions without their object, completed executions whose output is gone or was written by others later, and executions that are open too long. Each finding comes with the command that puts it right. Exit codes: 0 all agree; 1 there are findings, or the buckets or stores did not answer; 2 wrong usage",
  ),
  Command.withShortDescription(
    "Compare the buckets with the executions, and offer what puts them right",
  ),
  Command.withExamples([
    { command: "millrace reconcile", description: "All pipelines" },
    {
      command: "millrace reconcile --pipeline csv-to-parquet --open-longer 2h --json",
      description: "One pipeline, for a daily check",
    },
  ]),
);
