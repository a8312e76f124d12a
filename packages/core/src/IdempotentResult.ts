/**
 * How a result is kept in an idempotency record: in it, beside it, or not at all.
 *
 * A result that cannot be kept is recorded as just that, because the effect has been done: without the record it would
 * be done again.
 */
import { Effect, Option, Schema } from "effect";
import { createHash } from "node:crypto";
import { IdempotencyResultUnavailable } from "./IdempotencyError.ts";
import { fetchChecked, LargeValues } from "./LargeValues.ts";
import { valueBytesMax } from "./Limits.ts";
import { retry } from "./Retry.ts";

const Kept = Schema.fromJsonString(
  Schema.Union([
    Schema.TaggedStruct("Inline", { json: Schema.Unknown }),
    Schema.TaggedStruct("Large", { sha256: Schema.String, bytes: Schema.Int }),
    Schema.TaggedStruct("Unkept", { reason: Schema.String }),
  ]),
);
const encodeKept = Schema.encodeSync(Kept);
const decodeKept = Schema.decodeUnknownEffect(Kept);

/** The record's text for a result that cannot be kept. */
export const unkept = (reason: string): string => encodeKept({ _tag: "Unkept", reason });

/** The record's text for a result; a large one is put beside the records first. Never fails. */
export const keep = Effect.fnUntraced(function* (json: unknown) {
  const text = JSON.stringify(json) ?? "null";
  const bytes = Buffer.byteLength(text);
  // The wrapping around it is short, and the record's own limit is far above this one.
  if (bytes <= valueBytesMax) return encodeKept({ _tag: "Inline", json: json ?? null });
  const values = yield* Effect.serviceOption(LargeValues);
  if (Option.isNone(values)) {
    return unkept(`it has ${bytes} bytes, more than ${valueBytesMax}: provide LargeValues`);
  }
  const sha256 = createHash("sha256").update(text).digest("hex");
  return yield* values.value.put(sha256, text).pipe(
    retry({ attemptsMax: 5, baseMs: 100 }),
    Effect.match({
      onSuccess: () => encodeKept({ _tag: "Large", sha256, bytes }),
      onFailure: (error) => unkept(`it has ${bytes} bytes, and ${error.message}`),
    }),
  );
});

/** The JSON of a result from the record's text. */
export const bringBack = Effect.fnUntraced(function* (key: string, text: string) {
  const kept = yield* Effect.orDie(decodeKept(text));
  switch (kept._tag) {
    case "Inline":
      return kept.json;
    case "Unkept":
      return yield* new IdempotencyResultUnavailable({ key, reason: kept.reason });
    case "Large": {
      const values = yield* Effect.serviceOption(LargeValues);
      if (Option.isSome(values)) return yield* retry(fetchChecked(values.value, kept.sha256));
      const reason = `its ${kept.bytes} bytes are kept beside the records: provide LargeValues`;
      return yield* new IdempotencyResultUnavailable({ key, reason });
    }
  }
});
