import { Layer } from "effect";
import { Engine } from "@millrace/core";
import { SqliteJournal } from "@millrace/core/sqlite";
import { mkdtempSync } from "node:fs";
export const layer = Layer.fresh(
  Engine.layerInProcess().pipe(Layer.provide(SqliteJournal.layerSqlite(":memory:"))),
);
export const backend = () => {
  const file = mkdtempSync("/tmp/conf-") + "/j.sqlite";
  return Layer.suspend(() =>
    Layer.fresh(Engine.layerInProcess().pipe(Layer.provide(SqliteJournal.layerSqlite(file)))),
  );
};
