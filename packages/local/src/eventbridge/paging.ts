/**
 * One page of a list that is ordered by name; the token is the last name that was given out.
 */
import { Effect, Schema } from "effect";
import type { AwsError } from "../AwsError.ts";
import { invalidEvent } from "./EventErrors.ts";

const pageMax = 100;
/** Tells a token of ours from any other text. */
const tokenStart = "after:";

/** Archives and replays are listed by one filter at most. */
export const checkOneFilter = (
  operation: string,
  filters: Readonly<Record<string, string | undefined>>,
): Effect.Effect<void, AwsError> =>
  Object.values(filters).filter((value) => value !== undefined).length > 1
    ? Effect.fail(
        invalidEvent(
          `At most one filter is allowed for ${operation}. Use either : State, EventSourceArn, or NamePrefix.`,
        ),
      )
    : Effect.void;

/** The paging parameters that every list operation has. */
export const Paging = {
  Limit: Schema.optionalKey(Schema.Int),
  NextToken: Schema.optionalKey(Schema.String),
};

export const pageOf = <A>(
  items: ReadonlyArray<A>,
  nameOf: (item: A) => string,
  { Limit = pageMax, NextToken }: { readonly Limit?: number; readonly NextToken?: string },
): Effect.Effect<
  { readonly items: ReadonlyArray<A>; readonly next: { readonly NextToken?: string } },
  AwsError
> => {
  if (Limit < 1 || Limit > pageMax) {
    return Effect.fail(invalidEvent(`Parameter Limit must be between 1 and ${pageMax}.`));
  }
  const token =
    NextToken === undefined ? tokenStart : Buffer.from(NextToken, "base64url").toString();
  if (!token.startsWith(tokenStart)) {
    return Effect.fail(invalidEvent("Parameter NextToken is not valid."));
  }
  const after = token.slice(tokenStart.length);
  const rest = items.filter((item) => nameOf(item) > after);
  const page = rest.slice(0, Limit);
  const last = page.at(-1);
  const more = last !== undefined && rest.length > page.length;
  return Effect.succeed({
    items: page,
    next: more ? { NextToken: Buffer.from(tokenStart + nameOf(last)).toString("base64url") } : {},
  });
};
