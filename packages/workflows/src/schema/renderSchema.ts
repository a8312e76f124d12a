/**
 * An inferred schema as TypeScript source, to be read, corrected and kept in the repository.
 */
import type { InferredColumn } from "./InferredColumn.ts";

const identifier = /^[A-Za-z_$][\w$]*$/;

/** A name for the schema, from a file's name: `sales 2026.csv.gz` gives `Sales2026`. */
export const schemaName = (file: string): string => {
  const words = file
    .replace(/\.(?:csv|tsv|json|ndjson|jsonl|txt)?(?:\.gz)?$/i, "")
    .split(/[^A-Za-z0-9]+/)
    .filter((word) => word !== "")
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1));
  const name = words.join("");
  return /^[A-Z]/.test(name) ? name : `Row${name}`;
};

/** The source of one field's schema. */
export const renderField = ({ optional, plan }: InferredColumn): string => {
  const field =
    plan.kind === "decimal"
      ? `Column.decimal(${plan.precision}, ${plan.scale})`
      : `Column.${plan.kind}`;
  const nullable = plan.nullable ? `Schema.NullOr(${field})` : field;
  return optional ? `Schema.optionalKey(${nullable})` : nullable;
};

/** What a person may want to know of a column. Line breaks in texts stay escaped, so a comment stays one. */
const remark = ({ filled, texts }: InferredColumn): string => {
  if (filled === 0) return " // empty in the sample";
  if (texts === undefined) return "";
  return ` // perhaps Schema.Literals([${texts.map((text) => lineSafe(JSON.stringify(text))).join(", ")}])`;
};

/** Line and paragraph separators end a comment, too, and JSON leaves them as they are. */
const lineSafe = (text: string): string =>
  text.replaceAll("\u2028", "\\u2028").replaceAll("\u2029", "\\u2029");

/** The whole module. */
export const renderSchema = (
  name: string,
  about: string,
  columns: ReadonlyArray<InferredColumn>,
): string => {
  const fields = columns.map((column) => {
    const key = identifier.test(column.plan.name)
      ? column.plan.name
      : lineSafe(JSON.stringify(column.plan.name));
    return `  ${key}: ${renderField(column)},${remark(column)}`;
  });
  return [
    'import { Column } from "@millrace/workflows";',
    'import { Schema } from "effect";',
    "",
    // A file may be named like the end of a comment.
    `/** ${about.replaceAll("*/", "* /").replaceAll(/\s/g, " ")} */`,
    `export const ${name} = Schema.Struct({`,
    ...fields,
    "});",
    "",
  ].join("\n");
};
