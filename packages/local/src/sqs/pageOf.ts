/**
 * One page of a sorted list of names; the token is the last name that was given out.
 */
import { Effect } from "effect";
import type { AwsError } from "../AwsError.ts";
import { invalidParameter, invalidValue } from "./SqsErrors.ts";

const pageMax = 1_000;

/** Without `max` everything up to 1,000 is given and no token, as SQS does. */
export const pageOf = (
  names: ReadonlyArray<string>,
  max: number | undefined,
  token: string | undefined,
): Effect.Effect<
  { readonly items: ReadonlyArray<string>; readonly next: { readonly NextToken?: string } },
  AwsError
> => {
  if (max !== undefined && (max < 1 || max > pageMax)) {
    return Effect.fail(
      invalidValue("MaxResults", String(max), `Must be between 1 and ${pageMax}.`),
    );
  }
  const after = token === undefined ? "" : Buffer.from(token, "base64url").toString();
  if (token !== undefined && (max === undefined || !/^[A-Za-z0-9_-]{1,80}$/.test(after))) {
    return Effect.fail(
      invalidParameter("NextToken is invalid, or MaxResults is missing beside it."),
    );
  }
  const rest = names.filter((name) => name > after);
  const items = rest.slice(0, max ?? pageMax);
  const last = items.at(-1);
  const more = max !== undefined && rest.length > items.length && last !== undefined;
  return Effect.succeed({
    items,
    next: more ? { NextToken: Buffer.from(last).toString("base64url") } : {},
  });
};
