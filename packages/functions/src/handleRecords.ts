/**
 * A batch's records, side by side, and the answer that names those whose messages must come back.
 *
 * The answer can name nothing but records of the batch: an id that Lambda does not know would fail all of it, and an
 * invocation that is killed answers nothing, so that its finished messages would come back, too. Therefore it stops in
 * time: near the end of its time it takes no more records, and at the end it waits for none.
 *
 * Source: AWS Lambda developer guide, "Handling errors for an SQS event source"
 */
import { recordsAtOnce, recordSecondsMin } from "@millrace/workflows/topology";
import { Clock, Effect } from "effect";
import type { SqsBatchResponse, SqsRecord } from "./SqsEvent.ts";

/** A record is not begun with less time left than this, in milliseconds, or than the longest of the latest took. */
const recordMsMin = recordSecondsMin * 1_000;

/** At the latest this long before its end the invocation answers, in milliseconds. */
const answerMarginMs = 500;

/** Both margins together take at most this part of the invocation's time: else a short one would do nothing at all. */
const marginPartMax = 1 / 3;

/** How long the latest records took that were handled in this process. */
export class RecordTimes {
  private readonly latestMs: Array<number> = [];

  add(durationMs: number): void {
    this.latestMs.push(durationMs);
    if (this.latestMs.length > recordTimesMax) this.latestMs.shift();
  }

  /** What a record may be expected to take at most. */
  get longestMs(): number {
    return Math.max(0, ...this.latestMs);
  }
}

/** A hundred: their longest stands for the 99th percentile. */
const recordTimesMax = 100;

/** Handles each record that there is time for; `handle` fails for a record whose message must come back. */
export const handleRecords = Effect.fnUntraced(function* <R>(
  records: ReadonlyArray<SqsRecord>,
  deadlineEpochMs: number,
  times: RecordTimes,
  handle: (record: SqsRecord) => Effect.Effect<"done" | "return", never, R>,
): Effect.fn.Return<SqsBatchResponse, never, R> {
  const beganEpochMs = yield* Clock.currentTimeMillis;
  const marginMsMax = (deadlineEpochMs - beganEpochMs) * marginPartMax;
  const lastStart = () =>
    deadlineEpochMs - Math.min(marginMsMax, Math.max(recordMsMin, times.longestMs));
  const answerEpochMs = deadlineEpochMs - Math.min(marginMsMax, answerMarginMs);
  const one = Effect.fnUntraced(function* (record: SqsRecord) {
    const startEpochMs = yield* Clock.currentTimeMillis;
    // The first is always begun: an invocation that begins late would else never do anything.
    if (startEpochMs > lastStart() && record !== records[0]) {
      yield* note(record, "not begun: too little time is left");
      return [record];
    }
    const outcome = yield* handle(record).pipe(
      Effect.timeoutOrElse({
        duration: Math.max(0, answerEpochMs - startEpochMs),
        orElse: () => Effect.as(note(record, "given up: the invocation ends"), "return" as const),
      }),
    );
    times.add((yield* Clock.currentTimeMillis) - startEpochMs);
    return outcome === "done" ? [] : [record];
  });
  const returned = yield* Effect.forEach(records, one, { concurrency: recordsAtOnce });
  return {
    batchItemFailures: returned.flat().map(({ messageId }) => ({ itemIdentifier: messageId })),
  };
});

const note = ({ messageId }: SqsRecord, why: string) =>
  Effect.logWarning(`message returned, ${why}`).pipe(Effect.annotateLogs({ messageId }));
