/**
 * One page of a list that is ordered by name; the token is the last name that was given out.
 */
import { Effect, Schema } from "effect";
import type { AwsError } from "../AwsError.ts";
import { invalidEvent } from "./EventErrors.ts";

const pageMax = 100;

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
  const after =
    NextToken === undefined ? undefined : Buffer.from(NextToken, "base64url").toString();
  const rest = after === undefined ? items : items.filter((item) => nameOf(item) > after);
  const page = rest.slice(0, Limit);
  const last = page.at(-1);
  const more = last !== undefined && rest.length > page.length;
  return Effect.succeed({
    items: page,
    next: more ? { NextToken: Buffer.from(nameOf(last)).toString("base64url") } : {},
  });
};
