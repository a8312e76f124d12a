/**
 * The engine on SQLite, as a conformance harness for Effect's `WorkflowEngine` wants it (see docs/conformance.md):
 * `layer` is a fresh engine each time it is built; each build of what `backend()` returns is one more process over one
 * durable store.
 */
import { Engine } from "@millrace/core";
import { SqliteJournal } from "@millrace/core/sqlite";
import { Layer } from "effect";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

// A harness kills processes and wants to see the next one at work: their leases must not last.
const engineOn = (file: string) =>
  Layer.fresh(
    Layer.provide(Engine.layerInProcess({ leaseMs: 200 }), SqliteJournal.layerSqlite(file)),
  );

export const layer = engineOn(":memory:");

export const backend = () =>
  engineOn(join(mkdtempSync(join(tmpdir(), "millrace-conformance-")), "journal.sqlite"));
