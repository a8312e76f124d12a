/**
 * Attributes of a message: what may be sent, how large it counts, and the digest that the SDK verifies.
 *
 * Source: SQS developer guide, "Amazon SQS message metadata", "Calculating the MD5 message digest for message attributes"
 */
import { Effect, Schema } from "effect";
import { createHash } from "node:crypto";
import type { AwsError } from "../AwsError.ts";
import { invalidParameter, invalidValue } from "./SqsErrors.ts";

/** One attribute on the wire; `BinaryValue` is base64. */
export const MessageAttribute = Schema.Struct({
  DataType: Schema.String,
  StringValue: Schema.optionalKey(Schema.String),
  BinaryValue: Schema.optionalKey(Schema.String),
});
export type MessageAttribute = typeof MessageAttribute.Type;

export const MessageAttributes = Schema.Record(Schema.String, MessageAttribute);
export type MessageAttributes = typeof MessageAttributes.Type;

export const md5 = (data: string | Buffer): string => createHash("md5").update(data).digest("hex");

/** The digest of attributes, or undefined when there are none. */
export const md5OfAttributes = (attributes: MessageAttributes): string | undefined => {
  const names = Object.keys(attributes).toSorted();
  if (names.length === 0) return undefined;
  const parts: Array<Buffer> = [];
  const add = (value: Buffer) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(value.length);
    parts.push(length, value);
  };
  for (const name of names) {
    const attribute = attributes[name];
    if (attribute === undefined) continue;
    const binary = isBinary(attribute);
    add(Buffer.from(name));
    add(Buffer.from(attribute.DataType));
    parts.push(Buffer.from([binary ? 2 : 1]));
    add(valueOf(attribute));
  }
  return md5(Buffer.concat(parts));
};

const isBinary = ({ DataType }: MessageAttribute): boolean => /^Binary(\.|$)/.test(DataType);

const valueOf = (attribute: MessageAttribute): Buffer =>
  isBinary(attribute)
    ? Buffer.from(attribute.BinaryValue ?? "", "base64")
    : Buffer.from(attribute.StringValue ?? "");

/** What the attributes count against the size of a message. */
export const attributesBytes = (attributes: MessageAttributes): number =>
  Object.entries(attributes).reduce(
    (bytes, [name, attribute]) =>
      bytes +
      Buffer.byteLength(name) +
      Buffer.byteLength(attribute.DataType) +
      valueOf(attribute).length,
    0,
  );

export const checkAttributes = (
  attributes: MessageAttributes,
  attributesMax = 10,
): Effect.Effect<void, AwsError> => {
  const entries = Object.entries(attributes);
  if (entries.length > attributesMax) {
    return Effect.fail(
      invalidParameter(
        `Number of message attributes [${entries.length}] exceeds the allowed maximum [${attributesMax}].`,
      ),
    );
  }
  return Effect.forEach(entries, ([name, attribute]) => check(name, attribute), { discard: true });
};

const check = (name: string, attribute: MessageAttribute): Effect.Effect<void, AwsError> => {
  const reason = nameFault(name) ?? valueFault(name, attribute);
  return reason === undefined ? Effect.void : Effect.fail(reason);
};

const nameFault = (name: string): AwsError | undefined => {
  if (!/^[A-Za-z0-9_.-]{1,256}$/.test(name) || /^\.|\.$|\.\./.test(name)) {
    return invalidParameter(
      `Invalid message attribute name "${name}": letters, digits, _ - and single inner dots, 1 to 256 in length.`,
    );
  }
  return /^(?:aws|amazon)\./i.test(name)
    ? invalidParameter(`Message attribute name "${name}" starts with a prefix that is reserved.`)
    : undefined;
};

const valueFault = (name: string, attribute: MessageAttribute): AwsError | undefined => {
  const { DataType, StringValue, BinaryValue } = attribute;
  if (DataType.length > 256 || !/^(?:String|Number|Binary)(?:\..+)?$/.test(DataType)) {
    return invalidParameter(
      `The type of message (user) attribute '${name}' is invalid. You must use only the following supported type prefixes: Binary, Number, String.`,
    );
  }
  const value = isBinary(attribute) ? BinaryValue : StringValue;
  if (value === undefined || value === "" || (isBinary(attribute) ? StringValue : BinaryValue)) {
    return invalidParameter(
      `The message (user) attribute '${name}' must contain a non-empty value of its type ${DataType}.`,
    );
  }
  if (DataType.startsWith("Number") && !isNumber(value)) {
    return invalidValue(`MessageAttribute.${name}`, value, "It is not a number.");
  }
  return hasInvalidCharacters(isBinary(attribute) ? "" : value)
    ? invalidParameter(`The message (user) attribute '${name}' contains invalid characters.`)
    : undefined;
};

/** Up to 38 digits and exponents from -128 to 126. */
const isNumber = (text: string): boolean => {
  const [matched, digits = "", fraction = ""] =
    /^[+-]?([0-9]*)\.?([0-9]*)(?:[eE][+-]?[0-9]{1,3})?$/.exec(text) ?? [];
  const count = digits.length + fraction.length;
  return matched !== undefined && count > 0 && count <= 38;
};

/** Characters outside XML 1.0, which SQS refuses in bodies and values. */
export const hasInvalidCharacters = (text: string): boolean =>
  /[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/u.test(text);

/** The attributes that a receiver asked for: exact names, `prefix.*`, or `All` and `.*`. */
export const selectAttributes = (
  attributes: MessageAttributes,
  wanted: ReadonlyArray<string>,
): MessageAttributes =>
  Object.fromEntries(
    Object.entries(attributes).filter(([name]) =>
      wanted.some(
        (one) =>
          one === "All" ||
          one === ".*" ||
          one === name ||
          (one.endsWith(".*") && name.startsWith(one.slice(0, -1))),
      ),
    ),
  );
