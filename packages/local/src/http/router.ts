/**
 * One port for all services: finds the service that a request is meant for.
 *
 * A JSON client says it in `x-amz-target`, SNS sends a form to `/`, Scheduler is known by its signature, everything else
 * is S3. What nobody here serves is
 * refused by name with 501 in the error form that the asking client can read.
 */
import { Effect } from "effect";
import { randomUUID } from "node:crypto";
import { AwsError } from "../AwsError.ts";
import type { AwsHandler, AwsRequest, AwsResponse } from "./AwsRequest.ts";
import { bodyText } from "./jsonProtocol.ts";
import { foreignRequest, foreignService, isForScheduler } from "./foreignService.ts";
import { jsonErrorResponse, queryErrorResponse } from "./wireError.ts";

/** The services behind the router; `json` is keyed by target prefix, e.g. `AmazonSQS`. */
export interface RouterServices {
  readonly json: Readonly<Record<string, AwsHandler>>;
  readonly sns: AwsHandler;
  readonly dynamodb: AwsHandler;
  readonly scheduler: AwsHandler;
  readonly s3: AwsHandler;
}

const dynamoDbTarget = "DynamoDB_20120810";

/** Routes each request to its service and answers a failure in that service's error form. */
export const makeRouter =
  (services: RouterServices) =>
  (request: AwsRequest): Effect.Effect<AwsResponse, AwsError> => {
    const target = request.headers["x-amz-target"];
    if (target !== undefined) return routeTarget(services, target, request);
    if (isForScheduler(request)) return services.scheduler(request);
    const isForm = isQueryProtocol(request);
    const foreign = foreignService(request, isForm ? "sns" : "s3");
    if (foreign !== undefined) {
      return isForm
        ? Effect.map(actionOf(request), (action) =>
            queryErrorResponse(foreignRequest(foreign, action), randomUUID()),
          )
        : Effect.succeed(
            jsonErrorResponse(foreignRequest(foreign, `${request.method} ${request.rawPath}`)),
          );
    }
    if (isForm && request.rawPath === "/") {
      return services
        .sns(request)
        .pipe(Effect.catch((error) => Effect.succeed(queryErrorResponse(error, randomUUID()))));
    }
    return services.s3(request);
  };

const routeTarget = (services: RouterServices, target: string, request: AwsRequest) => {
  const separator = target.indexOf(".");
  const prefix = separator < 0 ? target : target.slice(0, separator);
  const handler =
    prefix === dynamoDbTarget
      ? services.dynamodb
      : Object.hasOwn(services.json, prefix)
        ? services.json[prefix]
        : undefined;
  if (handler === undefined) return Effect.succeed(jsonErrorResponse(unknownTarget(target)));
  return handler(request).pipe(Effect.catch((error) => Effect.succeed(jsonErrorResponse(error))));
};

const actionOf = (request: AwsRequest) =>
  Effect.map(bodyText(request), (body) => new URLSearchParams(body).get("Action") ?? "no action");

const unknownTarget = (target: string) =>
  new AwsError({
    code: "UnknownOperationException",
    message: `The embedded AWS has no service for x-amz-target ${target}`,
    status: 501,
  });

/** SNS posts forms to `/`, old SQS clients to the queue; a browser's S3 upload form is multipart. */
const isQueryProtocol = (request: AwsRequest): boolean =>
  request.method === "POST" &&
  (request.headers["content-type"] ?? "").startsWith("application/x-www-form-urlencoded");
