/**
 * Goal: the two commands over plain files do their work, say what they did, and leave nothing half-written.
 * Method: the commands run in this process over a temporary folder, with the console and standard error recorded.
 */
import { NodeServices } from "@effect/platform-node";
import { assert, describe, it } from "@effect/vitest";
import { Console, Effect, Exit, FileSystem, Path, Schema, Sink, Stdio, Stream } from "effect";
import { CliError, Command } from "effect/cli";
import { parquetReadObjects } from "hyparquet";
import sharp from "sharp";
import { renderBar } from "../src/Progress.ts";
import { renditions } from "../src/renditions.ts";
import { transform } from "../src/transform.ts";

const root = Command.make("millrace").pipe(Command.withSubcommands([transform, renditions]));

/** Runs the command line; tells the exit code that the entry point gives, and both outputs. */
const millrace = (args: ReadonlyArray<string>, terminal = false) =>
  Effect.gen(function* () {
    const out: Array<string> = [];
    const err: Array<string> = [];
    const console = yield* Console.Console;
    const stdio = yield* Stdio.Stdio;
    const decoder = new TextDecoder();
    const exit = yield* Effect.exit(Command.runWith(root, { version: "0.0.0" })(args)).pipe(
      Effect.provideService(
        Console.Console,
        Object.assign(Object.create(console), {
          log: (...parts: ReadonlyArray<unknown>) => void out.push(parts.join(" ")),
          error: (...parts: ReadonlyArray<unknown>) => void err.push(parts.join(" ")),
        }),
      ),
      Effect.provideService(Stdio.Stdio, {
        ...stdio,
        stderrIsTerminal: Effect.succeed(terminal),
        stderr: () =>
          Sink.forEach((text: string | Uint8Array) =>
            Effect.sync(
              () => void err.push(typeof text === "string" ? text : decoder.decode(text)),
            ),
          ),
      }),
    );
    const failure = Exit.isFailure(exit)
      ? yield* Effect.flip(Effect.failCause(exit.cause))
      : undefined;
    const code =
      failure === undefined
        ? 0
        : CliError.isCliError(failure) && failure._tag !== "UserError"
          ? 2
          : 1;
    return { code, out: out.join("\n"), err: err.join("") };
  });

const inFolder = <A, E, R>(use: (folder: string) => Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const fileSystem = yield* FileSystem.FileSystem;
    return yield* use(yield* fileSystem.makeTempDirectoryScoped({ prefix: "millrace-cli-" }));
  }).pipe(Effect.scoped, Effect.provide(NodeServices.layer));

const filesIn = Effect.fnUntraced(function* (folder: string) {
  const fileSystem = yield* FileSystem.FileSystem;
  return (yield* fileSystem.exists(folder))
    ? (yield* fileSystem.readDirectory(folder, { recursive: true })).toSorted()
    : [];
});

const write = Effect.fnUntraced(function* (
  folder: string,
  name: string,
  content: string | Uint8Array,
) {
  const fileSystem = yield* FileSystem.FileSystem;
  const path = yield* Path.Path;
  const file = path.join(folder, name);
  yield* Stream.make(typeof content === "string" ? Buffer.from(content) : content).pipe(
    Stream.run(fileSystem.sink(file)),
  );
  return file;
});

const Report = Schema.fromJsonString(
  Schema.Struct({
    rowsIn: Schema.Int,
    rowsOut: Schema.Int,
    rowsRejected: Schema.Int,
    duplicates: Schema.Int,
    bytesOut: Schema.Int,
    parts: Schema.Array(Schema.Struct({ rows: Schema.Int })),
    outputs: Schema.Array(Schema.String),
    rejects: Schema.NullOr(Schema.String),
  }),
);

