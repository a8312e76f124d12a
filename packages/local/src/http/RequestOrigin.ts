/**
 * Scheme and host that the current request was sent to, e.g. `http://127.0.0.1:4566`.
 *
 * SQS puts it into the queue URLs that it gives out, because the SDK sends the next request to that URL.
 */
import { Context } from "effect";

export const RequestOrigin = Context.Reference<string>("@millrace/local/http/RequestOrigin", {
  defaultValue: () => "http://localhost",
});
