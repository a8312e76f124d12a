/**
 * What all batch requests share: the checks of the whole batch, and one success or failure for each entry.
 */
import { Effect, Result } from "effect";
import type { AwsError } from "../AwsError.ts";
import { sqsError, sqsQueryCode } from "./SqsErrors.ts";

const entriesMax = 10;

interface BatchAnswer {
  readonly Successful?: ReadonlyArray<Readonly<Record<string, unknown>>>;
  readonly Failed?: ReadonlyArray<Readonly<Record<string, unknown>>>;
}

/** Refuses a batch as a whole, then runs its entries in order; an entry's failure is its own. */
export const runBatch = Effect.fnUntraced(function* <E extends { readonly Id: string }>(
  entries: ReadonlyArray<E>,
  fault: AwsError | undefined,
  run: (entry: E) => Effect.Effect<object, AwsError>,
): Effect.fn.Return<BatchAnswer, AwsError> {
  const refusal = batchFault(entries) ?? fault;
  if (refusal !== undefined) return yield* refusal;
  const successful: Array<Readonly<Record<string, unknown>>> = [];
  const failed: Array<Readonly<Record<string, unknown>>> = [];
  for (const entry of entries) {
    const result = yield* Effect.result(run(entry));
    if (Result.isSuccess(result)) {
      successful.push({ Id: entry.Id, ...result.success });
    } else {
      const { code, message, status } = result.failure;
      if (status >= 500) return yield* result.failure;
      failed.push({ Id: entry.Id, SenderFault: true, Code: sqsQueryCode(code), Message: message });
    }
  }
  return {
    ...(successful.length === 0 ? {} : { Successful: successful }),
    ...(failed.length === 0 ? {} : { Failed: failed }),
  };
});

const batchFault = (entries: ReadonlyArray<{ readonly Id: string }>): AwsError | undefined => {
  if (entries.length === 0) {
    return sqsError("EmptyBatchRequest", "There should be at least one entry in the request.");
  }
  if (entries.length > entriesMax) {
    return sqsError(
      "TooManyEntriesInBatchRequest",
      `Maximum number of entries per request are ${entriesMax}. You have sent ${entries.length}.`,
    );
  }
  if (entries.some(({ Id }) => !/^[A-Za-z0-9_-]{1,80}$/.test(Id))) {
    return sqsError(
      "InvalidBatchEntryId",
      "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 letters long.",
    );
  }
  const ids = entries.map(({ Id }) => Id);
  const repeated = ids.find((id, index) => ids.indexOf(id) !== index);
  return repeated === undefined
    ? undefined
    : sqsError("BatchEntryIdsNotDistinct", `Id ${repeated} repeated.`);
};
