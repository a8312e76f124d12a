/**
 * The idempotency store in a SQLite database (`node:sqlite`): single-machine use, and `:memory:` for tests.
 */
import { Effect, Layer, Schema } from "effect";
import type { DatabaseSync } from "node:sqlite";
import { openDatabase } from "./openDatabase.ts";
import { type Claim, IdempotencyStore, IdempotencyStoreUnavailable } from "../IdempotencyStore.ts";
import { attempt } from "./SqliteFailure.ts";

const Row = Schema.Struct({
  owner: Schema.String,
  payload_hash: Schema.String,
  expires_epoch_ms: Schema.Int,
  result: Schema.NullOr(Schema.String),
});
const decodeRow = Schema.decodeUnknownSync(Row);

/** Opens (and creates) the store in `file`; `":memory:"` lives as long as the layer. */
export const layerSqlite = (file: string): Layer.Layer<IdempotencyStore> =>
  Layer.effect(IdempotencyStore, Effect.map(openDatabase(file, schema), make));

const schema = `
  CREATE TABLE IF NOT EXISTS idempotency (
    key TEXT NOT NULL PRIMARY KEY,
    owner TEXT NOT NULL,
    payload_hash TEXT NOT NULL,
    expires_epoch_ms INTEGER NOT NULL,
    result TEXT
  ) STRICT, WITHOUT ROWID;
`;

const make = (database: DatabaseSync): IdempotencyStore["Service"] => {
  const insert = database.prepare(
    `INSERT INTO idempotency (key, owner, payload_hash, expires_epoch_ms) VALUES (?, ?, ?, ?)
     ON CONFLICT (key) DO UPDATE SET
       owner = excluded.owner, payload_hash = excluded.payload_hash,
       expires_epoch_ms = excluded.expires_epoch_ms, result = NULL
     WHERE expires_epoch_ms <= ?
     RETURNING owner, payload_hash, expires_epoch_ms, result`,
  );
  const select = database.prepare(
    `SELECT owner, payload_hash, expires_epoch_ms, result FROM idempotency WHERE key = ?`,
  );
  const extend = database.prepare(
    `UPDATE idempotency SET expires_epoch_ms = ? WHERE key = ? AND owner = ? AND result IS NULL`,
  );
  const complete = database.prepare(
    `UPDATE idempotency SET result = ?, expires_epoch_ms = ? WHERE key = ? AND owner = ?`,
  );
  const release = database.prepare(
    `DELETE FROM idempotency WHERE key = ? AND owner = ? AND result IS NULL`,
  );
  return IdempotencyStore.of({
    claim: ({ key, leaseUntilEpochMs, nowEpochMs, owner, payloadHash }) =>
      asked(key, "claim", () => {
        const row = decodeRow(
          insert.get(key, owner, payloadHash, Math.ceil(leaseUntilEpochMs), nowEpochMs) ??
            select.get(key),
        );
        return claimOf(owner, row);
      }),
    extend: (key, owner, leaseUntilEpochMs) =>
      asked(
        key,
        "extend",
        () => extend.run(Math.ceil(leaseUntilEpochMs), key, owner).changes === 1,
      ),
    complete: ({ expiresEpochMs, key, owner, result }) =>
      asked(
        key,
        "complete",
        () => complete.run(result, Math.ceil(expiresEpochMs), key, owner).changes === 1,
      ),
    release: (key, owner) =>
      Effect.asVoid(asked(key, "release", () => release.run(key, owner).changes)),
  });
};

/** What the record that stands says to this claimant; its own is its own, whoever wrote it when. */
const claimOf = (owner: string, row: typeof Row.Type): Claim => {
  const { expires_epoch_ms: expiresEpochMs, payload_hash: payloadHash, result } = row;
  if (result !== null) return { _tag: "Completed", payloadHash, result, expiresEpochMs };
  if (row.owner === owner) return { _tag: "Claimed" };
  return { _tag: "InProgress", payloadHash, leaseUntilEpochMs: expiresEpochMs };
};

const asked = <A>(key: string, operation: string, run: () => A) =>
  Effect.mapError(
    attempt(run),
    ({ cause }) => new IdempotencyStoreUnavailable({ key, operation, cause }),
  );
