/**
 * One page of up to 100 things with ARNs, ordered by ARN; the token is the last ARN that was given out.
 */
const pageMax = 100;

export const pageOf = <A extends { readonly arn: string }>(
  items: ReadonlyArray<A>,
  token: string | undefined,
): { readonly items: ReadonlyArray<A>; readonly next: { readonly NextToken?: string } } => {
  const after = token === undefined ? "" : Buffer.from(token, "base64url").toString();
  const rest = items.filter(({ arn }) => arn > after);
  const page = rest.slice(0, pageMax);
  const last = page.at(-1);
  const more = last !== undefined && rest.length > page.length;
  return {
    items: page,
    next: more ? { NextToken: Buffer.from(last.arn).toString("base64url") } : {},
  };
};
