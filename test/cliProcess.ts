/**
 * The `millrace` command for tests, as people run it: a process of its own in a folder of its own.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { NodeServices } from "@effect/platform-node";
import { ExecutionRow } from "@millrace/core";
import { Effect, FileSystem, Path, Schedule, Schema } from "effect";

const main = fileURLToPath(new URL("../packages/cli/src/main.ts", import.meta.url));

/** Without an AWS that would be taken for the local mode; with compiled code kept, as some thirty processes start here. */
const environment = {
  ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("AWS_"))),
  NODE_COMPILE_CACHE: join(tmpdir(), "millrace-test-compile-cache"),
};

/** Starts the command, and leaves the rest to the test. */
export const start = (folder: string, ...words: ReadonlyArray<string>): ChildProcess =>
  startWith({}, folder, ...words);

const startWith = (
  variables: Readonly<Record<string, string>>,
  folder: string,
  ...words: ReadonlyArray<string>
): ChildProcess =>
  spawn(process.execPath, [main, ...words], {
    cwd: folder,
    env: { ...environment, ...variables },
    stdio: ["ignore", "pipe", "pipe"],
  });

/** Runs the command to its end. */
export const millrace = (folder: string, ...words: ReadonlyArray<string>) =>
  millraceWith({}, folder, ...words);

/** The same with further environment variables. */
export const millraceWith = (
  variables: Readonly<Record<string, string>>,
  folder: string,
  ...words: ReadonlyArray<string>
) =>
  Effect.callback<{ readonly code: number | null; readonly out: string; readonly err: string }>(
    (resume) => {
      const child = startWith(variables, folder, ...words);
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
/** Reads what `dev --json` prints first. */
export const decodeConnectionLine = Schema.decodeUnknownEffect(ConnectionLine);

/** `millrace dev` until the scope closes; `first` is its first line. */
export const dev = Effect.fnUntraced(function* (folder: string, ...words: ReadonlyArray<string>) {
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
export const stop = (child: ChildProcess, signal: NodeJS.Signals = "SIGINT") =>
  Effect.callback<number | null>((resume) => {
    if (child.exitCode !== null || child.signalCode !== null) {
      return resume(Effect.succeed(child.exitCode));
    }
    child.on("close", (code) => resume(Effect.succeed(code)));
    child.kill(signal);
  });

const Listing = Schema.fromJsonString(Schema.Struct({ rows: Schema.Array(ExecutionRow) }));
/** Reads what `ls --json` prints. */
export const decodeListing = Schema.decodeUnknownEffect(Listing);
/** Runs a test in a folder of its own. */
export const inFolder = <A, E, R>(use: (folder: string) => Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const fileSystem = yield* FileSystem.FileSystem;
    return yield* use(yield* fileSystem.makeTempDirectoryScoped({ prefix: "millrace-cli-" }));
  }).pipe(Effect.scoped, Effect.provide(NodeServices.layer));

/** Writes a file into the folder. */
export const write = Effect.fnUntraced(function* (folder: string, name: string, text: string) {
  const fileSystem = yield* FileSystem.FileSystem;
  const path = yield* Path.Path;
  yield* fileSystem.writeFileString(path.join(folder, name), text);
});

/** The executions, once there is one that has ended. */
export const listed = (folder: string) =>
  Effect.flatMap(millrace(folder, "ls", "--json"), ({ out }) => decodeListing(out)).pipe(
    Effect.repeat({ until: ({ rows }) => rows.length > 0 }),
  );
