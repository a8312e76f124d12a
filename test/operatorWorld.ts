/**
 * An operator's terminal over a whole local mode of the test's own process: a folder in which the `millrace` command
 * finds that local mode.
 */
import { localAccount } from "@millrace/local";
import { assert } from "@effect/vitest";
import { Effect, FileSystem, Path, Schema } from "effect";
import { millrace } from "./cliProcess.ts";
import { LocalWorld } from "./LocalWorld.ts";

const decodeJson = Schema.decodeUnknownEffect(Schema.fromJsonString(Schema.Json));

/** What an operator does in that folder. */
export const openTerminal = Effect.gen(function* () {
  const { connection } = yield* LocalWorld;
  const fs = yield* FileSystem.FileSystem;
  const path = yield* Path.Path;
  const folder = yield* fs.makeTempDirectoryScoped({ prefix: "millrace-operator-" });
  yield* fs.makeDirectory(path.join(folder, ".millrace"));
  const { accessKeyId, secretAccessKey } = localAccount;
  yield* fs.writeFileString(
    path.join(folder, ".millrace", "connection.json"),
    JSON.stringify({ ...connection, accessKeyId, secretAccessKey, pid: process.pid }),
  );
  /** Runs a command that is to end with that code; gives its JSON. */
  const runTo = Effect.fnUntraced(function* (expected: number, ...words: ReadonlyArray<string>) {
    const { code, err, out } = yield* millrace(folder, ...words, "--json");
    assert.strictEqual(code, expected, `${words.join(" ")}: ${err}${out}`);
    return yield* decodeJson(out);
  });
  return {
    folder,
    runTo,
    run: (...words: ReadonlyArray<string>) => runTo(0, ...words),
    text: (...words: ReadonlyArray<string>) => millrace(folder, ...words),
    path: (name: string) => path.join(folder, name),
  };
});
