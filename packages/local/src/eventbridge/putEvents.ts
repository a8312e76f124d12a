/**
 * PutEvents: each entry is taken or refused on its own; only a request beyond the limits fails as a whole.
 *
 * Source: EventBridge API reference, PutEvents; user guide, "Calculating PutEvents event entry size"
 */
import { Clock, Effect, Option, Schema } from "effect";
import { randomUUID } from "node:crypto";
import type { JsonOperations } from "../http/AwsRequest.ts";
import { eventOperation, invalidEvent } from "./EventErrors.ts";
import { busName, defaultBus } from "./EventNames.ts";
import type { EventState } from "./EventState.ts";
import { makeEvent, takeEvents, type TakenEvent } from "./ingest.ts";

const entriesMax = 10;
/** All entries together; 1 MB since January 2026. */
const requestBytesMax = 1_048_576;
/** Levels of objects and lists in a Detail. */
const nestingMax = 1_000;
/** What a Time counts. */
const timeBytes = 14;

const optional = Schema.optionalKey(Schema.String);
const Entry = Schema.Struct({
  Source: optional,
  DetailType: optional,
  Detail: optional,
  Time: Schema.optionalKey(Schema.Finite),
  Resources: Schema.optionalKey(Schema.Array(Schema.String)),
  EventBusName: optional,
});
type Entry = typeof Entry.Type;

export const putEventsOperations = (
  state: EventState,
  wake: Effect.Effect<void>,
): JsonOperations => ({
  PutEvents: eventOperation(
    "PutEvents",
    Schema.Struct({ Entries: Schema.Array(Entry) }),
    Effect.fnUntraced(function* ({ Entries }) {
      if (Entries.length === 0 || Entries.length > entriesMax) {
        return yield* invalidEvent(
          `1 validation error detected: Value at 'entries' failed to satisfy constraint: Member must have length between 1 and ${entriesMax}`,
        );
      }
      const bytes = Entries.reduce((sum, entry) => sum + entryBytes(entry), 0);
      if (bytes > requestBytesMax) {
        return yield* invalidEvent("Total size of the entries in the request is over the limit.");
      }
      const nowMs = yield* Clock.currentTimeMillis;
      const events: Array<TakenEvent> = [];
      const answers = Entries.map((entry) => takeEntry(state, entry, nowMs, events));
      takeEvents(state, events, nowMs);
      yield* wake;
      const FailedEntryCount = answers.filter((answer) => "ErrorCode" in answer).length;
      return { FailedEntryCount, Entries: answers };
    }),
  ),
});

const entryBytes = ({
  Source = "",
  DetailType = "",
  Detail = "",
  Resources = [],
  Time,
}: Entry): number =>
  [Source, DetailType, Detail, ...Resources].reduce(
    (sum, text) => sum + Buffer.byteLength(text),
    0,
  ) + (Time === undefined ? 0 : timeBytes);

/** The answer for an entry; a good one is added to `events`. */
const takeEntry = (
  state: EventState,
  entry: Entry,
  nowMs: number,
  events: Array<TakenEvent>,
): { readonly EventId: string } | { readonly ErrorCode: string; readonly ErrorMessage: string } => {
  const { Source, DetailType, Detail, Resources = [], Time } = entry;
  if (!Source) return missing("Source");
  if (!DetailType) return missing("DetailType");
  if (!Detail) return missing("Detail");
  if (Source.startsWith("aws.")) {
    return {
      ErrorCode: "NotAuthorizedForSourceException",
      ErrorMessage: "Not authorized for the source.",
    };
  }
  if (nestingOf(Detail) > nestingMax || Option.isNone(decodeDetail(Detail))) {
    return { ErrorCode: "MalformedDetail", ErrorMessage: "Detail is malformed." };
  }
  const bus = busName(entry.EventBusName);
  // As on AWS, an entry for a bus that does not exist gets an id and goes nowhere.
  if (bus !== defaultBus && state.buses.get(bus) === undefined) return { EventId: randomUUID() };
  const event = makeEvent({
    bus,
    source: Source,
    detailType: DetailType,
    detail: Detail,
    resources: Resources,
    timeMs: Time === undefined ? nowMs : Time * 1_000,
  });
  events.push(event);
  return { EventId: event.id };
};

const decodeDetail = Schema.decodeOption(
  Schema.fromJsonString(Schema.Record(Schema.String, Schema.Unknown)),
);

const missing = (parameter: string) => ({
  ErrorCode: "InvalidArgument",
  ErrorMessage: `Parameter ${parameter} is not valid. Reason: ${parameter} is a required argument.`,
});

/** The deepest level of objects and lists in a JSON text, found without recursion. */
const nestingOf = (text: string): number => {
  let depth = 0;
  let deepest = 0;
  let quoted = false;
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at];
    if (quoted && character === "\\") at += 1;
    else if (character === '"') quoted = !quoted;
    else if (quoted) continue;
    else if (character === "{" || character === "[") deepest = Math.max(deepest, (depth += 1));
    else if (character === "}" || character === "]") depth -= 1;
  }
  return deepest;
};
