/**
 * How far a backfill has come, in a file, so that one that was stopped goes on from there.
 *
 * Objects are taken in the order of their keys, and the file names the last one before which all are done. A file that
 * is lost costs reads: what was sent already is known by then.
 */
import { Effect, FileSystem, Option, Path, Schema } from "effect";
import { createHash } from "node:crypto";
import { stateDirectory } from "../Connection.ts";
import { openOutputFile } from "../OutputFile.ts";

/** What was found, and what was done about it. */
export const BackfillCounts = Schema.Struct({
  /** The newest version of each key. */
  objects: Schema.Int,
  /** Objects that start none of the pipelines asked for. */
  ignored: Schema.Int,
  /** Objects without a version id, of which nobody can say whether they were processed. */
  unversioned: Schema.Int,
  /** Executions that exist. */
  known: Schema.Int,
  /** Events handed to their pipeline's queue. */
  sent: Schema.Int,
});
export type BackfillCounts = typeof BackfillCounts.Type;

const ProgressFile = Schema.fromJsonString(
  Schema.Struct({
    format: Schema.Literal("millrace-backfill/1"),
    afterKey: Schema.String,
    counts: BackfillCounts,
  }),
);
const encode = Schema.encodeEffect(ProgressFile);
const decode = Schema.decodeUnknownEffect(ProgressFile);

/** The file is there and cannot be read. */
export class ProgressUnreadable extends Schema.TaggedError<ProgressUnreadable>()(
  "ProgressUnreadable",
  { file: Schema.String },
) {
  override get message(): string {
    return `${this.file} does not tell how far the backfill has come: begin anew with --restart`;
  }
}

export interface BackfillProgress {
  readonly afterKey: string;
  readonly counts: BackfillCounts;
}

/** The file of a backfill: another bucket, prefix or choice of pipelines has another one. */
export const progressFileOf = Effect.fnUntraced(function* (what: {
  readonly bucket: string;
  readonly prefix: string;
  readonly pipelines: ReadonlyArray<string>;
}) {
  const path = yield* Path.Path;
  const hash = createHash("sha256").update(JSON.stringify(what)).digest("hex").slice(0, 16);
  return path.join(stateDirectory, `backfill-${hash}.json`);
});

/** How far an earlier run has come; nothing when there was none. */
export const readProgress = Effect.fnUntraced(function* (file: string) {
  const fs = yield* FileSystem.FileSystem;
  if (!(yield* fs.exists(file))) return Option.none<BackfillProgress>();
  return yield* fs.readFileString(file).pipe(
    Effect.flatMap(decode),
    Effect.mapError(() => new ProgressUnreadable({ file })),
    Effect.asSome,
  );
});

/** Stores it, whole or not at all. */
export const writeProgress = Effect.fnUntraced(function* (
  file: string,
  { afterKey, counts }: BackfillProgress,
) {
  const fs = yield* FileSystem.FileSystem;
  yield* fs.makeDirectory(stateDirectory, { recursive: true });
  const output = yield* openOutputFile(file);
  const text = yield* encode({ format: "millrace-backfill/1", afterKey, counts });
  yield* output.write(new TextEncoder().encode(text));
  yield* output.commit;
}, Effect.scoped);
