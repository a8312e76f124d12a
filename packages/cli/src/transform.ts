/**
 * `millrace transform`: CSV to Parquet on plain files, with the same transform that the pipeline runs.
 */
import {
  type CsvOptions,
  CsvEncoding,
  type CsvReport,
  csvToParquet,
  layerHyparquet,
  layerParquetjsLite,
  SlashDates,
} from "@millrace/workflows";
import { Clock, Console, Effect, FileSystem, Option, Path, Stream } from "effect";
import { Argument, Command, Flag } from "effect/cli";
import { failAsUserError } from "./commandFailure.ts";
import { delimiterFlag, toDelimiter } from "./delimiterFlag.ts";
import { jsonFlag } from "./jsonFlag.ts";
import { openOutputFile, type OutputFile } from "./OutputFile.ts";
import { makeProgress } from "./Progress.ts";

const readBytes = 256 * 1024;

const flags = {
  file: Argument.Path("file").pipe(
    Argument.withDescription("The file: CSV, a JSON array or NDJSON, also compressed with gzip"),
  ),
  out: Flag.Path("out").pipe(
    Flag.withAlias("o"),
    Flag.withDescription("Folder for the results; made when missing"),
  ),
  json: jsonFlag,
  delimiter: delimiterFlag,
  encoding: Flag.Literals("encoding", CsvEncoding.literals).pipe(
    Flag.withDescription("The file's encoding; default: detected"),
    Flag.optional,
  ),
  slashDates: Flag.Literals("slash-dates", SlashDates.literals).pipe(
    Flag.withDescription("What 01/02/2023 means in a date column; default: null"),
    Flag.withDefault("refuse" as const),
  ),
  keepDuplicates: Flag.Boolean("keep-duplicates").pipe(
    Flag.withDescription("Keep rows that equal an earlier one"),
    Flag.withDefault(false),
  ),
  partRows: Flag.Int("part-rows").pipe(
    Flag.withDescription("Rows per Parquet file; default: all in one"),
    Flag.filter(
      (rows) => rows > 0,
      (rows) => `--part-rows must be at least 1, not ${rows}`,
    ),
    Flag.optional,
  ),
  encoder: Flag.Literals("encoder", ["hyparquet-writer", "parquetjs-lite"]).pipe(
    Flag.withDescription("Which library writes the Parquet"),
    Flag.withDefault("hyparquet-writer" as const),
  ),
  processedAt: Flag.Date("processed-at").pipe(
    Flag.withDescription("Value of _processed_at, for equal bytes in every run; default: now"),
    Flag.optional,
  ),
};

/** What was written where. */
interface Written {
  readonly report: CsvReport;
  readonly outputs: ReadonlyArray<string>;
  readonly rejects: string | undefined;
}

const sinksInto = Effect.fnUntraced(function* (folder: string, name: string, inParts: boolean) {
  const path = yield* Path.Path;
  const fileSystem = yield* FileSystem.FileSystem;
  const open: Array<{ readonly target: string; readonly file: OutputFile }> = [];
  const rejectsPath = path.join(folder, `${name}.rejects.ndjson`);
  let rejects: OutputFile | undefined;
  const start = Effect.fnUntraced(function* (target: string) {
    yield* fileSystem.makeDirectory(path.dirname(target), { recursive: true });
    return yield* openOutputFile(target);
  });
  const partPath = (index: number) =>
    inParts
      ? path.join(folder, name, `part-${String(index).padStart(5, "0")}.parquet`)
      : path.join(folder, `${name}.parquet`);
  return {
    sinks: {
      part: Effect.fnUntraced(function* (index: number) {
        const target = partPath(index);
        const file = yield* start(target);
        open.push({ target, file });
        return file.write;
      }),
      endPart: () => Effect.void,
      rejects: Effect.fnUntraced(function* (bytes: Uint8Array) {
        rejects ??= yield* start(rejectsPath);
        yield* rejects.write(bytes);
      }),
    },
    /** Rejects first: whoever sees the Parquet file finds them beside it. */
    commit: Effect.gen(function* () {
      if (rejects === undefined) yield* fileSystem.remove(rejectsPath, { force: true });
      else yield* rejects.commit;
      yield* Effect.forEach(open, ({ file }) => file.commit, { discard: true });
      return {
        outputs: open.map(({ target }) => target),
        rejects: rejects === undefined ? undefined : rejectsPath,
      };
    }),
  };
});

