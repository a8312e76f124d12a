/**
 * Values that are too large for a commit: kept beside the journal, addressed by their hash; the event holds a reference.
 *
 * A value is stored before the event that refers to it is appended: a crash in between leaves a value that nobody refers
 * to, and a lifecycle rule removes it. Equal values are one value. What comes back is checked against the hash.
 *
 * Shape:  a result `{_tag: "Complete", exit: {_tag: "Success", value}}` keeps its shape, only `value` (or `cause`)
 *         becomes `{"millrace/value": {sha256, bytes}}`; so the history tells what happened without the value
 */
import { Context, Effect, Layer, Option, Predicate, Schema } from "effect";
import { createHash } from "node:crypto";
import { adviceOn, causeFields } from "./Failure.ts";
import { valueBytesMax } from "./Limits.ts";
import { retry } from "./Retry.ts";

/** The store of large values did not answer. */
export class LargeValueUnavailable extends Schema.TaggedError<LargeValueUnavailable>()(
  "LargeValueUnavailable",
  { sha256: Schema.String, operation: Schema.String, ...causeFields },
) {
  override get message(): string {
    return `the store of large values did not answer to ${this.operation} of ${this.sha256}: ${adviceOn(this)}`;
  }
}

/** A value that the history refers to is not there, or is not what was stored. */
export class LargeValueLost extends Schema.TaggedError<LargeValueLost>()("LargeValueLost", {
  sha256: Schema.String,
  reason: Schema.String,
}) {
  readonly failureClass = "permanent";
  override get message(): string {
    return `the value ${this.sha256} that a history refers to cannot be used (${this.reason}): restore it under its hash, then redrive the execution`;
  }
}

export class LargeValues extends Context.Service<
  LargeValues,
  {
    /** Keeps the text under its SHA-256 (64 hex characters); keeping it again changes nothing. */
    readonly put: (sha256: string, text: string) => Effect.Effect<void, LargeValueUnavailable>;
    readonly get: (sha256: string) => Effect.Effect<string, LargeValueUnavailable | LargeValueLost>;
  }
>()("@millrace/core/LargeValues") {}

const Reference = Schema.Struct({
  "millrace/value": Schema.Struct({ sha256: Schema.String, bytes: Schema.Int }),
});
const isReference = Schema.is(Reference);
/** Whether the value or cause inside a result's exit is kept elsewhere. */
export const isSpilled = (result: unknown): boolean =>
  Predicate.hasProperty(result, "exit") &&
  Predicate.isObject(result.exit) &&
  isReference(
    Object.hasOwn(result.exit, "value")
      ? Reflect.get(result.exit, "value")
      : Reflect.get(result.exit, "cause"),
  );

/** Hashes of all values that the JSON refers to. */
export const referencesIn = (json: unknown): ReadonlyArray<string> => {
  if (isReference(json)) return [json["millrace/value"].sha256];
  if (Array.isArray(json)) return json.flatMap(referencesIn);
  return Predicate.isObject(json) ? Object.values(json).flatMap(referencesIn) : [];
};

/** A store that holds the given texts, by hash, and forgets what is put into it. */
export const layerOf = (texts: ReadonlyMap<string, string>): Layer.Layer<LargeValues> =>
  Layer.succeed(LargeValues, {
    put: () => Effect.void,
    get: (sha256) => {
      const text = texts.get(sha256);
      return text === undefined
        ? Effect.fail(new LargeValueLost({ sha256, reason: "it is not among the given ones" }))
        : Effect.succeed(text);
    },
  });

const decodeJson = Schema.decodeUnknownSync(Schema.fromJsonString(Schema.Unknown));

/** Replaces what is too large, and brings it back. Both failures are defects of the run: its message returns. */
export interface ValueSpill {
  readonly value: (json: unknown) => Effect.Effect<unknown>;
  /** Of the exit inside a workflow's or an activity's result. */
  readonly result: (json: unknown) => Effect.Effect<unknown>;
  readonly exit: (json: unknown) => Effect.Effect<unknown>;
}

/** Both directions, over the store of the context; without one, values stay where they are. */
export const makeValueSpills: Effect.Effect<{
  readonly spill: ValueSpill;
  readonly restore: ValueSpill;
}> = Effect.map(Effect.serviceOption(LargeValues), (values) => {
  if (Option.isNone(values))
    return { spill: inside(Effect.succeed), restore: inside(Effect.succeed) };
  return { spill: inside(spillInto(values.value)), restore: inside(restoreFrom(values.value)) };
});

const inside = (value: ValueSpill["value"]): ValueSpill => {
  const exit: ValueSpill["exit"] = (json) => {
    if (!Predicate.isObject(json)) return Effect.succeed(json);
    const place = "value" in json ? "value" : "cause";
    const before: unknown = Reflect.get(json, place);
    return Effect.map(value(before), (after) =>
      after === before ? json : { ...json, [place]: after },
    );
  };
  const result: ValueSpill["result"] = (json) => {
    if (!Predicate.hasProperty(json, "exit")) return Effect.succeed(json);
    const before = json.exit;
    return Effect.map(exit(before), (after) =>
      after === before ? json : { ...json, exit: after },
    );
  };
  return { value, exit, result };
};

const spillInto =
  (values: LargeValues["Service"]): ValueSpill["value"] =>
  (json) => {
    // What looks like a reference is kept like one: only the engine makes them.
    if (!isReference(json) && surelyFits(json)) return Effect.succeed(json);
    const text = JSON.stringify(json);
    const bytes = Buffer.byteLength(text);
    if (bytes <= valueBytesMax && !isReference(json)) return Effect.succeed(json);
    const sha256 = hashOf(text);
    return values
      .put(sha256, text)
      .pipe(
        retry({ baseMs: 50 }),
        Effect.orDie,
        Effect.as({ "millrace/value": { sha256, bytes } }),
      );
  };

const restoreFrom =
  (values: LargeValues["Service"]): ValueSpill["value"] =>
  (json) =>
    isReference(json)
      ? fetchChecked(values, json["millrace/value"].sha256).pipe(
          retry({ baseMs: 50 }),
          Effect.orDie,
        )
      : Effect.succeed(json);

/** Brings a large value's JSON back, and checks that it is what was kept. */
export const fetchChecked = Effect.fnUntraced(function* (
  values: LargeValues["Service"],
  sha256: string,
) {
  const text = yield* values.get(sha256);
  if (hashOf(text) !== sha256) {
    return yield* new LargeValueLost({ sha256, reason: "its content has another hash" });
  }
  return decodeJson(text);
});

const hashOf = (text: string): string => createHash("sha256").update(text).digest("hex");

/** Longest JSON of one UTF-16 unit, in bytes: an escape like \\u0000. */
const unitBytesMax = 6;

/** Whether a value is far below the limit, found without making its text: true for nearly all values. */
const surelyFits = (json: unknown): boolean => {
  let budget = valueBytesMax / unitBytesMax;
  const visit = (value: unknown): boolean => {
    budget -= typeof value === "string" ? value.length + 1 : 8;
    if (budget < 0) return false;
    if (Array.isArray(value)) return value.every(visit);
    if (!Predicate.isObject(value)) return true;
    return Object.entries(value).every(([key, member]) => visit(key) && visit(member));
  };
  return visit(json);
};
