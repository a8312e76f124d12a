/**
 * An operator beside a soak: the `millrace` command as people run it, against the running local mode.
 *
 * Its requests go through the front as the workers' do, so that what it writes can be counted.
 */
import { localAccount } from "@millrace/local";
import { Effect, FileSystem, Path, Schema } from "effect";
import { millrace } from "../cliProcess.ts";
import { SoakWorld } from "./SoakWorld.ts";

/** The counts that a replay answers with; `docs/operations.md` says what each means. */
const ReplayAnswer = Schema.Struct({
  events: Schema.Int,
  ignored: Schema.Int,
  duplicates: Schema.Int,
  executions: Schema.Int,
  missing: Schema.Int,
  underWay: Schema.Int,
  finished: Schema.Int,
  failed: Schema.Int,
  left: Schema.Int,
  started: Schema.Int,
  redriven: Schema.Int,
  rerun: Schema.Int,
  refused: Schema.Int,
});
export type ReplayAnswer = typeof ReplayAnswer.Type;
const decodeAnswer = Schema.decodeUnknownEffect(Schema.fromJsonString(ReplayAnswer));

/** A command of the operator's did not end well. */
export class OperatorFailed extends Schema.TaggedError<OperatorFailed>()("OperatorFailed", {
  words: Schema.String,
  code: Schema.NullOr(Schema.Int),
  output: Schema.String,
}) {
  override get message(): string {
    return `millrace ${this.words} ended with ${this.code}: ${this.output}`;
  }
}

/** Gives `replay`, which runs the command of that name with the words given. */
export const makeOperator = Effect.gen(function* () {
  const { connection, front } = yield* SoakWorld;
  const fs = yield* FileSystem.FileSystem;
  const path = yield* Path.Path;
  const folder = yield* fs.makeTempDirectoryScoped({ prefix: "millrace-soak-operator-" });
  yield* fs.makeDirectory(path.join(folder, ".millrace"));
  const { accessKeyId, region, secretAccessKey } = localAccount;
  const { endpoint } = front;
  yield* fs.writeFileString(
    path.join(folder, ".millrace", "connection.json"),
    JSON.stringify({
      ...connection,
      endpoint,
      region,
      accessKeyId,
      secretAccessKey,
      pid: process.pid,
    }),
  );
  return {
    replay: Effect.fnUntraced(function* (...words: ReadonlyArray<string>) {
      const { code, err, out } = yield* millrace(folder, "replay", ...words, "--json");
      if (code !== 0) {
        return yield* new OperatorFailed({ words: words.join(" "), code, output: `${err}${out}` });
      }
      return yield* decodeAnswer(out);
    }),
  };
});
export type Operator = Effect.Success<typeof makeOperator>;