const transformFile = Effect.fn("transformFile")(function* (
  file: string,
  folder: string,
  options: Omit<CsvOptions, "source" | "sourceFile">,
) {
  const path = yield* Path.Path;
  const fileSystem = yield* FileSystem.FileSystem;
  const { size } = yield* fileSystem.stat(file);
  const base = path.basename(file);
  const name = base.replace(/\.csv$/i, "");
  const progress = yield* makeProgress(base, Number(size));
  const source = fileSystem
    .stream(file, { chunkSize: readBytes })
    .pipe(Stream.tap((chunk) => progress.advance(chunk.length)));
  const { commit, sinks } = yield* sinksInto(folder, name, options.partRowsMax !== undefined);
  const report = yield* csvToParquet(
    { ...options, source: file, sourceFile: base },
    source,
    sinks,
  ).pipe(Effect.ensuring(progress.clear));
  return { report, ...(yield* commit) } satisfies Written;
}, Effect.scoped);

const describe = ({ outputs, rejects, report }: Written): string => {
  const lines = [
    `${report.rowsOut} rows of ${report.rowsIn} -> ${outputs.join(", ")} (${report.bytesOut} bytes)`,
    `dropped: ${report.duplicates} duplicates, ${report.blankRows} blank; rejected: ${report.rowsRejected}${rejects === undefined ? "" : ` -> ${rejects}`}`,
    `dates that could not be read: ${report.nullDates}; encoding ${report.encoding} (${report.encodingOrigin}), ${report.format ?? `delimiter ${JSON.stringify(report.delimiter)}`}`,
    ...report.renamed.map(
      (column) =>
        `column ${column.position} ${JSON.stringify(column.original)} is named ${column.name} (${column.reason})`,
    ),
  ];
  return lines.join("\n");
};

/** The command. */
export const transform = Command.make("transform", flags, (input) =>
  Effect.gen(function* () {
    const now = yield* Clock.currentTimeMillis;
    const written = yield* transformFile(input.file, input.out, {
      processedAtEpochMs: Option.match(input.processedAt, {
        onNone: () => now,
        onSome: (date) => date.getTime(),
      }),
      delimiter: toDelimiter(input.delimiter),
      encoding: Option.getOrUndefined(input.encoding),
      slashDates: input.slashDates,
      duplicates: input.keepDuplicates ? "none" : "file",
      partRowsMax: Option.getOrUndefined(input.partRows),
    });
    const { outputs, rejects, report } = written;
    yield* Console.log(
      input.json
        ? JSON.stringify({ ...report, outputs, rejects: rejects ?? null })
        : describe(written),
    );
  }).pipe(
    Effect.provide(input.encoder === "parquetjs-lite" ? layerParquetjsLite : layerHyparquet),
    failAsUserError,
  ),
).pipe(
  Command.withDescription(
    "Transform a CSV file to Parquet, cleaned and enriched, without any cloud. Exit codes: 0 transformed; 1 the file is no CSV or cannot be read or written; 2 wrong usage",
  ),
  Command.withShortDescription(
    "Transform a CSV file to Parquet, cleaned and enriched, without any cloud",
  ),
  Command.withExamples([
    {
      command: "millrace transform sales.csv --out clean",
      description: "Write clean/sales.parquet, and clean/sales.rejects.ndjson if rows are rejected",
    },
  ]),
);
