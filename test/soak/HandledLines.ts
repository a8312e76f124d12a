/**
 * What the functions say of the messages that they handle, read as it comes: which uploads have ended, and when.
 *
 * It keeps nothing of an upload that has ended, so that a soak's memory is that of the product.
 */
import type { HostEvent } from "@millrace/local";
import { Deferred, Effect, Option, Schema } from "effect";

const Line = Schema.fromJsonString(
  Schema.Struct({
    annotations: Schema.Struct({
      outcome: Schema.String,
      subject: Schema.String,
      executionId: Schema.optionalKey(Schema.String),
      status: Schema.optionalKey(Schema.String),
      replayName: Schema.optionalKey(Schema.String),
    }),
  }),
);
const decodeLine = Schema.decodeUnknownOption(Line);

/** An upload whose end is waited for. */
export interface Awaited {
  readonly ended: Deferred.Deferred<number>;
}

export class HandledLines {
  /** Processes that are alive, as far as the host has told. */
  readonly alive = new Set<number>();
  /** By object: each key of a soak is written once. */
  readonly #awaited = new Map<string, Awaited>();
  /** An execution that was leased ends by a wake, whose line names the execution alone. */
  readonly #objects = new Map<string, string>();
  /** Messages of replays that were handled, by outcome. */
  readonly replayed = new Map<string, number>();
  /** Messages that failed, and invocations that did. */
  messageFailures = 0;
  invocationFailures = 0;

  take(event: HostEvent): void {
    switch (event._tag) {
      case "EnvironmentStarted":
        return void this.alive.add(event.pid);
      case "InvocationFailed":
        return void this.invocationFailures++;
      case "Line":
        return this.#takeLine(event.line);
      default:
    }
  }

  /** Waits for the end of the execution of `bucket/key`; asked before the upload, whose answer may come late. */
  await(object: string, awaited: Awaited): void {
    this.#awaited.set(object, awaited);
  }

  get outstanding(): ReadonlySet<string> {
    return new Set(this.#awaited.keys());
  }

  isOutstanding(object: string): boolean {
    return this.#awaited.has(object);
  }

  #takeLine(line: string): void {
    if (line.includes('"message failed"')) this.messageFailures++;
    if (!line.includes('"outcome"')) return;
    const decoded = decodeLine(line);
    if (Option.isNone(decoded)) return;
    const { executionId, outcome, replayName, status, subject } = decoded.value.annotations;
    if (replayName !== undefined) {
      this.replayed.set(outcome, (this.replayed.get(outcome) ?? 0) + 1);
    }
    if (executionId === undefined) return;
    const object = subject.slice(0, subject.lastIndexOf("@"));
    if (this.#awaited.has(object)) this.#objects.set(executionId, object);
    if (status !== "completed" && status !== "failed") return;
    const known = this.#objects.get(executionId) ?? object;
    const awaited = this.#awaited.get(known);
    if (!awaited) return;
    this.#awaited.delete(known);
    this.#objects.delete(executionId);
    Deferred.doneUnsafe(awaited.ended, Effect.succeed(performance.now()));
  }
}
