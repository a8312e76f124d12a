/**
 * Requests for services that the embedded AWS does not have.
 *
 * Clients of REST services (Lambda, Scheduler, API Gateway) look like S3 requests, and clients of the query protocol
 * (STS, IAM) like SNS; only the credential scope of the signature tells them apart. Without this, a client of another
 * service would be answered in terms of S3 or SNS.
 */
import { AwsError } from "../AwsError.ts";
import type { AwsRequest } from "./AwsRequest.ts";

/** The refusal (501) of a request that is signed for another service than `served`; nothing when it is not signed. */
export const foreignService = (request: AwsRequest, served: "s3" | "sns"): AwsError | undefined => {
  const service = signedService(request);
  if (service === undefined || service === served) return undefined;
  return new AwsError({
    code: "NotImplemented",
    message: `The embedded AWS does not serve ${service} as ${request.method} ${request.rawPath}: it has S3, SQS, EventBridge, SNS and DynamoDB over the protocols of today's clients`,
    status: 501,
  });
};

/** The service in `Credential=<key>/<date>/<region>/<service>/aws4_request` of the header or of a presigned URL. */
const signedService = ({ headers, rawQuery }: AwsRequest): string | undefined =>
  serviceInScope.exec(headers["authorization"] ?? "")?.[1] ??
  serviceInPresigned.exec(rawQuery)?.[1]?.toLowerCase();

const serviceInScope = /^AWS4-[^,]*Credential=[^,]*\/([a-z0-9-]+)\/aws4_request(?:,|$)/u;
const serviceInPresigned =
  /(?:^|&)X-Amz-Credential=[^&]*(?:%2F|\/)([a-z0-9-]+)(?:%2F|\/)aws4_request(?:&|$)/iu;
