/**
 * `millrace where <file>`: where a file is on its way, and the command that gets it on.
 */
import { type ExecutionRow, Operations, toObjectCreated } from "@millrace/core";
import { outputsOf } from "@millrace/workflows/outputsOf";
import { Console, Effect, Schema } from "effect";
import { Argument, Command } from "effect/cli";
import { findStage, type Stage } from "./Stage.ts";
import { rowsNamed } from "./findHistory.ts";
import { jsonFlag } from "./jsonFlag.ts";
import { listVersions } from "./listVersions.ts";
import { layerStores } from "./stores.ts";
import { executionsOf, pipelinesNamed } from "./triggered.ts";

/** Neither a bucket nor an execution knows of it. */
export class FileNotFound extends Schema.TaggedError<FileNotFound>()("FileNotFound", {
  name: Schema.String,
}) {
  override get message(): string {
    return `no execution and no object below a pipeline's prefix is called "${this.name}": it was not uploaded there, or it was removed before its event was handled`;
  }
}

/** One version of the file, or one execution about it. */
interface Whereabouts {
  readonly subject: string;
  readonly state: string;
  readonly executionId?: string;
  readonly detail?: string;
  /** The command that gets it on; absent where there is nothing to do. */
  readonly next?: string;
}

export const where = Command.make(
  "where",
  {
    file: Argument.String("file").pipe(
      Argument.withDescription(
        "Its name, bucket/key, s3://bucket/key, a part of its key, or an execution id",
      ),
    ),
    json: jsonFlag,
  },
  Effect.fnUntraced(function* ({ file, json }) {
    const stage = yield* findStage;
    const name = file.replace(/^s3:\/\//, "");
    const found = yield* Effect.gen(function* () {
      const rows = yield* rowsNamed(name);
      const known = new Set(rows.map(({ executionId }) => executionId));
      return [...rows.map(ofRow), ...(yield* unstarted(stage, name, known))];
    }).pipe(Effect.provide(layerStores(stage)));
    if (found.length === 0) return yield* new FileNotFound({ name });
    yield* Console.log(json ? JSON.stringify({ name, found }) : found.flatMap(render).join("\n"));
  }),
).pipe(
  Command.withDescription(
    "Say where a file is: processed, on its way, failed, or uploaded without an execution, and which command gets it on. Exit codes: 0 found; 1 nobody knows of it, or the stores did not answer; 2 wrong usage",
  ),
  Command.withShortDescription("Say where a file is, and which command gets it on"),
  Command.withExamples([
    { command: "millrace where orders.csv", description: "By its name" },
    {
      command: "millrace where millrace-raw/incoming/orders.csv --json",
      description: "By its key",
    },
  ]),
);

const ofRow = (row: ExecutionRow): Whereabouts => {
  const { executionId, key: subject, status: state } = row;
  const about = { subject, state, executionId };
  switch (state) {
    case "completed": {
      const outputs = outputsOf(row) ?? [];
      return { ...about, detail: outputs.map(({ bucket, key }) => `${bucket}/${key}`).join(", ") };
    }
    case "failed":
    case "parked":
      return {
        ...about,
        detail: `${row.errorTag ?? "unknown"}: ${row.errorMessage ?? ""}`,
        next: `millrace redrive ${executionId}`,
      };
    case "running":
    case "suspended":
      return { ...about, next: `millrace show ${executionId}` };
  }
};

/** Newest versions of that name below the pipelines' prefixes whose execution has no row. */
const unstarted = Effect.fnUntraced(function* (
  stage: Stage,
  name: string,
  known: ReadonlySet<string>,
) {
  const found: Array<Whereabouts> = [];
  for (const pipeline of pipelinesNamed(undefined)) {
    const bucket = stage.buckets[pipeline.trigger.bucket];
    const executions = executionsOf(stage, [pipeline]);
    const key = keyOf(name, bucket, pipeline.trigger.prefix);
    if (key === undefined) continue;
    yield* listVersions(
      stage,
      { bucket, prefix: key },
      Effect.fnUntraced(function* (page) {
        for (const version of page) {
          const { isLatest, versionId } = version;
          if (!isLatest || versionId === undefined || version.key !== key) continue;
          const subject = `${bucket}/${key}@${versionId}`;
          for (const { executionId } of yield* executions(toObjectCreated(bucket, version))) {
            if (known.has(executionId)) continue;
            const standing = yield* Operations.standingOf(executionId);
            found.push(
              standing === "missing"
                ? {
                    subject,
                    state: "uploaded, without an execution",
                    detail: `its event is on its way to ${pipeline.name}, or was lost`,
                    next: `millrace backfill s3://${bucket}/${key}`,
                  }
                : { subject, state: standing, executionId, next: `millrace show ${executionId}` },
            );
          }
        }
      }),
    );
  }
  return found;
});

/** The whole key that a name means below a prefix; nothing when it is the name of another bucket's object. */
const keyOf = (name: string, bucket: string, prefix: string): string | undefined => {
  const key = name.startsWith(`${bucket}/`) ? name.slice(bucket.length + 1) : name;
  if (key.startsWith(prefix)) return key;
  return name.startsWith(`${bucket}/`) ? undefined : `${prefix}${key}`;
};

const render = ({ detail, executionId, next, state, subject }: Whereabouts) => [
  `${subject}: ${state}${executionId === undefined ? "" : ` (execution ${executionId})`}`,
  ...(detail === undefined || detail === "" ? [] : [`  ${detail}`]),
  ...(next === undefined ? [] : [`  $ ${next}`]),
];
