/**
 * Goal: whoever sits at a terminal sees how far a long command has come; in a file or a pipe there is no trace of that.
 * Method: the commands in this process, over a whole local mode, with a standard error that says that it is a terminal, or
 * that it is none, and keeps what it is given.
 */
import { NodeServices } from "@effect/platform-node";
import { assert, layer } from "@effect/vitest";
import { Executions } from "@millrace/core";
import { localQueues, queueUrl } from "@millrace/local";
import { pipelines } from "@millrace/workflows/topology";
import {
  ConfigProvider,
  Console,
  Effect,
  FileSystem,
  Layer,
  Path,
  Schedule,
  Sink,
  Stdio,
} from "effect";
import { SendMessageCommand } from "@aws-sdk/client-sqs";
import { Command } from "effect/cli";
import { dlq } from "../packages/cli/src/dlq/dlq.ts";
import { exportCommand } from "../packages/cli/src/export.ts";
import { backfill } from "../packages/cli/src/backfill/backfill.ts";
import { importCommand } from "../packages/cli/src/import.ts";
import { reconcile } from "../packages/cli/src/reconcile.ts";
import { redrive } from "../packages/cli/src/redrive.ts";
import { renditions } from "../packages/cli/src/renditions.ts";
import { replay } from "../packages/cli/src/replay/replay.ts";
import { transform } from "../packages/cli/src/transform.ts";
import { upload } from "../packages/cli/src/upload.ts";
import { StageFlag } from "../packages/cli/src/StageFlag.ts";
import { layerLocalWorld, LocalWorld } from "./LocalWorld.ts";

const all = Command.make("millrace").pipe(
  Command.withSubcommands([
    dlq,
    exportCommand,
    backfill,
    importCommand,
    reconcile,
    redrive,
    renditions,
    replay,
    transform,
    upload,
  ]),
  Command.withGlobalFlags([StageFlag]),
);

/** Runs a command; gives what its standard error got, and how it ended. */
const runAt = Effect.fnUntraced(function* (isTerminal: boolean, words: ReadonlyArray<string>) {
  const { connection } = yield* LocalWorld;
  const drawn: Array<string> = [];
  const printed: Array<string> = [];
  const stdio = Stdio.layerTest({
    stderrIsTerminal: Effect.succeed(isTerminal),
    stdoutIsTerminal: Effect.succeed(isTerminal),
    stdinIsTerminal: Effect.succeed(isTerminal),
    stderr: () => Sink.forEach((text) => Effect.sync(() => void drawn.push(String(text)))),
  });
  const quiet: Console.Console = Object.assign(Object.create(globalThis.console), {
    log: (text: unknown) => void printed.push(String(text)),
    error: (text: unknown) => void printed.push(String(text)),
  });
  const environment = ConfigProvider.layer(
    ConfigProvider.fromEnv({ env: { AWS_ENDPOINT_URL: connection.endpoint } }),
  );
  yield* Command.runWith(all, { version: "0.0.0" })(words).pipe(
    Effect.provide(Layer.merge(stdio, environment)),
    Effect.provideService(Console.Console, quiet),
  );
  return { drawn: drawn.join(""), printed: printed.join("\n") };
});

const world = Layer.provideMerge(layerLocalWorld({ timeoutSeconds: 30 }), NodeServices.layer);
const pipeline = pipelines.csvToParquet;

layer(world, { timeout: "120 seconds", excludeTestServices: true })("a terminal", (it) => {
  it.effect(
    "shows how far each long command has come, and a pipe nothing of it",
    () =>
      Effect.gen(function* () {
        const { clients, connection, process } = yield* LocalWorld;
        const fs = yield* FileSystem.FileSystem;
        const path = yield* Path.Path;
        const folder = yield* fs.makeTempDirectoryScoped({ prefix: "millrace-terminal-" });
        const file = (name: string) => path.join(folder, name);
        yield* fs.writeFileString(file("a.csv"), "id\n1\n");
        yield* fs.writeFileString(
          file("a.svg"),
          '<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"/>',
        );
        yield* process("incoming/broken.csv", "\u0000 no text");
        yield* process("incoming/good.csv", "id\n1\n");
        const QueueUrl = queueUrl(connection.endpoint, localQueues(pipeline).deadLetters);
        yield* Effect.promise(() =>
          clients.sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: "nobody's" })),
        );
        const executions = yield* Executions;
        yield* executions.list({ rowsMax: 10 }).pipe(
          Effect.repeat({
            until: ({ rows }) => rows.length >= 2,
            schedule: Schedule.spaced("50 millis"),
          }),
        );

        type Words = (run: string) => ReadonlyArray<string>;
        const commands: ReadonlyArray<readonly [words: Words, shows: RegExp]> = [
          [(run) => ["transform", file("a.csv"), "--out", file(`parquet-${run}`)], /100 %/],
          [(run) => ["renditions", file("a.svg"), "--out", file(`images-${run}`)], /100 %/],
          [() => ["upload", file("a.csv")], /uploading \[#+\] 100 %/],
          [() => ["redrive", "--status", "failed", "--dry-run"], /100 %/],
          [() => ["dlq", "redrive", pipeline.name, "--all", "--dry-run"], /letters \[#+\] 100 %/],
          [() => ["dlq", "drop", pipeline.name, "--all", "--dry-run"], /letters \[#+\] 100 %/],
          [() => ["replay", "--from", "1h", "--dry-run"], /events read: \d/],
          [() => ["backfill", "s3://millrace-raw/incoming/", "--dry-run"], /objects: \d/],
          [() => ["reconcile", "--grace", "1h"], /read: \d/],
          [(run) => ["export", "--all", "--out", file(`${run}.jsonl`)], /histories: \d/],
          [(run) => ["import", file(`${run}.jsonl`), "--dry-run"], /histories: \d/],
        ];
        for (const [words, shows] of commands) {
          const name = words("").slice(0, 2).join(" ");
          const piped = yield* runAt(false, words("piped"));
          assert.strictEqual(piped.drawn, "", name);
          const shown = yield* runAt(true, words("shown"));
          assert.match(shown.drawn, shows, name);
          // The line is taken away at the end: what follows begins where it began.
          assert.match(shown.drawn, /\r +\r$/, name);
          assert.notMatch(shown.printed, /\[[#-]{30}\]/, name);
        }
      }).pipe(Effect.scoped),
    110_000,
  );
});