describe("millrace transform", () => {
  it.effect("writes Parquet and rejects, and reports in JSON", () =>
    inFolder((folder) =>
      Effect.gen(function* () {
        const fileSystem = yield* FileSystem.FileSystem;
        const csv = yield* write(folder, "sales 1.csv", "a,b\n1,x\n1,x\nshort\n2,y\n");
        const { code, err, out } = yield* millrace([
          "transform",
          csv,
          "--out",
          `${folder}/out`,
          "--json",
        ]);
        assert.strictEqual(code, 0);
        assert.strictEqual(err, "");
        const report = yield* Schema.decodeEffect(Report)(out);
        assert.deepInclude(report, { rowsIn: 4, rowsOut: 2, rowsRejected: 1, duplicates: 1 });
        assert.deepStrictEqual(yield* filesIn(`${folder}/out`), [
          "sales 1.parquet",
          "sales 1.rejects.ndjson",
        ]);
        const file = yield* fileSystem.readFile(report.outputs[0] ?? "");
        assert.strictEqual(file.length, report.bytesOut);
        const rows = yield* Effect.promise(() => parquetReadObjects({ file: file.slice().buffer }));
        assert.deepStrictEqual(
          rows.map((row) => row["_source_file"]),
          ["sales 1.csv", "sales 1.csv"],
        );
      }),
    ),
  );

  it.effect("gives equal bytes for an equal --processed-at, and parts when asked", () =>
    inFolder((folder) =>
      Effect.gen(function* () {
        const fileSystem = yield* FileSystem.FileSystem;
        const csv = yield* write(
          folder,
          "n.csv",
          `n\n${Array.from({ length: 25 }, (_, n) => n).join("\n")}\n`,
        );
        const args = [
          "transform",
          csv,
          "--part-rows",
          "10",
          "--processed-at",
          "2026-01-01T00:00:00Z",
          "--out",
        ];
        yield* millrace([...args, `${folder}/one`]);
        yield* millrace([...args, `${folder}/two`]);
        const parts = yield* filesIn(`${folder}/one`);
        assert.deepStrictEqual(parts, [
          "n",
          "n/part-00001.parquet",
          "n/part-00002.parquet",
          "n/part-00003.parquet",
        ]);
        for (const part of parts.slice(1)) {
          const [one, two] = [
            yield* fileSystem.readFile(`${folder}/one/${part}`),
            yield* fileSystem.readFile(`${folder}/two/${part}`),
          ];
          assert.isTrue(Buffer.from(one).equals(two));
        }
      }),
    ),
  );

  it.effect("on bad input exits with 1, says why on standard error and leaves nothing behind", () =>
    inFolder((folder) =>
      Effect.gen(function* () {
        const bad = yield* write(folder, "bad.csv", `a,b\n${"1,2\n".repeat(60_000)}3,"open\n`);
        const { code, err, out } = yield* millrace(["transform", bad, "--out", `${folder}/out`]);
        assert.strictEqual(code, 1);
        assert.match(err, /CsvQuoteUnclosed: .*bad\.csv.*line 60002/);
        assert.strictEqual(out, "");
        assert.deepStrictEqual(yield* filesIn(`${folder}/out`), []);
        const gone = yield* millrace(["transform", `${folder}/gone.csv`, "--out", folder]);
        assert.strictEqual(gone.code, 1);
        assert.include(gone.err, "gone.csv");
      }),
    ),
  );

  it.effect("on a wrong call exits with 2, and explains itself with an example", () =>
    inFolder((folder) =>
      Effect.gen(function* () {
        assert.strictEqual((yield* millrace(["transform", `${folder}/a.csv`])).code, 2);
        assert.strictEqual(
          (yield* millrace(["transform", "a.csv", "--out", folder, "--delimiter", "x"])).code,
          2,
        );
        const help = yield* millrace(["transform", "--help"]);
        assert.strictEqual(help.code, 0);
        assert.include(help.out, "millrace transform sales.csv --out clean");
      }),
    ),
  );

  it.effect("draws a bar on standard error, only on a terminal", () =>
    inFolder((folder) =>
      Effect.gen(function* () {
        const csv = yield* write(folder, "a.csv", "a\n1\n");
        const shown = yield* millrace(["transform", csv, "--out", folder], true);
        assert.include(shown.err, renderBar("a.csv", 4, 4));
        assert.include(renderBar("x", 1, 3), " 33 %");
      }),
    ),
  );
});

describe("millrace renditions", () => {
  it.effect("writes three renditions and tells their sizes", () =>
    inFolder((folder) =>
      Effect.gen(function* () {
        const bytes = yield* Effect.promise(() =>
          sharp({ create: { width: 1200, height: 900, channels: 3, background: "teal" } })
            .jpeg()
            .toBuffer(),
        );
        const image = yield* write(folder, "photo.jpg", bytes);
        const { code, out } = yield* millrace([
          "renditions",
          image,
          "--out",
          `${folder}/web`,
          "--json",
        ]);
        assert.strictEqual(code, 0);
        const files = (yield* filesIn(`${folder}/web`)).filter((file) => file.endsWith(".jpg"));
        assert.deepStrictEqual(files, [
          "resized/150x150/photo.jpg",
          "resized/400x300/photo.jpg",
          "resized/800x600/photo.jpg",
        ]);
        assert.match(out, /"width":800,"height":600/);
      }),
    ),
  );

  it.effect("refuses a truncated image with 1 and leaves nothing behind", () =>
    inFolder((folder) =>
      Effect.gen(function* () {
        const image = yield* write(folder, "cut.png", Buffer.from("\x89PNG\r\n\x1a\n", "latin1"));
        const { code, err } = yield* millrace(["renditions", image, "--out", `${folder}/web`]);
        assert.strictEqual(code, 1);
        assert.include(err, "ImageBroken");
        assert.deepStrictEqual(yield* filesIn(`${folder}/web`), []);
      }),
    ),
  );
});
