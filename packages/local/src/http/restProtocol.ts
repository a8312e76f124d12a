/**
 * AWS's REST-JSON protocol: the operation stands in method and path, its input in the path's labels, the query and a
 * JSON document; the answer is JSON, an error `{ "Message": ... }` with its name in a header.
 */
import { Effect, Schema } from "effect";
import { randomUUID } from "node:crypto";
import { AwsError, unknownOperation, unknownParameter } from "../AwsError.ts";
import type { AwsHandler, AwsRequest, AwsResponse, JsonOperations } from "./AwsRequest.ts";
import { bodyText } from "./jsonProtocol.ts";

/** Where one operation stands. */
export interface RestRoute {
  readonly operation: string;
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  /** Segments such as `{Name}` are labels: members of the input. */
  readonly path: string;
  /** Parameters of the query, by the members of the input that they are. */
  readonly query?: Readonly<Record<string, string>>;
}

interface RestService {
  /** The name in refusals, e.g. `Scheduler`. */
  readonly service: string;
  readonly routes: ReadonlyArray<RestRoute>;
  readonly operations: JsonOperations;
}

/** Answers requests of one service; never fails, because an error has a wire form too. */
export const restProtocol =
  (service: RestService): AwsHandler =>
  (request) =>
    perform(service, request).pipe(
      Effect.map((output) => respond(200, output ?? {})),
      Effect.catch(({ code, message, status }) =>
        Effect.succeed(respond(status, { Message: message }, { "x-amzn-errortype": code })),
      ),
    );

const perform = Effect.fnUntraced(function* (
  { operations, routes, service }: RestService,
  request: AwsRequest,
) {
  const found = routes
    .filter(({ method }) => method === request.method)
    .map((route) => ({ route, labels: labelsOf(route.path, request.rawPath) }))
    .find(({ labels }) => labels !== undefined);
  const operation = found && operations[found.route.operation];
  if (!found?.labels || !operation) {
    return yield* unknownOperation(service, `${request.method} ${request.rawPath}`);
  }
  const { labels, route } = found;
  const name = route.operation;
  const query = yield* queryOf(service, route, request.rawQuery);
  const text = yield* bodyText(request);
  const body = yield* decodeBody(text === "" ? "{}" : text).pipe(
    Effect.mapError(() => malformed(`${service} ${name}: the request body is no JSON object`)),
  );
  const input = { ...body, ...query };
  for (const [label, encoded] of labels) {
    input[label] = yield* Effect.try({
      try: () => decodeURIComponent(encoded),
      catch: () => malformed(`${service} ${name}: ${label} in the path is not percent-encoded`),
    });
  }
  return yield* operation(input);
});

const decodeBody = Schema.decodeEffect(
  Schema.fromJsonString(Schema.Record(Schema.String, Schema.Unknown)),
);

const malformed = (message: string): AwsError =>
  new AwsError({ code: "SerializationException", message, status: 400 });

/** The labels of a path, still encoded, when it has the template's form. */
const labelsOf = (
  template: string,
  path: string,
): ReadonlyArray<readonly [string, string]> | undefined => {
  const wanted = template.split("/");
  const given = path.split("/");
  if (wanted.length !== given.length) return undefined;
  const labels: Array<readonly [string, string]> = [];
  for (const [index, part] of wanted.entries()) {
    const value = given[index] ?? "";
    if (part.startsWith("{")) {
      if (value === "") return undefined;
      labels.push([part.slice(1, -1), value]);
    } else if (part !== value) return undefined;
  }
  return labels;
};

const queryOf = Effect.fnUntraced(function* (
  service: string,
  { operation, query = {} }: RestRoute,
  rawQuery: string,
) {
  const members = new Map(Object.entries(query).map(([member, parameter]) => [parameter, member]));
  const input: Record<string, unknown> = {};
  for (const [parameter, value] of new URLSearchParams(rawQuery)) {
    const member = members.get(parameter);
    if (member === undefined) return yield* unknownParameter(service, operation, parameter);
    input[member] = value;
  }
  return input;
});

const respond = (
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): AwsResponse => ({
  status,
  headers: { "content-type": "application/json", "x-amzn-requestid": randomUUID(), ...headers },
  body: JSON.stringify(body),
});
