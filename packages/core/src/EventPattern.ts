/**
 * EventBridge's event patterns: `compile` reads a pattern and gives a matcher for events.
 *
 * The whole language is here (exact values, prefix, suffix, equals-ignore-case, wildcard, anything-but, numeric,
 * exists, cidr, $or, arrays of objects); what AWS's own engine refuses is refused. Pattern and event are read as text,
 * because the spelling of numbers and repeated keys decide, and `JSON.parse` loses both. Matching never backtracks.
 *
 * Source: EventBridge user guide, "Creating Amazon EventBridge event patterns"; aws/event-ruler 2.0.1 where the guide
 * is silent
 */
import { Effect } from "effect";
import { fieldsOf, stepsOf } from "./eventPattern/EventFields.ts";
import { InvalidEventPattern } from "./eventPattern/InvalidEventPattern.ts";
import { readJson } from "./eventPattern/JsonText.ts";
import { matchConjunction } from "./eventPattern/matchConjunction.ts";
import { readPattern } from "./eventPattern/readPattern.ts";

export { InvalidEventPattern };

/** A pattern that was read once and can be asked about many events. */
export interface EventPattern {
  /** Whether the event matches; text that is not a JSON object matches nothing. */
  readonly matches: (eventText: string) => boolean;
}

/**
 * Reads a pattern.
 *
 * Fails:  InvalidEventPattern - EventBridge would refuse this pattern; says where and why
 */
export const compile = (patternText: string): Effect.Effect<EventPattern, InvalidEventPattern> =>
  Effect.try({
    try: () => readPattern(patternText),
    catch: (error) => {
      if (error instanceof InvalidEventPattern) return error;
      throw error;
    },
  }).pipe(
    Effect.map((conjunctions) => {
      const steps = stepsOf(conjunctions.flatMap((fields) => [...fields.keys()]));
      return {
        matches: (eventText) => {
          const event = readJson(eventText);
          if (event.kind !== "object") return false;
          const fields = fieldsOf(event, steps);
          return conjunctions.some((conjunction) => matchConjunction(conjunction, fields));
        },
      };
    }),
  );
