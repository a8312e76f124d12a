/**
 * Time limits as an effect: a typed failure of class `timeout`, and the end of trying when it happens twice.
 *
 * A limit that was exceeded once may have met a slow moment. Exceeded again by the same work on the same amount of
 * input, it will be exceeded for ever: `escalate` makes that a permanent failure, so that no retry loops on it.
 *
 *     makeActivity({
 *       ...
 *       execute: resize(image).pipe(
 *         Timeout.timeout({ work: "resize", limit: "30 seconds", inputBytes: image.size }),
 *         Timeout.escalate,
 *       ),
 *     }).pipe(Retry.retryActivity())
 */
import { Duration, Effect, Schema } from "effect";
import { PreviousFailures } from "./PreviousFailures.ts";

/** The work took longer than its limit. */
export class TimedOut extends Schema.TaggedError<TimedOut>()("TimedOut", {
  work: Schema.String,
  limitMs: Schema.Finite,
  inputBytes: Schema.optionalKey(Schema.Finite),
}) {
  readonly failureClass = "timeout";
  override get message(): string {
    return `"${this.work}" took longer than ${this.limitMs} ms${sizeOf(this)}: it is tried again where a retry allows it`;
  }
}

/** The same work timed out twice on the same amount of input. */
export class TimedOutTwice extends Schema.TaggedError<TimedOutTwice>()("TimedOutTwice", {
  work: Schema.String,
  limitMs: Schema.Finite,
  inputBytes: Schema.optionalKey(Schema.Finite),
}) {
  readonly failureClass = "permanent";
  override get message(): string {
    return `"${this.work}" took longer than ${this.limitMs} ms${sizeOf(this)} twice: give it more time or memory, or route inputs of this size elsewhere, then redrive`;
  }
}

/** What `timeout` and `escalate` add to the failures of an effect: for an activity's error schema. */
export const TimeoutFailure = Schema.Union([TimedOut, TimedOutTwice]);
export type TimeoutFailure = typeof TimeoutFailure.Type;

const sizeOf = ({ inputBytes }: { readonly inputBytes?: number }): string =>
  inputBytes === undefined ? "" : ` for ${inputBytes} bytes of input`;

export interface TimeoutOptions {
  /** What takes the time: the activity's name, usually. */
  readonly work: string;
  readonly limit: Duration.Input;
  /** How much there is to do: two time-outs on different amounts are not the same one. */
  readonly inputBytes?: number;
}

/** Interrupts the effect at its limit and fails with `TimedOut`. */
export const timeout =
  ({ inputBytes, limit, work }: TimeoutOptions) =>
  <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E | TimedOut, R> =>
    Effect.timeoutOrElse(self, {
      duration: limit,
      orElse: () =>
        Effect.fail(
          new TimedOut({
            work,
            limitMs: Duration.toMillis(limit),
            ...(inputBytes !== undefined && { inputBytes }),
          }),
        ),
    });

/**
 * Fails with `TimedOutTwice` when an attempt before this one has timed out just so. Stands inside the retry (for
 * `retryActivity`: inside the activity), which hands it the failures before.
 */
export const escalate = <A, E, R>(
  self: Effect.Effect<A, E, R>,
): Effect.Effect<A, E | TimedOutTwice, R> =>
  Effect.catchIf(
    self,
    (error): error is E & TimedOut => isTimedOut(error),
    (error) =>
      Effect.flatMap(PreviousFailures, (failures): Effect.Effect<never, E | TimedOutTwice> =>
        failures.some((failure) => isTimedOut(failure) && isSame(failure, error))
          ? Effect.fail(new TimedOutTwice(detailsOf(error)))
          : Effect.fail(error),
      ),
  );

const isTimedOut = Schema.is(TimedOut);

const detailsOf = ({ inputBytes, limitMs, work }: TimedOut) => ({
  work,
  limitMs,
  ...(inputBytes !== undefined && { inputBytes }),
});

const isSame = (a: TimedOut, b: TimedOut): boolean =>
  a.work === b.work && a.limitMs === b.limitMs && a.inputBytes === b.inputBytes;
