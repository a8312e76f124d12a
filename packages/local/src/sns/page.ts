/**
 * One page of up to 100 things with ARNs, ordered by ARN; the token is the last ARN that was given out.
 */
import { Effect } from "effect";
import type { AwsError } from "../AwsError.ts";
import { invalidParameter } from "./SnsErrors.ts";

const pageMax = 100;

export const pageOf = <A extends { readonly arn: string }>(
  items: ReadonlyArray<A>,
  token: string | undefined,
): Effect.Effect<
  { readonly items: ReadonlyArray<A>; readonly next: { readonly NextToken?: string } },
  AwsError
> => {
  const after = token === undefined ? "" : Buffer.from(token, "base64url").toString();
  if (token !== undefined && !after.startsWith("arn:")) {
    return Effect.fail(invalidParameter("NextToken"));
  }
  const rest = items.filter(({ arn }) => arn > after);
  const page = rest.slice(0, pageMax);
  const last = page.at(-1);
  const more = last !== undefined && rest.length > page.length;
  return Effect.succeed({
    items: page,
    next: more ? { NextToken: Buffer.from(last.arn).toString("base64url") } : {},
  });
};
