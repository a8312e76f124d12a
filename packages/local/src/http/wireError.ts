/**
 * The wire forms of an `AwsError`: one per protocol family, because each SDK client reads only its own.
 *
 * Shape:  JSON services `{"__type","message"}`; query services (SNS) `<ErrorResponse>`; S3 `<Error>`
 */
import type { AwsError } from "../AwsError.ts";
import type { AwsResponse } from "./AwsRequest.ts";

/** Text as XML character data; control characters as references, so that a key survives the round trip. */
export const escapeXml = (text: string): string =>
  text.replaceAll(/[&<>"']|\p{Cc}/gu, (character) => {
    const named = xmlEntities[character];
    return named ?? `&#x${character.codePointAt(0)?.toString(16).toUpperCase()};`;
  });

const xmlEntities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** The error form of the JSON 1.0 and 1.1 protocols; the client takes the name after `#`. */
export const jsonErrorResponse = (error: AwsError): AwsResponse => ({
  status: error.status,
  headers: { "content-type": "application/x-amz-json-1.0", "x-amzn-errortype": error.code },
  body: JSON.stringify({ __type: error.code, message: error.message, ...error.detail }),
});

/** The error form of the query protocol. */
export const queryErrorResponse = (error: AwsError, requestId: string): AwsResponse => ({
  status: error.status,
  headers: { "content-type": "text/xml" },
  body:
    `<ErrorResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><Error>` +
    `<Type>${error.status < 500 ? "Sender" : "Receiver"}</Type><Code>${escapeXml(error.code)}</Code>` +
    `<Message>${escapeXml(error.message)}</Message></Error>` +
    `<RequestId>${escapeXml(requestId)}</RequestId></ErrorResponse>`,
});
