/**
 * Every store keeps the append law. DynamoDB is dynalite, spoken to by the unmodified client over a real socket.
 */
import { describe } from "@effect/vitest";
import { SqliteJournal } from "@millrace/core/sqlite";
import { journalContract } from "@millrace/core/testing";
import { layerDynaliteJournal } from "./dynalite.ts";

describe("SQLite journal in memory", () => {
  journalContract(SqliteJournal.layerSqlite(":memory:"));
});

describe("DynamoDB journal", () => {
  journalContract(layerDynaliteJournal);
});
