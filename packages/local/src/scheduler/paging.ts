/**
 * One page of a list in the order of its keys; the token is the last key that was given out.
 */
import { Effect, Schema } from "effect";
import type { AwsError } from "../AwsError.ts";
import { invalid } from "./SchedulerErrors.ts";

const pageMax = 100;
/** Tells a token of ours from any other text. */
const tokenStart = "after:";

/** The paging parameters that every list operation has, as they stand in the query. */
export const Paging = {
  MaxResults: Schema.optionalKey(Schema.FiniteFromString),
  NextToken: Schema.optionalKey(Schema.String),
};

export const pageOf = Effect.fnUntraced(function* <A>(
  items: ReadonlyArray<A>,
  keyOf: (item: A) => string,
  {
    MaxResults = pageMax,
    NextToken,
  }: { readonly MaxResults?: number; readonly NextToken?: string },
): Effect.fn.Return<
  { readonly items: ReadonlyArray<A>; readonly next: { readonly NextToken?: string } },
  AwsError
> {
  if (!Number.isInteger(MaxResults) || MaxResults < 1 || MaxResults > pageMax) {
    return yield* invalid(
      `1 validation error detected: Value '${MaxResults}' at 'maxResults' failed to satisfy constraint: Member must be a whole number between 1 and ${pageMax}`,
    );
  }
  const token =
    NextToken === undefined ? tokenStart : Buffer.from(NextToken, "base64url").toString();
  if (!token.startsWith(tokenStart)) return yield* invalid("Invalid NextToken.");
  const after = token.slice(tokenStart.length);
  const rest = items.filter((item) => keyOf(item) > after);
  const page = rest.slice(0, MaxResults);
  const last = page.at(-1);
  const more = last !== undefined && rest.length > page.length;
  return {
    items: page,
    next: more ? { NextToken: Buffer.from(tokenStart + keyOf(last)).toString("base64url") } : {},
  };
});
