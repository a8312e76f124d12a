/**
 * The messages of all queues in SQLite. Synchronous, prepared, every operation on an index.
 *
 * A message is visible when `visible_ms` has come, in flight when it waits with a receipt, delayed when it waits
 * without one. It is gone when its queue's retention has passed since it was first sent.
 */
import { randomBytes, randomUUID } from "node:crypto";
import type { DatabaseSync } from "node:sqlite";
import {
  numberOf,
  optionalNumber,
  optionalText,
  textOf,
  transaction,
  type Row,
} from "../sqlite.ts";

export interface NewMessage {
  readonly body: string;
  /** Message attributes as JSON. */
  readonly attributes: string;
  readonly traceHeader: string | undefined;
}

export interface StoredMessage extends NewMessage {
  readonly sequence: number;
  readonly id: string;
  readonly sentMs: number;
  readonly visibleMs: number;
  readonly receiveCount: number;
  readonly firstReceivedMs: number | undefined;
  readonly lastReceivedMs: number | undefined;
  readonly receipt: string | undefined;
  /** ARN of the queue that it was dead-lettered from. */
  readonly source: string | undefined;
}

export interface Redrive {
  readonly queue: string;
  readonly sourceArn: string;
  readonly maxReceiveCount: number;
}

const schema = `
  CREATE TABLE IF NOT EXISTS sqs_messages (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, queue TEXT NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL,
    attributes TEXT NOT NULL, trace TEXT, sent_ms INTEGER NOT NULL, visible_ms INTEGER NOT NULL,
    receive_count INTEGER NOT NULL DEFAULT 0, first_received_ms INTEGER, last_received_ms INTEGER,
    receipt TEXT, source TEXT) STRICT;
  CREATE INDEX IF NOT EXISTS sqs_messages_visible ON sqs_messages (queue, visible_ms);
  CREATE INDEX IF NOT EXISTS sqs_messages_sent ON sqs_messages (queue, sent_ms);`;

const prepare = (database: DatabaseSync) => ({
  insert: database.prepare(
    `INSERT INTO sqs_messages (queue, id, body, attributes, trace, sent_ms, visible_ms)
     VALUES (?, ?, ?, ?, ?, ?, ?)`,
  ),
  expire: database.prepare("DELETE FROM sqs_messages WHERE queue = ? AND sent_ms <= ?"),
  visible: database.prepare(
    "SELECT * FROM sqs_messages WHERE queue = ? AND visible_ms <= ? ORDER BY visible_ms, seq LIMIT ?",
  ),
  receive: database.prepare(
    `UPDATE sqs_messages SET receive_count = receive_count + 1, visible_ms = ?, receipt = ?,
       first_received_ms = coalesce(first_received_ms, ?), last_received_ms = ? WHERE seq = ? RETURNING *`,
  ),
  deadLetter: database.prepare(
    "UPDATE sqs_messages SET queue = ?, source = ?, visible_ms = ?, receipt = NULL WHERE seq = ?",
  ),
  find: database.prepare("SELECT * FROM sqs_messages WHERE seq = ? AND queue = ?"),
  remove: database.prepare("DELETE FROM sqs_messages WHERE seq = ? AND queue = ? AND receipt = ?"),
  show: database.prepare("UPDATE sqs_messages SET visible_ms = ? WHERE seq = ?"),
  clear: database.prepare("DELETE FROM sqs_messages WHERE queue = ?"),
  counts: database.prepare(
    `SELECT count(*) FILTER (WHERE visible_ms <= ?) AS visible,
       count(*) FILTER (WHERE visible_ms > ? AND receipt IS NOT NULL) AS in_flight,
       count(*) FILTER (WHERE visible_ms > ? AND receipt IS NULL) AS delayed
     FROM sqs_messages WHERE queue = ?`,
  ),
  nextVisible: database.prepare(
    "SELECT min(visible_ms) AS at FROM sqs_messages WHERE queue = ? AND visible_ms > ?",
  ),
  move: database.prepare(
    `UPDATE sqs_messages SET queue = ?, id = ?, sent_ms = ?, visible_ms = ?, receive_count = 0,
       first_received_ms = NULL, last_received_ms = NULL, receipt = NULL, source = NULL WHERE seq = ?`,
  ),
});

