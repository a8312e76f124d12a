/** The parameters that S3's listings share: page size, encoding, delimiter. */
import { Effect } from "effect";
import type { AwsError } from "../AwsError.ts";
import type { BucketCall } from "./calls.ts";
import { percentEncode } from "./percent.ts";
import { invalidArgument } from "./s3Error.ts";

/** A page holds at most this many entries, however many are asked for. */
const pageMax = 1000;
const integerMax = 2_147_483_647;

/** Reads `max-keys` and its siblings: 0 to 2,147,483,647, more than a page means a page. */
export const readPageSize = (call: BucketCall, name: string): Effect.Effect<number, AwsError> => {
  const text = call.query.get(name);
  if (text === undefined || text === "") return Effect.succeed(pageMax);
  return /^\d{1,10}$/u.test(text) && Number(text) <= integerMax
    ? Effect.succeed(Math.min(Number(text), pageMax))
    : Effect.fail(
        invalidArgument(name, text, `Provided ${name} not an integer or within integer range`),
      );
};

/** How keys are written into the answer. */
export const readEncoding = (
  call: BucketCall,
): Effect.Effect<
  { readonly name: string | undefined; readonly encode: (text: string) => string },
  AwsError
> => {
  const name = call.query.get("encoding-type");
  if (name === undefined || name === "") {
    return Effect.succeed({ name: undefined, encode: (text) => text });
  }
  return name === "url"
    ? Effect.succeed({ name, encode: (text) => percentEncode(text, "/") })
    : Effect.fail(
        invalidArgument("encoding-type", name, "Invalid Encoding Method specified in Request"),
      );
};

/** The common prefix that a key rolls up into, if it does. */
export const commonPrefixOf = (
  key: string,
  prefix: string,
  delimiter: string,
): string | undefined => {
  if (delimiter === "") return undefined;
  const at = key.indexOf(delimiter, prefix.length);
  return at < 0 ? undefined : key.slice(0, at + delimiter.length);
};
