/**
 * The file of rejected rows, in line order: `csv` to be opened by a person, `ndjson` to be read by a program.
 *
 * A rejected row is somebody's text, and a spreadsheet takes a cell that begins with `=`, `+`, `-` or `@` for a formula. In
 * the CSV every cell is quoted, and such a character gets a `'` before it: at the beginning of a cell, and behind
 * everything that a spreadsheet may be set to take for the end of one. The NDJSON has the text exactly.
 * Source: OWASP, "CSV Injection".
 */
import { Schema } from "effect";
import type { Reject } from "./Reject.ts";

/** How rejects are written; also how the file's name ends. */
export const RejectsFormat = Schema.Literals(["csv", "ndjson"]);
export type RejectsFormat = typeof RejectsFormat.Type;

/** The content type of the file. */
export const rejectsContentType: Record<RejectsFormat, string> = {
  csv: "text/csv; charset=utf-8",
  ndjson: "application/x-ndjson",
};

/** The characters that begin a formula, also in their full-width forms, where a cell may begin. */
const formula = /(^|[,;|\t\r\n"'])(?=[=+\-@\uFF1D\uFF0B\uFF0D\uFF20])/g;

/** Tab and carriage return at the beginning are skipped by spreadsheets, which then look at what follows. */
const safe = (text: string): string => text.replaceAll(formula, "$1'").replace(/^(?=[\t\r])/, "'");

const cell = (text: string): string => `"${safe(text).replaceAll('"', '""')}"`;

const header = "line,column,reason,detail,raw,cut\r\n";

const csvLine = ({ column = "", cut, detail, line, raw, reason }: Reject): string =>
  `${line},${[column, reason, detail, raw].map(cell).join(",")},${cut}\r\n`;

/** Encodes the rejects of a file, given in pieces and in order. */
export const makeRejectsEncoder = (
  format: RejectsFormat,
): ((rejects: ReadonlyArray<Reject>) => Uint8Array) => {
  let begun = false;
  return (rejects) => {
    const first = format === "csv" && !begun ? header : "";
    begun = true;
    const lines = rejects.map((reject) =>
      format === "csv" ? csvLine(reject) : `${JSON.stringify(reject)}\n`,
    );
    return Buffer.from(first + lines.join(""), "utf8");
  };
};