const messageOf = (row: Row): StoredMessage => ({
  sequence: numberOf(row, "seq"),
  id: textOf(row, "id"),
  body: textOf(row, "body"),
  attributes: textOf(row, "attributes"),
  traceHeader: optionalText(row, "trace"),
  sentMs: numberOf(row, "sent_ms"),
  visibleMs: numberOf(row, "visible_ms"),
  receiveCount: numberOf(row, "receive_count"),
  firstReceivedMs: optionalNumber(row, "first_received_ms"),
  lastReceivedMs: optionalNumber(row, "last_received_ms"),
  receipt: optionalText(row, "receipt"),
  source: optionalText(row, "source"),
});

export class MessageStore {
  readonly #database: DatabaseSync;
  readonly #statements: ReturnType<typeof prepare>;

  constructor(database: DatabaseSync) {
    database.exec(schema);
    this.#database = database;
    this.#statements = prepare(database);
  }

  /** Stores a message and gives its id. */
  insert(queue: string, message: NewMessage, nowMs: number, delayMs: number): string {
    const id = randomUUID();
    const { body, attributes, traceHeader } = message;
    const visibleMs = nowMs + delayMs;
    this.#statements.insert.run(queue, id, body, attributes, traceHeader ?? null, nowMs, visibleMs);
    return id;
  }

  expire(queue: string, sentMsMax: number): void {
    this.#statements.expire.run(queue, sentMsMax);
  }

  /**
   * Takes up to `max` visible messages. One that was received too often goes to the dead-letter queue instead, with
   * its receive count and the time when it was first sent.
   */
  receive(
    queue: string,
    options: {
      readonly nowMs: number;
      readonly max: number;
      readonly visibilityMs: number;
      readonly redrive: Redrive | undefined;
    },
  ): { readonly messages: ReadonlyArray<StoredMessage>; readonly deadLettered: number } {
    const { nowMs, max, visibilityMs, redrive } = options;
    const messages: Array<StoredMessage> = [];
    let deadLettered = 0;
    transaction(this.#database, () => {
      let rows = this.#statements.visible.all(queue, nowMs, max);
      while (rows.length > 0) {
        let moved = 0;
        for (const row of rows) {
          const sequence = numberOf(row, "seq");
          if (redrive !== undefined && numberOf(row, "receive_count") >= redrive.maxReceiveCount) {
            this.#statements.deadLetter.run(redrive.queue, redrive.sourceArn, nowMs, sequence);
            moved += 1;
          } else {
            const receipt = randomBytes(12).toString("base64url");
            const taken = this.#statements.receive.get(
              nowMs + visibilityMs,
              receipt,
              nowMs,
              nowMs,
              sequence,
            );
            if (taken !== undefined) messages.push(messageOf(taken));
          }
        }
        deadLettered += moved;
        // With no time out of sight the same messages would come again: one look is all there is then.
        const again = moved > 0 && messages.length < max && visibilityMs > 0;
        rows = again ? this.#statements.visible.all(queue, nowMs, max - messages.length) : [];
      }
    });
    return { messages, deadLettered };
  }

  find(queue: string, sequence: number): StoredMessage | undefined {
    const row = this.#statements.find.get(sequence, queue);
    return row === undefined ? undefined : messageOf(row);
  }

  remove(queue: string, sequence: number, receipt: string): void {
    this.#statements.remove.run(sequence, queue, receipt);
  }

  showAt(sequence: number, visibleMs: number): void {
    this.#statements.show.run(visibleMs, sequence);
  }

  clear(queue: string): void {
    this.#statements.clear.run(queue);
  }

  counts(
    queue: string,
    nowMs: number,
  ): Readonly<Record<"visible" | "inFlight" | "delayed", number>> {
    const row = this.#statements.counts.get(nowMs, nowMs, nowMs, queue) ?? {};
    return {
      visible: numberOf(row, "visible"),
      inFlight: numberOf(row, "in_flight"),
      delayed: numberOf(row, "delayed"),
    };
  }

  /** When the next message that is not visible now will be. */
  nextVisibleMs(queue: string, nowMs: number): number | undefined {
    return optionalNumber(this.#statements.nextVisible.get(queue, nowMs) ?? {}, "at");
  }

  /** The oldest visible message, without receiving it. */
  peek(queue: string, nowMs: number): StoredMessage | undefined {
    const row = this.#statements.visible.get(queue, nowMs, 1);
    return row === undefined ? undefined : messageOf(row);
  }

  /** Puts a message into another queue as a new one: new id, new sending time, never received. */
  move(sequence: number, queue: string, nowMs: number): void {
    this.#statements.move.run(queue, randomUUID(), nowMs, nowMs, sequence);
  }
}
