/**
 * Goal: a bad CSV file ends with a typed error, a dead letter and a quarantined copy, and with nothing half-written;
 * one that only looks bad is taken.
 * Method: each through the whole system, over the real clients.
 */
import { gzipSync } from "node:zlib";
import { assert, layer } from "@effect/vitest";
import { readMessage } from "../packages/core/src/Intake.ts";
import type { ExecutionRow } from "@millrace/core";
import { localBuckets } from "@millrace/local";
import { pipelines } from "@millrace/workflows/topology";
import { Effect, Schema } from "effect";
import { layerLocalWorld, LocalWorld, type Uploaded } from "./LocalWorld.ts";
import { queryDuckDb } from "./parquetReaders.ts";

const Completed = Schema.Struct({
  outputs: Schema.Array(Schema.Struct({ bucket: Schema.String, key: Schema.String })),
  rejects: Schema.optionalKey(Schema.Struct({ bucket: Schema.String, key: Schema.String })),
  report: Schema.Struct({
    rowsIn: Schema.Int,
    rowsOut: Schema.Int,
    rowsRejected: Schema.Int,
    encoding: Schema.String,
    encodingOrigin: Schema.String,
    renamed: Schema.Array(Schema.Struct({ original: Schema.String, name: Schema.String })),
  }),
});
const decodeCompleted = Schema.decodeUnknownEffect(Completed);

const Failed = Schema.Array(
  Schema.Struct({ _tag: Schema.Literal("Fail"), error: Schema.Struct({ _tag: Schema.String }) }),
);
const decodeFailed = Schema.decodeUnknownEffect(Failed);

const Reason = Schema.fromJsonString(
  Schema.Struct({
    object: Schema.String,
    error: Schema.String,
    failureClass: Schema.String,
    message: Schema.String,
    copied: Schema.Boolean,
  }),
);
const decodeReason = Schema.decodeUnknownEffect(Reason);

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString("utf8");

/** Everything that must be true of an upload that was refused. */
const assertRefused = Effect.fnUntraced(function* (
  { row, uploaded }: { readonly row: ExecutionRow; readonly uploaded: Uploaded },
  tag: string,
  source: Uint8Array | string,
) {
  const { letters: allLetters, read, unfinishedUploads, versions } = yield* LocalWorld;
  assert.strictEqual(row.status, "failed");
  const [failure] = yield* decodeFailed(row.result);
  assert.strictEqual(failure?.error._tag, tag);

  const letters = yield* allLetters(
    pipelines.csvToParquet,
    ({ subject }) => subject === uploaded.subject,
  );
  assert.lengthOf(letters, 1);
  const [letter] = letters;
  assert.strictEqual(letter?.cause.tag, tag);
  assert.include(letter?.cause.message, uploaded.subject);
  assert.strictEqual(letter?.failureClass, "permanent");
  assert.strictEqual(letter?.execution?.executionId, row.executionId);
  // What the letter says to send again is what the intake takes.
  const again = yield* readMessage(letter?.original ?? "");
  assert.deepInclude(again, { _tag: "Objects" });
  if (again._tag === "Objects") {
    assert.deepInclude(again.announcements[0]?.object, {
      bucket: localBuckets.raw,
      key: uploaded.key,
      versionId: uploaded.versionId,
    });
  }

  const quarantined = `${uploaded.key}.${uploaded.versionId}`;
  const copy = yield* read(localBuckets.errors, quarantined);
  assert.isTrue(Buffer.from(source).equals(copy.bytes));
  const document = yield* read(localBuckets.errors, `${quarantined}.reason.json`);
  const reason = yield* decodeReason(text(document.bytes));
  assert.deepInclude(reason, {
    object: uploaded.subject,
    error: tag,
    failureClass: "permanent",
    copied: true,
  });

  const outputs = yield* versions(localBuckets.clean);
  const stem = uploaded.key.slice(uploaded.key.lastIndexOf("/") + 1).replace(".csv", "");
  assert.deepStrictEqual(
    outputs.filter(({ key }) => key.includes(`/${stem}`)),
    [],
  );
  assert.deepStrictEqual(yield* unfinishedUploads(localBuckets.clean), []);
  return letter;
});

