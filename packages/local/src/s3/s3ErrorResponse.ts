/** The error document of S3. */
import type { AwsError } from "../AwsError.ts";
import type { AwsResponse } from "../http/AwsRequest.ts";
import { element, xmlDocument } from "./xml.ts";

/** The error document of one request. */
export const s3ErrorResponse = (
  error: AwsError,
  call: { readonly requestId: string; readonly resource: string },
  headers: Readonly<Record<string, string>> = {},
): AwsResponse => ({
  status: error.status,
  headers: { "content-type": "application/xml", ...headers },
  body: xmlDocument(
    element(
      "Error",
      element("Code", error.code),
      element("Message", error.message),
      ...Object.entries(error.detail ?? {}).map(([name, value]) => element(name, value)),
      element("Resource", call.resource),
      element("RequestId", call.requestId),
      element("HostId", call.requestId),
    ),
  ),
});
