/**
 * Deliveries that a service has promised: stored in the same transaction as what caused them, removed when the target
 * or its dead-letter queue has them.
 */
import type { DatabaseSync } from "node:sqlite";
import { numberOf, optionalNumber, optionalText, textOf, type Row } from "../sqlite.ts";

export interface PromisedDelivery {
  /** The rule or the schedule that promised it. */
  readonly sourceArn: string;
  readonly targetArn: string;
  readonly body: string;
  /** When it was promised; its age counts from then. */
  readonly takenMs: number;
  readonly attemptsMax: number;
  readonly ageMsMax: number;
  readonly deadLetterArn: string | undefined;
}

export interface Delivery extends PromisedDelivery {
  readonly sequence: number;
  /** Attempts that failed. */
  readonly attempts: number;
}

/** The bus and the scheduler have one each. */
export type OutboxTable = "events_outbox" | "scheduler_outbox";

const schema = (table: OutboxTable) => `
  CREATE TABLE IF NOT EXISTS ${table} (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, rule_arn TEXT NOT NULL, target_arn TEXT NOT NULL, body TEXT NOT NULL,
    taken_ms INTEGER NOT NULL, attempts_max INTEGER NOT NULL, age_ms_max INTEGER NOT NULL, dead_letter_arn TEXT,
    due_ms INTEGER NOT NULL, attempts INTEGER NOT NULL DEFAULT 0) STRICT;
  CREATE INDEX IF NOT EXISTS ${table}_due ON ${table} (due_ms);`;

const prepare = (database: DatabaseSync, table: OutboxTable) => ({
  insert: database.prepare(
    `INSERT INTO ${table}
       (rule_arn, target_arn, body, taken_ms, attempts_max, age_ms_max, dead_letter_arn, due_ms)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
  ),
  due: database.prepare(`SELECT * FROM ${table} WHERE due_ms <= ? ORDER BY due_ms, seq LIMIT ?`),
  next: database.prepare(`SELECT min(due_ms) AS at FROM ${table}`),
  remove: database.prepare(`DELETE FROM ${table} WHERE seq = ?`),
  postpone: database.prepare(
    `UPDATE ${table} SET due_ms = ?, attempts = attempts + 1 WHERE seq = ?`,
  ),
});

const deliveryOf = (row: Row): Delivery => ({
  sequence: numberOf(row, "seq"),
  sourceArn: textOf(row, "rule_arn"),
  targetArn: textOf(row, "target_arn"),
  body: textOf(row, "body"),
  takenMs: numberOf(row, "taken_ms"),
  attemptsMax: numberOf(row, "attempts_max"),
  ageMsMax: numberOf(row, "age_ms_max"),
  deadLetterArn: optionalText(row, "dead_letter_arn"),
  attempts: numberOf(row, "attempts"),
});

export class Outbox {
  readonly #statements: ReturnType<typeof prepare>;

  constructor(database: DatabaseSync, table: OutboxTable) {
    database.exec(schema(table));
    this.#statements = prepare(database, table);
  }

  add(promise: PromisedDelivery): void {
    const { sourceArn, targetArn, body, takenMs, attemptsMax, ageMsMax, deadLetterArn } = promise;
    this.#statements.insert.run(
      sourceArn,
      targetArn,
      body,
      takenMs,
      attemptsMax,
      ageMsMax,
      deadLetterArn ?? null,
      takenMs,
    );
  }

  due(nowMs: number, max: number): ReadonlyArray<Delivery> {
    return this.#statements.due.all(nowMs, max).map(deliveryOf);
  }

  /** When the earliest delivery is due. */
  nextDueMs(): number | undefined {
    return optionalNumber(this.#statements.next.get() ?? {}, "at");
  }

  remove(sequence: number): void {
    this.#statements.remove.run(sequence);
  }

  /** Counts a failed attempt and sets the time of the next one. */
  postpone(sequence: number, dueMs: number): void {
    this.#statements.postpone.run(dueMs, sequence);
  }
}
