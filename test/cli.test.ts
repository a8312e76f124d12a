/**
 * Goal: the command does what its help says, tells other programs in JSON, and ends with a code that can be relied on.
 * Method: the command as people run it: a process of its own in a folder of its own.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { GetObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { NodeServices } from "@effect/platform-node";
import { assert, describe, it } from "@effect/vitest";
import { ExecutionRow } from "@millrace/core";
import { clientConfig, localBuckets } from "@millrace/local";
import { Effect, FileSystem, Path, Schedule, Schema } from "effect";

const main = fileURLToPath(new URL("../packages/cli/src/main.ts", import.meta.url));

/** Without an AWS that would be taken for the local mode; with compiled code kept, as some thirty processes start here. */
const environment = {
  ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("AWS_"))),
  NODE_COMPILE_CACHE: join(tmpdir(), "millrace-test-compile-cache"),
};

const start = (folder: string, ...words: ReadonlyArray<string>): ChildProcess =>
  spawn(process.execPath, [main, ...words], {
    cwd: folder,
    env: environment,
    stdio: ["ignore", "pipe", "pipe"],
  });

/** Runs the command to its end. */
const millrace = (folder: string, ...words: ReadonlyArray<string>) =>
  Effect.callback<{ readonly code: number | null; readonly out: string; readonly err: string }>(
    (resume) => {
      const child = start(folder, ...words);
      let out = "";
      let err = "";
      child.stdout?.on("data", (text) => (out += String(text)));
      child.stderr?.on("data", (text) => (err += String(text)));
      child.on("close", (code) => resume(Effect.succeed({ code, out, err })));
      return Effect.sync(() => void child.kill("SIGKILL"));
    },
  );

const ConnectionLine = Schema.fromJsonString(
  Schema.Struct({
    endpoint: Schema.String,
    region: Schema.String,
    accessKeyId: Schema.String,
    secretAccessKey: Schema.String,
  }),
);
const decodeConnectionLine = Schema.decodeUnknownEffect(ConnectionLine);

/** `millrace dev` until the scope closes; `first` is its first line. */
const dev = Effect.fnUntraced(function* (folder: string, ...words: ReadonlyArray<string>) {
  const child = yield* Effect.acquireRelease(
    Effect.sync(() => start(folder, "dev", ...words)),
    (child) => stop(child),
  );
  const lines: Array<string> = [];
  if (child.stdout) createInterface({ input: child.stdout }).on("line", (line) => lines.push(line));
  yield* Effect.sync(() => lines.length).pipe(
    Effect.repeat({ until: (count) => count > 0, schedule: Schedule.spaced("20 millis") }),
  );
  return { child, lines, first: lines[0] ?? "" };
});

/** Ends a process as Ctrl-C does; gives its exit code. */
const stop = (child: ChildProcess, signal: NodeJS.Signals = "SIGINT") =>
  Effect.callback<number | null>((resume) => {
    if (child.exitCode !== null || child.signalCode !== null) {
      return resume(Effect.succeed(child.exitCode));
    }
    child.on("close", (code) => resume(Effect.succeed(code)));
    child.kill(signal);
  });

const Listing = Schema.fromJsonString(Schema.Struct({ rows: Schema.Array(ExecutionRow) }));
const decodeListing = Schema.decodeUnknownEffect(Listing);
const Uploaded = Schema.fromJsonString(
  Schema.Struct({ bucket: Schema.String, key: Schema.String, versionId: Schema.String }),
);
const decodeUploaded = Schema.decodeUnknownEffect(Uploaded);
const Shown = Schema.fromJsonString(
  Schema.Struct({
    executionId: Schema.String,
    commits: Schema.Array(
      Schema.Struct({
        commit: Schema.Int,
        events: Schema.Array(Schema.Struct({ _tag: Schema.String })),
      }),
    ),
  }),
);
const decodeShown = Schema.decodeUnknownEffect(Shown);

