/**
 * What a target receives: the event, a part of it, a constant, or a template filled from it.
 *
 * Source: EventBridge user guide, "Amazon EventBridge input transformation"
 */
import { Option, Schema } from "effect";
import type { Target } from "./EventState.ts";

const templateCharactersMax = 8_192;
const pathsMax = 100;

type Steps = ReadonlyArray<string | number>;

/** What predefined variables stand for. */
export interface InputContext {
  readonly ruleArn: string;
  readonly ruleName: string;
  readonly ingestionTime: string;
}

const predefined: ReadonlySet<string> = new Set([
  "aws.events.rule-arn",
  "aws.events.rule-name",
  "aws.events.event",
  "aws.events.event.json",
  "aws.events.event.ingestion-time",
]);

/** Reads `$.detail.object`, `$.resources[0]`, `$['detail-type']`; wildcards and filters are not part of it. */
const readPath = (path: string): Steps | undefined => {
  if (!path.startsWith("$")) return undefined;
  const step = /\.([A-Za-z0-9_-]+)|\['([^']+)'\]|\[([0-9]+)\]/y;
  const steps: Array<string | number> = [];
  step.lastIndex = 1;
  while (step.lastIndex < path.length) {
    const found = step.exec(path);
    if (found === null) return undefined;
    const name = found[1] ?? found[2];
    steps.push(name ?? Number(found[3]));
  }
  return steps;
};

const valueAt = (event: unknown, steps: Steps): unknown => {
  let value = event;
  for (const step of steps) {
    const isList = Array.isArray(value);
    if (typeof value !== "object" || value === null || isList !== (typeof step === "number")) {
      return undefined;
    }
    value = Object.hasOwn(value, step) ? Reflect.get(value, step) : undefined;
  }
  return value;
};

const placeholder = /<([A-Za-z0-9_.-]+)>/g;
const decodeJson = Schema.decodeOption(Schema.fromJsonString(Schema.Json));

/** Why the input settings of a target are refused, or undefined. */
export const inputFault = (target: Target): string | undefined => {
  const { Id, Input, InputPath, InputTransformer } = target;
  const given = [Input, InputPath, InputTransformer].filter((one) => one !== undefined);
  if (given.length > 1) {
    return `Only one of Input, InputPath, or InputTransformer must be provided for target ${Id}.`;
  }
  if (Input !== undefined && Option.isNone(decodeJson(Input))) {
    return `JSON syntax error in input for target ${Id}.`;
  }
  if (InputPath !== undefined && readPath(InputPath) === undefined) {
    return `Parameter InputPath ${InputPath} of target ${Id} is not a path in dot notation.`;
  }
  if (InputTransformer === undefined) return undefined;
  const fault = transformerFault(InputTransformer);
  return fault === undefined ? undefined : `Invalid InputTransformer for target ${Id}: ${fault}.`;
};

const transformerFault = ({
  InputPathsMap = {},
  InputTemplate,
}: NonNullable<Target["InputTransformer"]>): string | undefined => {
  const paths = Object.entries(InputPathsMap);
  if (paths.length > pathsMax) return `InputPathsMap has more than ${pathsMax} entries`;
  if (InputTemplate.length === 0 || InputTemplate.length > templateCharactersMax) {
    return `InputTemplate must have 1 to ${templateCharactersMax} characters`;
  }
  const reserved = paths.find(([name]) => name.toLowerCase().startsWith("aws."));
  if (reserved !== undefined) return `the key ${reserved[0]} starts with AWS.`;
  const wrong = paths.find(([, path]) => readPath(path) === undefined);
  if (wrong !== undefined) return `the path ${wrong[1]} is not in dot notation`;
  const names = [...InputTemplate.matchAll(placeholder)].map(([, name = ""]) => name);
  const unknown = names.find(
    (name) => !predefined.has(name) && !Object.hasOwn(InputPathsMap, name),
  );
  if (unknown !== undefined)
    return `the template names <${unknown}>, which is not in InputPathsMap`;
  const template = InputTemplate.trim();
  if (!template.startsWith("{") && !template.startsWith('"') && !template.startsWith("<")) {
    return "the template must be a JSON object or quoted text";
  }
  if (!template.startsWith("{")) return undefined;
  const key = [...InputTemplate.matchAll(placeholder)].find(({ index }) =>
    isKey(InputTemplate, index),
  );
  if (key !== undefined) return `the placeholder ${key[0]} is used as an object key`;
  const sample = InputTemplate.replace(placeholder, (_, _name, at: number) =>
    insideQuotes(InputTemplate, at) ? "" : "0",
  );
  return Option.isNone(decodeJson(sample)) ? "the template is not valid JSON" : undefined;
};

