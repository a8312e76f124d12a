/**
 * Goal: what the bus has acknowledged survives the death of its process. Method: a real process is killed (SIGKILL)
 * while it puts events; another one opens its state.
 */
import * as NodeServices from "@effect/platform-node/NodeServices";
import { assert, describe, it } from "@effect/vitest";
import { Effect, FileSystem, Layer } from "effect";
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { LocalState } from "../src/LocalState.ts";
import { Sqs } from "../src/sqs/Sqs.ts";
import { field, services } from "./busClient.ts";

const program = fileURLToPath(new URL("./crashingBus.ts", import.meta.url));

/** Runs the program until it has acknowledged `count` events, kills it, and gives all that it acknowledged. */
const acknowledgedUntilKilled = (directory: string, count: number) =>
  Effect.callback<ReadonlyArray<string>>((resume) => {
    const child = spawn(process.execPath, [program, directory], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let output = "";
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
      output += chunk;
      if (output.split("\n").length > count) child.kill("SIGKILL");
    });
    child.on("close", () => {
      const lines = output.split("\n").slice(0, -1);
      resume(Effect.succeed(lines.map((line) => String(field(line, "Entries", "0", "EventId")))));
    });
    return Effect.sync(() => child.kill("SIGKILL"));
  });

/** Everything that arrives until nothing has come for a second. */
const receiveAll = Effect.gen(function* () {
  const sqs = yield* Sqs;
  const ids = new Set<string>();
  while (true) {
    const messages = yield* sqs.receive("q", { max: 10, waitSeconds: 1 });
    if (messages.length === 0) return ids;
    for (const { body, receiptHandle } of messages) {
      ids.add(String(field(body, "id")));
      yield* sqs.delete("q", receiptHandle);
    }
  }
});

describe("a killed process", () => {
  it.live("every event that PutEvents acknowledged reaches its target", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem;
      const directory = yield* fs.makeTempDirectoryScoped();
      const acknowledged = yield* acknowledgedUntilKilled(directory, 200);
      const state = LocalState.layerDirectory(directory);
      const delivered = yield* receiveAll.pipe(Effect.provide(services.pipe(Layer.provide(state))));
      assert.isAtLeast(acknowledged.length, 200);
      assert.deepStrictEqual(
        acknowledged.filter((id) => !delivered.has(id)),
        [],
      );
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer)),
  );
});
