/** The flag that says what separates the cells of a CSV file. */
import type { CsvDelimiter } from "@millrace/workflows";
import { Option } from "effect";
import { Flag } from "effect/cli";

const delimiters: Record<string, CsvDelimiter> = {
  comma: ",",
  semicolon: ";",
  tab: "\t",
  pipe: "|",
};

export const delimiterFlag = Flag.Literals("delimiter", Object.keys(delimiters)).pipe(
  Flag.withDescription("What separates the cells; default: judged by the header"),
  Flag.optional,
);

/** The character; undefined when the flag was not given. */
export const toDelimiter = (name: Option.Option<string>): CsvDelimiter | undefined =>
  Option.isSome(name) ? delimiters[name.value] : undefined;