/** The first path with a wildcard: EventBridge has them, this bus does not. */
export const wildcardPath = ({ InputPath, InputTransformer }: Target): string | undefined =>
  [InputPath, ...Object.values(InputTransformer?.InputPathsMap ?? {})].find(
    (path) => path !== undefined && /\[\*\]|\.\*/.test(path),
  );

/** The text that a target receives for an event. */
export const inputOf = (target: Target, event: string, context: InputContext): string => {
  if (target.Input !== undefined) return target.Input;
  if (target.InputPath !== undefined) {
    if (target.InputPath === "$") return event;
    const value = valueAt(JSON.parse(event), readPath(target.InputPath) ?? []);
    return JSON.stringify(value ?? null);
  }
  return target.InputTransformer === undefined
    ? event
    : transformed(target.InputTransformer, event, context);
};

const transformed = (
  { InputPathsMap = {}, InputTemplate }: NonNullable<Target["InputTransformer"]>,
  eventText: string,
  context: InputContext,
): string => {
  const event: unknown = JSON.parse(eventText);
  const isJson = InputTemplate.trim().startsWith("{");
  return InputTemplate.replace(placeholder, (_, name: string, at: number) => {
    const path = InputPathsMap[name];
    const value =
      path === undefined
        ? predefinedValue(name, event, context)
        : valueAt(event, readPath(path) ?? []);
    return insideQuotes(InputTemplate, at) ? quotedForm(value, isJson) : plainForm(value, isJson);
  });
};

const predefinedValue = (name: string, event: unknown, context: InputContext): unknown => {
  switch (name) {
    case "aws.events.rule-arn":
      return context.ruleArn;
    case "aws.events.rule-name":
      return context.ruleName;
    case "aws.events.event.ingestion-time":
      return context.ingestionTime;
    case "aws.events.event.json":
      return event;
    default: {
      const fields = typeof event === "object" && event !== null ? Object.entries(event) : [];
      return Object.fromEntries(fields.filter(([field]) => field !== "detail"));
    }
  }
};

/** Whether a place in the template lies between two unescaped quotes. */
const insideQuotes = (template: string, at: number): boolean => {
  let inside = false;
  for (let index = 0; index < at; index += 1) {
    if (template[index] === "\\") index += 1;
    else if (template[index] === '"') inside = !inside;
  }
  return inside;
};

/** Whether the quoted text around a place in the template is followed by a colon. */
const isKey = (template: string, at: number): boolean => {
  const end = insideQuotes(template, at) ? /^(?:[^"\\]|\\.)*"\s*:/s : undefined;
  return end?.test(template.slice(at)) ?? false;
};

/** Outside quotes a value is JSON; one that was not found is empty. */
const plainForm = (value: unknown, isJson: boolean): string => {
  if (value === undefined) return isJson ? '""' : "";
  return typeof value === "string" && !isJson ? value : JSON.stringify(value);
};

/** Inside quotes a value is text; in quoted text AWS drops the quotes of objects, in JSON they are escaped. */
const quotedForm = (value: unknown, isJson: boolean): string => {
  if (value === undefined) return "";
  const text = typeof value === "string" ? value : JSON.stringify(value);
  if (!isJson && typeof value === "object") return text.replaceAll('"', "");
  return JSON.stringify(text).slice(1, -1);
};
