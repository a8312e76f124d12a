/**
 * Receipt handles: the queue, the message and this one receipt of it. A later receipt of the message makes the
 * handle stale, not malformed.
 */
import { Effect } from "effect";
import type { AwsError } from "../AwsError.ts";
import { sqsError } from "./SqsErrors.ts";

export const makeReceiptHandle = (queue: string, sequence: number, receipt: string): string =>
  Buffer.from(`${queue} ${sequence} ${receipt}`).toString("base64");

export const readReceiptHandle = (
  queue: string,
  handle: string,
): Effect.Effect<{ readonly sequence: number; readonly receipt: string }, AwsError> => {
  const [name, sequence = "", receipt = ""] = Buffer.from(handle, "base64").toString().split(" ");
  return name === queue && /^[0-9]+$/.test(sequence) && receipt !== ""
    ? Effect.succeed({ sequence: Number(sequence), receipt })
    : Effect.fail(
        sqsError(
          "ReceiptHandleIsInvalid",
          `The input receipt handle "${handle}" is not a valid receipt handle.`,
          404,
        ),
      );
};
