/**
 * The tables in which AWS's clients describe their services, without what nobody asks for.
 *
 * Source: the files dist-es/schemas/schemas_0.js and dist-es/models/errors.js of @aws-sdk/client-* 3.1162 to 3.1169
 */
import { readFile } from "node:fs/promises";

const constants = /^const (\w+) = ("[^"\\]*");$/gm;

/**
 * `{ [_key]: ... }` as `{ "key": ... }`. A key that has to be computed makes esbuild keep the table of an operation that
 * nobody calls.
 */
const writeKeysOut = (text, values) =>
  text.replaceAll(/\[(\w+)\]:/g, (whole, name) => {
    const value = values.get(name);
    return value === undefined ? whole : `${value}:`;
  });

/** An error with one field at most: its description, and the statement that makes its class known to the client. */
const smallError =
  /^(export var (\w+)\$ = \[-3, n0, \w+,\s*\{[^}]*\},\s*\[(\w*)\],\s*\[0?\](?:, 1)?\s*\];)\nn0_registry\.registerError\(\2\$, \2\);$/gm;

/**
 * Without the classes of errors that are a name and a message. The client throws the service's own exception instead,
 * with that name (from SQS and SNS with the one that is sent), that message and the status of the answer: the same to
 * whoever asks for these, and they are what we ask for (packages/core/test/bundledErrors.test.ts). What has other fields
 * keeps its class, and so does what its class marks as retryable.
 */
const leavePlainErrorsOut = (text, values, classes) =>
  text.replaceAll(smallError, (whole, described, name, field) => {
    const isPlain = field === "" || /^"message"$/i.test(values.get(field));
    const [, body] = new RegExp(`^export class ${name} (.*?)^}`, "ms").exec(classes) ?? [];
    return isPlain && body !== undefined && !body.includes("$retryable") ? described : whole;
  });

export const shortenTables = async (text, path) => {
  const values = new Map([...text.matchAll(constants)].map(([, name, value]) => [name, value]));
  const classes = await readFile(path.replace(/schemas\/[^/]+$/, "models/errors.js"), "utf8");
  return writeKeysOut(leavePlainErrorsOut(text, values, classes), values);
};

/** The clients read their own version from package.json, and nothing else of it. */
export const versionOnly = (text) => JSON.stringify({ version: JSON.parse(text).version });
