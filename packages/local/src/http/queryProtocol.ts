/**
 * AWS's query protocol: the operation and its parameters come as a form (`Action=Publish&MessageAttributes.entry.1.Name=…`),
 * the answer is XML.
 *
 * Dotted names become nested objects, numbered members become lists: `a.member.1.b=x` is `{ a: { member: [{ b: "x" }] } }`.
 * In an answer a list repeats its element in the same way.
 */
import { Effect } from "effect";
import { randomUUID } from "node:crypto";
import { AwsError, unknownOperation } from "../AwsError.ts";
import type { AwsHandler, AwsRequest, JsonOperations } from "./AwsRequest.ts";
import { bodyText } from "./jsonProtocol.ts";

interface QueryService {
  /** The name in refusals, e.g. `SNS`. */
  readonly service: string;
  /** The API version that the form names, e.g. `2010-03-31`. */
  readonly version: string;
  /** The XML namespace of answers. */
  readonly namespace: string;
  readonly operations: JsonOperations;
}

/** Parts of a parameter's name; the longest of SNS has 7. */
const stepsMax = 16;

/** Answers requests of one service; never fails, because an error has a wire form too. */
export const queryProtocol =
  (service: QueryService): AwsHandler =>
  (request) =>
    perform(service, request).pipe(
      Effect.map((body) => ({ status: 200, body })),
      Effect.catch((error) =>
        Effect.succeed({ status: error.status, body: errorDocument(service, error) }),
      ),
      Effect.map(({ status, body }) => ({ status, headers: { "content-type": "text/xml" }, body })),
    );

const perform = Effect.fnUntraced(function* (service: QueryService, request: AwsRequest) {
  const form = new URLSearchParams(yield* bodyText(request));
  const action = form.get("Action") ?? "";
  const operation = Object.hasOwn(service.operations, action)
    ? service.operations[action]
    : undefined;
  if (operation === undefined || form.get("Version") !== service.version) {
    return yield* unknownOperation(
      service.service,
      `${action} (${form.get("Version") ?? "no version"})`,
    );
  }
  const deepest = [...form.keys()].find((path) => path.split(".").length > stepsMax);
  if (deepest !== undefined) {
    return yield* new AwsError({
      code: "MalformedQueryString",
      message: `${service.service} ${action}: the parameter ${deepest.slice(0, 100)} has more than ${stepsMax} parts`,
      status: 400,
    });
  }
  form.delete("Action");
  form.delete("Version");
  const output = yield* operation(nested(form));
  const result = `<${action}Result>${elements(output ?? {})}</${action}Result>`;
  return document(
    service,
    `${action}Response`,
    `${result}<ResponseMetadata>${requestId()}</ResponseMetadata>`,
  );
});

type Tree = { [name: string]: Tree | string };

/** Keys come from outside: the objects have no prototype. */
const emptyTree = (): Tree => Object.create(null);

const nested = (form: URLSearchParams): unknown => {
  const root = emptyTree();
  for (const [path, value] of form) {
    const steps = path.split(".");
    let node = root;
    for (const step of steps.slice(0, -1)) {
      const known = node[step];
      const next = typeof known === "object" ? known : emptyTree();
      node[step] = next;
      node = next;
    }
    node[steps.at(-1) ?? ""] = value;
  }
  return withLists(root);
};

const withLists = (node: Tree | string): unknown => {
  if (typeof node === "string") return node;
  const entries = Object.entries(node);
  return entries.length > 0 && entries.every(([name]) => /^[1-9][0-9]*$/.test(name))
    ? entries
        .toSorted(([left], [right]) => Number(left) - Number(right))
        .map(([, value]) => withLists(value))
    : Object.fromEntries(entries.map(([name, value]) => [name, withLists(value)]));
};

const document = ({ namespace }: QueryService, root: string, content: string): string =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<${root} xmlns="${namespace}">${content}</${root}>`;

const requestId = (): string => `<RequestId>${randomUUID()}</RequestId>`;

const errorDocument = (service: QueryService, { code, message, status }: AwsError): string => {
  const type = status < 500 ? "Sender" : "Receiver";
  const error = elements({ Error: { Type: type, Code: code, Message: message } });
  return document(service, "ErrorResponse", `${error}${requestId()}`);
};

const elements = (value: unknown): string => {
  if (typeof value !== "object" || value === null) return escapeXml(String(value));
  return Object.entries(value)
    .map(([name, child]: [string, unknown]) =>
      (Array.isArray(child) ? child : [child])
        .map((one) => `<${name}>${elements(one)}</${name}>`)
        .join(""),
    )
    .join("");
};

const escapeXml = (text: string): string =>
  text.replace(/[&<>"'\r]/g, (character) => `&#${character.charCodeAt(0)};`);
