/**
 * `millrace infer`: looks at the beginning of a file and prints a schema for it, as source to be checked and kept.
 */
import {
  CsvEncoding,
  type InferredColumn,
  inferSchema,
  renderField,
  renderSchema,
  schemaName,
} from "@millrace/workflows";
import { Console, Effect, FileSystem, Option, Path } from "effect";
import { Argument, Command, Flag } from "effect/cli";
import { failAsUserError } from "./commandFailure.ts";
import { delimiterFlag, toDelimiter } from "./delimiterFlag.ts";
import { jsonFlag } from "./jsonFlag.ts";

const mebibyte = 1024 * 1024;

const flags = {
  file: Argument.Path("file").pipe(
    Argument.withDescription("The file: CSV, a JSON array or NDJSON, also compressed with gzip"),
  ),
  json: jsonFlag,
  sampleMib: Flag.Int("sample-mib").pipe(
    Flag.withDescription("How much of the file's text is looked at, in MiB"),
    Flag.filter(
      (mib) => mib > 0 && mib <= 1024,
      (mib) => `--sample-mib must be 1 to 1024, not ${mib}`,
    ),
    Flag.withDefault(8),
  ),
  name: Flag.String("name").pipe(
    Flag.withDescription("The schema's name; default: from the file's"),
    Flag.filter(
      (name) => /^[A-Za-z_$][\w$]*$/.test(name),
      () => "--name must be a name that TypeScript takes",
    ),
    Flag.optional,
  ),
  delimiter: delimiterFlag,
  encoding: Flag.Literals("encoding", CsvEncoding.literals).pipe(
    Flag.withDescription("The file's encoding; default: detected"),
    Flag.optional,
  ),
};

const toJson = (column: InferredColumn) =>
  Object.assign({ field: renderField(column), texts: column.texts }, column.plan);

/** The command. */
export const infer = Command.make("infer", flags, (input) =>
  Effect.gen(function* () {
    const path = yield* Path.Path;
    const fileSystem = yield* FileSystem.FileSystem;
    const base = path.basename(input.file);
    const { columns, from } = yield* inferSchema(
      {
        source: input.file,
        delimiter: toDelimiter(input.delimiter),
        encoding: Option.getOrUndefined(input.encoding),
      },
      fileSystem.stream(input.file),
      input.sampleMib * mebibyte,
    );
    const name = Option.getOrElse(input.name, () => schemaName(base));
    const about = `Inferred from ${from.whole ? "all" : "the first"} ${from.rows} rows of ${base}${from.rowsRejected > 0 ? ` (${from.rowsRejected} more are broken)` : ""}. Check it before you use it.`;
    const source = renderSchema(name, about, columns);
    yield* Console.log(
      input.json
        ? JSON.stringify({
            file: input.file,
            name,
            from,
            columns: columns.map(toJson),
            source,
          })
        : source.trimEnd(),
    );
  }).pipe(failAsUserError),
).pipe(
  Command.withDescription(
    "Look at the beginning of a file and print a schema for it, as TypeScript source. It is a proposal: whole columns of text that look like numbers, dates or lists of values. Exit codes: 0 printed; 1 the file is no CSV or JSON, or cannot be read; 2 wrong usage",
  ),
  Command.withShortDescription(
    "Print a schema for a file, as source, from a look at its beginning",
  ),
  Command.withExamples([
    {
      command: "millrace infer sales.csv > Sales.ts",
      description: "Write a schema Sales, to be checked and given to a pipeline",
    },
  ]),
);
