/**
 * The events that archives hold, in the order of their own time.
 */
import type { DatabaseSync } from "node:sqlite";
import { numberOf, optionalNumber, textOf } from "../sqlite.ts";

const schema = `
  CREATE TABLE IF NOT EXISTS events_archived (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, archive TEXT NOT NULL, time_ms INTEGER NOT NULL, event TEXT NOT NULL) STRICT;
  CREATE INDEX IF NOT EXISTS events_archived_time ON events_archived (archive, time_ms);`;

const prepare = (database: DatabaseSync) => ({
  insert: database.prepare(
    "INSERT INTO events_archived (archive, time_ms, event) VALUES (?, ?, ?)",
  ),
  expire: database.prepare("DELETE FROM events_archived WHERE archive = ? AND time_ms < ?"),
  clear: database.prepare("DELETE FROM events_archived WHERE archive = ?"),
  size: database.prepare(
    "SELECT count(*) AS count, coalesce(sum(length(CAST(event AS BLOB))), 0) AS bytes FROM events_archived WHERE archive = ?",
  ),
  next: database.prepare(
    "SELECT min(time_ms) AS at FROM events_archived WHERE archive = ? AND time_ms >= ? AND time_ms <= ?",
  ),
  count: database.prepare(
    "SELECT count(*) AS count FROM events_archived WHERE archive = ? AND time_ms >= ? AND time_ms <= ?",
  ),
  between: database.prepare(
    "SELECT event FROM events_archived WHERE archive = ? AND time_ms >= ? AND time_ms <= ? ORDER BY time_ms, seq",
  ),
});

export class ArchiveStore {
  readonly #statements: ReturnType<typeof prepare>;

  constructor(database: DatabaseSync) {
    database.exec(schema);
    this.#statements = prepare(database);
  }

  add(archive: string, timeMs: number, event: string): void {
    this.#statements.insert.run(archive, timeMs, event);
  }

  expire(archive: string, timeMsMin: number): void {
    this.#statements.expire.run(archive, timeMsMin);
  }

  clear(archive: string): void {
    this.#statements.clear.run(archive);
  }

  size(archive: string): { readonly count: number; readonly bytes: number } {
    const row = this.#statements.size.get(archive) ?? {};
    return { count: numberOf(row, "count"), bytes: numberOf(row, "bytes") };
  }

  /** The time of the first event in a span (both ends belong to it), or undefined. */
  firstTimeMs(archive: string, fromMs: number, toMs: number): number | undefined {
    return optionalNumber(this.#statements.next.get(archive, fromMs, toMs) ?? {}, "at");
  }

  /** How many events lie in a span, both ends included. */
  count(archive: string, fromMs: number, toMs: number): number {
    return numberOf(this.#statements.count.get(archive, fromMs, toMs) ?? {}, "count");
  }

  between(archive: string, fromMs: number, toMs: number): ReadonlyArray<string> {
    return this.#statements.between.all(archive, fromMs, toMs).map((row) => textOf(row, "event"));
  }
}
