/**
 * Every store keeps the append law. DynamoDB is dynalite, spoken to by the unmodified client over a real socket.
 */
import { NodeServices } from "@effect/platform-node";
import { describe } from "@effect/vitest";
import { SqliteJournal } from "@millrace/core/sqlite";
import { journalContract } from "@millrace/core/testing";
import { Effect, FileSystem, Layer } from "effect";
import { layerDynaliteJournal } from "./dynalite.ts";

describe("SQLite journal in memory", () => {
  journalContract(SqliteJournal.layerSqlite(":memory:"));
});

describe("SQLite journal on a file", () => {
  const inTemporaryDirectory = Layer.unwrap(
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem;
      const directory = yield* files.makeTempDirectoryScoped();
      return SqliteJournal.layerSqlite(`${directory}/journal.sqlite`);
    }),
  );
  journalContract(Layer.provide(inTemporaryDirectory, NodeServices.layer));
});

describe("DynamoDB journal", () => {
  journalContract(layerDynaliteJournal);
});