/** The rows of a completed upload's output. */
const outputOf = Effect.fnUntraced(function* (row: ExecutionRow, columns: string) {
  const { read } = yield* LocalWorld;
  assert.strictEqual(row.status, "completed");
  const result = yield* decodeCompleted(row.result);
  const { bytes } = yield* read(localBuckets.clean, result.outputs[0]?.key ?? "");
  return { ...result, rows: yield* queryDuckDb(bytes, `select ${columns} from FILE`) };
});

const world = layerLocalWorld({ timeoutSeconds: 30 });
const goodRows = (count: number) => Array.from({ length: count }, (_, id) => `${id},n${id}\n`);

layer(world, { timeout: "60 seconds", excludeTestServices: true })("a CSV file", (it) => {
  const refused: ReadonlyArray<readonly [string, string, string, Uint8Array | string]> = [
    ["that is empty", "empty.csv", "CsvEmpty", ""],
    ["of blank lines only", "blank.csv", "CsvEmpty", "\n\r\n\n"],
    [
      "that is a zip archive",
      "zip.csv",
      "CsvNotText",
      Buffer.from("PK\u0003\u0004binary", "latin1"),
    ],
    [
      "whose rows are nearly all unusable",
      "rows.csv",
      "CsvTooManyRejects",
      `a,b\n${"1\n".repeat(200)}`,
    ],
    ["whose header has an open quote", "header.csv", "CsvQuoteUnclosed", `"a,b\n1,2\n`],
  ];
  for (const [what, name, tag, source] of refused) {
    it.effect(`${what} is refused as ${tag}, quarantined and dead-lettered`, () =>
      Effect.gen(function* () {
        const { process } = yield* LocalWorld;
        yield* assertRefused(yield* process(`incoming/bad/${name}`, source), tag, source);
      }),
    );
  }

  it.effect("of more than 50 MB with an unclosed quote is refused, naming the line", () =>
    Effect.gen(function* () {
      const { process } = yield* LocalWorld;
      const source = Buffer.from(
        `id,name\n1,a\n2,"never closed\n${"3,some text that goes on and on\n".repeat(1_700_000)}`,
      );
      assert.isAbove(source.length, 50 * 1024 * 1024);
      const done = yield* process("incoming/bad/quote.csv", source);
      const letter = yield* assertRefused(done, "CsvQuoteUnclosed", source);
      assert.include(letter?.cause.message, "line 3");
    }),
  );

  it.effect("with a header only gives a file of columns without rows", () =>
    Effect.gen(function* () {
      const { process } = yield* LocalWorld;
      const { row } = yield* process("incoming/odd/header-only.csv", "Id,Order Date\n");
      const { report, rows } = yield* outputOf(
        row,
        "count(id)::int as n, count(order_date)::int as d",
      );
      assert.deepStrictEqual(rows, [{ n: 0, d: 0 }]);
      assert.deepInclude(report, { rowsIn: 0, rowsOut: 0 });
    }),
  );

  it.effect("with short and long rows keeps them in a rejects file beside the output", () =>
    Effect.gen(function* () {
      const { process, read } = yield* LocalWorld;
      const source = `id,name\n${goodRows(20).join("")}short\n1,2,3\n${goodRows(30).slice(20).join("")}`;
      const { row } = yield* process("incoming/odd/ragged.csv", source);
      const { outputs, rejects, report, rows } = yield* outputOf(row, "count(*)::int as n");
      assert.deepStrictEqual(rows, [{ n: 30 }]);
      assert.deepInclude(report, { rowsIn: 32, rowsOut: 30, rowsRejected: 2 });
      assert.strictEqual(rejects?.key, `${outputs[0]?.key}.rejects.ndjson`);
      const { bytes, contentType } = yield* read(localBuckets.clean, rejects?.key ?? "");
      assert.strictEqual(contentType, "application/x-ndjson");
      const lines: ReadonlyArray<unknown> = text(bytes)
        .trim()
        .split("\n")
        .map((line): unknown => JSON.parse(line));
      assert.lengthOf(lines, 2);
      assert.deepInclude(lines[0], { line: 22, reason: "row-too-short", raw: "short" });
      assert.deepInclude(lines[1], { line: 23, reason: "row-too-long", raw: "1,2,3" });
    }),
  );

  it.effect("that is a gzip archive of JSON lines is taken for what it holds", () =>
    Effect.gen(function* () {
      const { process } = yield* LocalWorld;
      const { row } = yield* process(
        "incoming/odd/lines.gz",
        gzipSync('{"id":12345678901234567890,"text":"é"}\n{"id":2}\n'),
      );
      const { outputs, rows } = yield* outputOf(row, "id, text");
      assert.match(outputs[0]?.key ?? "", /\/lines\.gz\.parquet$/);
      assert.deepStrictEqual(rows, [
        { id: "12345678901234567890", text: "é" },
        { id: "2", text: null },
      ]);
    }),
  );

  it.effect("that mixes CRLF and LF, with a byte-order mark, is read line by line", () =>
    Effect.gen(function* () {
      const { process } = yield* LocalWorld;
      const { row } = yield* process(
        "incoming/odd/mixed.csv",
        '\uFEFFid,text\r\n1,a\n2,"b\r\nb"\r\n3,"c\nc"\n4,d\r\n',
      );
      const { report, rows } = yield* outputOf(row, "id, text");
      assert.strictEqual(report.encodingOrigin, "bom");
      assert.deepStrictEqual(rows, [
        { id: "1", text: "a" },
        { id: "2", text: "b\r\nb" },
        { id: "3", text: "c\nc" },
        { id: "4", text: "d" },
      ]);
    }),
  );

  it.effect("with duplicate and __proto__ headers gets columns of its own for each", () =>
    Effect.gen(function* () {
      const { process } = yield* LocalWorld;
      const { row } = yield* process(
        "incoming/odd/headers.csv",
        "id,ID,__proto__,constructor,,_source_file\n1,2,3,4,5,6\n",
      );
      const { report, rows } = yield* outputOf(row, "* exclude (_processed_at, _source_file)");
      assert.deepStrictEqual(rows, [
        {
          id: "1",
          id_2: "2",
          ["__proto___column"]: "3",
          constructor_column: "4",
          column_5: "5",
          _source_file_column: "6",
        },
      ]);
      assert.lengthOf(report.renamed, 5);
    }),
  );

  it.effect("in windows-1252 is read as such, and the guess is reported", () =>
    Effect.gen(function* () {
      const { process } = yield* LocalWorld;
      const source = Buffer.from("id,name\n1,Zo\xeb \x80 5\n", "latin1");
      const { row } = yield* process("incoming/odd/1252.csv", source);
      const { report, rows } = yield* outputOf(row, "name");
      assert.deepStrictEqual(rows, [{ name: "Zoë € 5" }]);
      assert.deepInclude(report, { encoding: "windows-1252", encodingOrigin: "fallback" });
    }),
  );

  const names = [
    "a+b",
    "a%2Bb",
    "two  spaces",
    "größe 東京",
    "😀",
    "a&b=c?d#e",
    "100%",
    "back\\slash*",
  ];
  for (const name of names) {
    it.effect(`whose key holds ${JSON.stringify(name)} keeps its key all the way`, () =>
      Effect.gen(function* () {
        const { process } = yield* LocalWorld;
        const key = `incoming/keys/${name}/${name}.csv`;
        const { row, uploaded } = yield* process(key, "id\n1\n");
        const { outputs, rows } = yield* outputOf(row, "id, _source_file");
        assert.deepStrictEqual(rows, [{ id: "1", _source_file: uploaded.subject }]);
        assert.isTrue(outputs[0]?.key.startsWith(`processed/keys/${name}/`));
        assert.isTrue(outputs[0]?.key.endsWith(`/${name}.parquet`));
        const refusal = yield* process(`incoming/keys/${name}/bad ${name}.csv`, "");
        yield* assertRefused(refusal, "CsvEmpty", "");
      }),
    );
  }

  it.effect("under a key of another suffix or prefix starts nothing", () =>
    Effect.gen(function* () {
      const { handled, process, upload } = yield* LocalWorld;
      for (const key of ["incoming/a.txt", "other/a.csv", "incoming/a.csv.bak"]) {
        yield* upload(key, "id\n1\n");
      }
      yield* process("incoming/later.csv", "id\n1\n");
      const keys = handled.map(({ subject }) => subject.slice(0, subject.lastIndexOf("@")));
      for (const key of ["incoming/a.txt", "other/a.csv", "incoming/a.csv.bak"]) {
        assert.notInclude(keys, `${localBuckets.raw}/${key}`);
      }
    }),
  );
});