const inFolder = <A, E, R>(use: (folder: string) => Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const fileSystem = yield* FileSystem.FileSystem;
    return yield* use(yield* fileSystem.makeTempDirectoryScoped({ prefix: "millrace-cli-" }));
  }).pipe(Effect.scoped, Effect.provide(NodeServices.layer));

const write = Effect.fnUntraced(function* (folder: string, name: string, text: string) {
  const fileSystem = yield* FileSystem.FileSystem;
  const path = yield* Path.Path;
  yield* fileSystem.writeFileString(path.join(folder, name), text);
});

/** The executions, once there is one that has ended. */
const listed = (folder: string) =>
  Effect.flatMap(millrace(folder, "ls", "--json"), ({ out }) => decodeListing(out)).pipe(
    Effect.repeat({ until: ({ rows }) => rows.length > 0 }),
  );

describe("millrace", () => {
  it.live("dev, upload, ls and show work together, and state survives a restart", () =>
    inFolder(
      Effect.fnUntraced(function* (folder) {
        yield* write(folder, "orders.csv", "id,name\n1,a\n2,b\n");
        const uploaded = yield* Effect.gen(function* () {
          const { child, first } = yield* dev(folder, "--json");
          yield* decodeConnectionLine(first);
          const upload = yield* millrace(folder, "upload", "orders.csv", "--json");
          assert.strictEqual(upload.code, 0, upload.err);
          const object = yield* decodeUploaded(upload.out);
          assert.deepInclude(object, { bucket: localBuckets.raw, key: "incoming/orders.csv" });
          const { rows } = yield* listed(folder);
          assert.lengthOf(rows, 1);
          assert.deepInclude(rows[0], {
            workflow: "CsvToParquet",
            status: "completed",
            key: `${localBuckets.raw}/incoming/orders.csv@${object.versionId}`,
          });
          const [text, json, unknown] = yield* Effect.all(
            [
              millrace(folder, "show", "orders.csv"),
              millrace(folder, "show", rows[0]?.executionId.slice(0, 8) ?? "", "--json"),
              millrace(folder, "show", "nothing like it"),
            ],
            { concurrency: 2 },
          );
          assert.strictEqual(text.code, 0, text.err);
          for (const line of [
            `execution ${rows[0]?.executionId}`,
            "started CsvToParquet",
            "validate completed",
            "transform completed",
            "execution completed",
          ]) {
            assert.include(text.out, line);
          }
          const shown = yield* decodeShown(json.out);
          assert.strictEqual(shown.executionId, rows[0]?.executionId);
          assert.deepStrictEqual(
            shown.commits.map(({ commit }) => commit),
            shown.commits.map((_, index) => index + 1),
          );
          assert.strictEqual(shown.commits[0]?.events[0]?._tag, "ExecutionStarted");
          assert.strictEqual(shown.commits.at(-1)?.events.at(-1)?._tag, "Completed");
          assert.deepInclude(unknown, {
            code: 1,
            out: "",
            err: 'millrace: no execution has the id, or an object, that "nothing like it" is part of: see `millrace ls`\n',
          });
          assert.strictEqual(yield* stop(child), 0);
          return object;
        }).pipe(Effect.scoped);

        const offline = yield* millrace(folder, "ls");
        assert.strictEqual(offline.code, 1);
        assert.match(offline.err, /^millrace: no local mode runs here .*\n$/);

        yield* Effect.gen(function* () {
          const { first } = yield* dev(folder, "--json", "--no-workers");
          const connection = yield* decodeConnectionLine(first);
          const { rows } = yield* listed(folder);
          assert.lengthOf(rows, 1);
          const s3 = new S3Client({ ...clientConfig(connection), forcePathStyle: true });
          const { Body } = yield* Effect.promise(() =>
            s3.send(new GetObjectCommand({ Bucket: uploaded.bucket, Key: uploaded.key })),
          );
          const text = yield* Effect.promise(async () => Body?.transformToString());
          assert.strictEqual(text, "id,name\n1,a\n2,b\n");
          const second = yield* millrace(folder, "dev");
          assert.strictEqual(second.code, 1);
          assert.match(second.err, /^millrace: a local mode runs here already, at http.*\n$/);
        }).pipe(Effect.scoped);

        yield* Effect.gen(function* () {
          const { child } = yield* dev(folder, "--json", "--no-workers", "--clean");
          const { out } = yield* millrace(folder, "ls", "--json");
          assert.deepStrictEqual((yield* decodeListing(out)).rows, []);
          // Killed, it cannot take its connection away; others find out that nobody is there.
          yield* stop(child, "SIGKILL");
          const after = yield* millrace(folder, "ls");
          assert.strictEqual(after.code, 1);
          assert.match(after.err, /^millrace: no local mode runs here/);
        }).pipe(Effect.scoped);
      }),
    ),
  );

  it.live("dev --no-workers leaves messages in their queues", () =>
    inFolder(
      Effect.fnUntraced(function* (folder) {
        yield* write(folder, "a.csv", "id\n1\n");
        const { child, lines } = yield* dev(folder, "--no-workers");
        const upload = yield* millrace(folder, "upload", "a.csv");
        assert.deepInclude(upload, { code: 0, out: `${localBuckets.raw}/incoming/a.csv\n` });
        const { out } = yield* millrace(folder, "ls");
        assert.strictEqual(out, "no executions\n");
        assert.match(lines.join("\n"), /AWS_ENDPOINT_URL=http:\/\/127\.0\.0\.1:\d+/);
        assert.notInclude(lines.join("\n"), "csv-to-parquet");
        assert.strictEqual(yield* stop(child, "SIGTERM"), 0);
      }),
    ),
  );

  const wrong: ReadonlyArray<ReadonlyArray<string>> = [
    ["nonsense"],
    ["ls", "--nonsense"],
    ["ls", "--limit", "0"],
    ["ls", "--status", "lost"],
    ["upload"],
    ["dev", "--port", "70000"],
    ["dev", "--concurrency", "0"],
  ];
  it.live("ends with 2 and says why when it is called wrongly", () =>
    inFolder((folder) =>
      Effect.forEach(
        wrong,
        (words) =>
          Effect.map(millrace(folder, ...words), ({ code, err }) => {
            assert.strictEqual(code, 2, words.join(" "));
            assert.match(err, /ERROR\n {2}\S/, words.join(" "));
            assert.notMatch(err, /^\s+at /m);
          }),
        { concurrency: 2, discard: true },
      ),
    ),
  );

  const failing: ReadonlyArray<readonly [ReadonlyArray<string>, RegExp]> = [
    [["ls"], /^millrace: no local mode runs here .*\n$/],
    [["upload", "a.csv"], /^millrace: no local mode runs here .*\n$/],
    [["transform", "missing.csv", "--out", "o"], /missing\.csv/],
    [["demo", "missing.xyz"], /^millrace: no pipeline takes .*missing\.xyz: .*\n$/],
  ];
  it.live("ends with 1 and the reason, without a stack, when it fails", () =>
    inFolder((folder) =>
      Effect.forEach(
        failing,
        ([words, reason]) =>
          Effect.map(millrace(folder, ...words), ({ code, err, out }) => {
            assert.strictEqual(code, 1, words.join(" "));
            assert.match(err, reason);
            assert.notMatch(err, /^\s+at /m);
            assert.strictEqual(out, "");
          }),
        { concurrency: 2, discard: true },
      ),
    ),
  );

  const commands = ["demo", "dev", "upload", "ls", "show", "transform", "renditions"];
  it.live("has help with an example for every command", () =>
    inFolder(
      Effect.fnUntraced(function* (folder) {
        const all = yield* millrace(folder, "--help");
        assert.strictEqual(all.code, 0, all.err);
        for (const command of commands) assert.include(all.out, `\n  ${command} `);
        yield* Effect.forEach(
          commands,
          (command) =>
            Effect.map(millrace(folder, command, "--help"), ({ code, err, out }) => {
              assert.deepStrictEqual({ code, err }, { code: 0, err: "" });
              assert.include(out, "EXAMPLES");
              assert.include(out, `millrace ${command}`);
            }),
          { concurrency: 2, discard: true },
        );
      }),
    ),
  );
});
