/**
 * Large values in a SQLite database, which may be the journal's own file.
 */
import { Effect, Layer, Schema } from "effect";
import type { DatabaseSync } from "node:sqlite";
import { openDatabase } from "./openDatabase.ts";
import { attempt } from "./SqliteFailure.ts";
import { LargeValueLost, LargeValues, LargeValueUnavailable } from "../LargeValues.ts";

const decodeRow = Schema.decodeUnknownSync(
  Schema.UndefinedOr(Schema.Struct({ text: Schema.String })),
);

/** Opens (and creates) the store in `file`; `":memory:"` lives as long as the layer. */
export const layerSqlite = (file: string): Layer.Layer<LargeValues> =>
  Layer.effect(LargeValues, Effect.map(openDatabase(file, schema), make));

const schema = `
  CREATE TABLE IF NOT EXISTS large_values (
    sha256 TEXT NOT NULL PRIMARY KEY,
    text TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
`;

const make = (database: DatabaseSync): LargeValues["Service"] => {
  const insert = database.prepare(
    `INSERT INTO large_values (sha256, text) VALUES (?, ?) ON CONFLICT DO NOTHING`,
  );
  const select = database.prepare(`SELECT text FROM large_values WHERE sha256 = ?`);
  return LargeValues.of({
    put: (sha256, text) => Effect.asVoid(asked(sha256, "put", () => insert.run(sha256, text))),
    get: Effect.fnUntraced(function* (sha256) {
      const row = yield* asked(sha256, "get", () => decodeRow(select.get(sha256)));
      return row?.text ?? (yield* new LargeValueLost({ sha256, reason: "it is not there" }));
    }),
  });
};

const asked = <A>(sha256: string, operation: string, run: () => A) =>
  Effect.mapError(
    attempt(run),
    ({ cause }) => new LargeValueUnavailable({ sha256, operation, cause }),
  );
