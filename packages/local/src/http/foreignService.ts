/**
 * Requests for services that the embedded AWS does not have.
 *
 * Clients of REST services (Lambda, API Gateway) look like S3 requests, and clients of the query protocol
 * (STS, IAM) like SNS; only the credential scope of the signature tells them apart. Without this, a client of another
 * service would be answered in terms of S3 or SNS.
 */
import { AwsError } from "../AwsError.ts";
import type { AwsRequest } from "./AwsRequest.ts";

/** Whether a request is signed for EventBridge Scheduler, whose paths could be objects of S3. */
export const isForScheduler = (request: AwsRequest): boolean =>
  signedService(request) === "scheduler";

/** The service that a request is signed for, when that is another one than `served`. */
export const foreignService = (request: AwsRequest, served: "s3" | "sns"): string | undefined => {
  const service = signedService(request);
  return service === served ? undefined : service;
};

/** The refusal of a request for another service (501). */
export const foreignRequest = (service: string, operation: string): AwsError =>
  new AwsError({
    code: "NotImplemented",
    message: `${service}: ${operation} is not implemented by the embedded AWS, which serves S3, SQS, EventBridge, Scheduler, SNS, ECS and DynamoDB over the protocols of today's clients`,
    status: 501,
  });

/** The service in `Credential=<key>/<date>/<region>/<service>/aws4_request` of the header or of a presigned URL. */
const signedService = ({ headers, rawQuery }: AwsRequest): string | undefined =>
  serviceInScope.exec(headers["authorization"] ?? "")?.[1] ??
  serviceInPresigned.exec(rawQuery)?.[1]?.toLowerCase();

const serviceInScope = /^AWS4-[^,]*Credential=[^,]*\/([a-z0-9-]+)\/aws4_request(?:,|$)/u;
const serviceInPresigned =
  /(?:^|&)X-Amz-Credential=[^&]*(?:%2F|\/)([a-z0-9-]+)(?:%2F|\/)aws4_request(?:&|$)/iu;
