/**
 * Goal: the pass keeps every row that is good, accounts for every row that is not, and says no to what is no CSV.
 * Method: small files by hand, read back by DuckDB and hyparquet.
 */
import { assert, describe, it } from "@effect/vitest";
import { Effect } from "effect";
import { bytesOf, chunked, queryDuckDb, readHyparquet, run } from "./support.ts";

const failureOf = (...input: Parameters<typeof run>) => Effect.flip(run(...input));

describe("a good file", () => {
  it.effect("becomes typed columns, enriched, with names normalised", () =>
    Effect.gen(function* () {
      const { file, report } = yield* run(
        " Order ID ,Fecha Alta,City\n1,2023-02-28,東京\n2,1969-12-31T23:30:00-01:00,\n",
      );
      const rows = yield* queryDuckDb(
        file,
        "select *, typeof(fecha_alta) t from FILE order by order_id",
      );
      assert.deepStrictEqual(rows[0], {
        order_id: "1",
        fecha_alta: "2023-02-28 00:00:00+00",
        city: "東京",
        _processed_at: "2026-11-20 12:30:00+00",
        _source_file: "raw/in.csv@1",
        t: "TIMESTAMP WITH TIME ZONE",
      });
      assert.strictEqual(rows[1]?.["fecha_alta"], "1970-01-01 00:30:00+00");
      assert.strictEqual(rows[1]?.["city"], null);
      assert.strictEqual(report.rowsOut, 2);
      assert.deepStrictEqual(
        report.columns.map((column) => column.kind),
        ["text", "timestamp", "text", "timestamp", "text"],
      );
    }),
  );

  it.effect("drops blank rows and exact duplicates, first wins, and counts them", () =>
    Effect.gen(function* () {
      const { file, report } = yield* run("a,b\n1,x\n,\n2,y\n\n1,x\n1,x \n,\n");
      const rows = yield* readHyparquet(file);
      assert.deepStrictEqual(
        rows.map((row) => [row["a"], row["b"]]),
        [
          ["1", "x"],
          ["2", "y"],
          ["1", "x "],
        ],
      );
      assert.strictEqual(report.rowsIn, 6);
      assert.strictEqual(report.duplicates, 1);
      assert.strictEqual(report.blankRows, 2);
      assert.strictEqual(report.stages.validate.emptyLines, 1);
      assert.strictEqual(
        report.rowsIn,
        report.rowsOut + report.duplicates + report.blankRows + report.rowsRejected,
      );
    }),
  );

  it.effect("tells apart rows whose cells only join to the same text", () =>
    Effect.gen(function* () {
      const { report } = yield* run("a,b\nx,yz\nxy,z\n");
      assert.strictEqual(report.rowsOut, 2);
    }),
  );

  it.effect("keeps duplicates when told to", () =>
    Effect.gen(function* () {
      const { report } = yield* run("a\n1\n1\n", { duplicates: "none" });
      assert.strictEqual(report.rowsOut, 2);
    }),
  );

  it.effect("nulls dates that no calendar has and counts them per column", () =>
    Effect.gen(function* () {
      const { file, report } = yield* run("id,date\n1,2023-02-30\n2,\n3,2024-02-29\n4,soon\n");
      const rows = yield* queryDuckDb(file, "select id, date from FILE order by id");
      assert.deepStrictEqual(
        rows.map((row) => row["date"]),
        [null, null, "2024-02-29 00:00:00+00", null],
      );
      assert.strictEqual(report.nullDates, 2);
      assert.deepStrictEqual(report.stages.transform.dateColumns, [
        { name: "date", parsed: 1, unparsable: 2, empty: 1 },
      ]);
    }),
  );

  it.effect("with only a header is valid: columns and no rows", () =>
    Effect.gen(function* () {
      for (const encoder of ["hyparquet-writer", "parquetjs-lite"] as const) {
        const { file, report } = yield* run("a,b\n", {}, encoder);
        assert.strictEqual(report.rowsOut, 0);
        assert.deepStrictEqual(yield* queryDuckDb(file, "select count(*)::int n from FILE"), [
          { n: 0 },
        ]);
        const columns = yield* queryDuckDb(file, "describe select * from FILE");
        assert.deepStrictEqual(
          columns.map((column) => column["column_name"]),
          ["a", "b", "_processed_at", "_source_file"],
        );
      }
    }),
  );

  it.effect("may mix CRLF, LF and CR, hold line breaks in cells and lack a last line end", () =>
    Effect.gen(function* () {
      const { file, report } = yield* run('a,b\r\n1,"x\r\ny"\n2,z\r3,"q""r"');
      const rows = yield* readHyparquet(file);
      assert.deepStrictEqual(
        rows.map((row) => row["b"]),
        ["x\r\ny", "z", 'q"r'],
      );
      assert.strictEqual(report.rowsRejected, 0);
    }),
  );

  it.effect(
    "may have duplicate, reserved and empty column names: they are renamed and reported",
    () =>
      Effect.gen(function* () {
        const { file, report } = yield* run(
          "A,a,__proto__,constructor,,_source_file,a_2\n1,2,3,4,5,6,7\n",
        );
        const [row] = yield* readHyparquet(file);
        assert.deepStrictEqual(Object.keys(row ?? {}).slice(0, 7), [
          "a",
          "a_3",
          "__proto___column",
          "constructor_column",
          "column_5",
          "_source_file_column",
          "a_2",
        ]);
        assert.deepStrictEqual(
          report.renamed.map((one) => [one.position, one.reason]),
          [
            [2, "duplicate"],
            [3, "reserved"],
            [4, "reserved"],
            [5, "empty"],
            [6, "reserved"],
          ],
        );
        assert.strictEqual(row?.["_source_file"], "raw/in.csv@1");
      }),
  );

  it.effect("is cut into parts of so many rows", () =>
    Effect.gen(function* () {
      const { files, report } = yield* run(
        `a\n${Array.from({ length: 25 }, (_, i) => i).join("\n")}\n`,
        { partRowsMax: 10 },
      );
      assert.deepStrictEqual(
        report.parts.map((part) => part.rows),
        [10, 10, 5],
      );
      const counts = yield* Effect.forEach(files, (file) =>
        Effect.map(readHyparquet(file), (rows) => rows.length),
      );
      assert.deepStrictEqual(counts, [10, 10, 5]);
      assert.strictEqual(
        report.bytesOut,
        files.reduce((sum, file) => sum + file.length, 0),
      );
    }),
  );
});

describe("encodings", () => {
  const text = "name,note\nZoë,“smart” €\nJosé,é\n";
  const windows1252 = Buffer.from("name,note\nZo\xeb,\x93smart\x94 \x80\nJos\xe9,\xe9\n", "latin1");
  const utf16 = Buffer.from(`\uFEFF${text}`, "utf16le");
  const cases: ReadonlyArray<readonly [string, Uint8Array, string, string]> = [
    ["UTF-8", bytesOf(text), "utf-8", "content"],
    ["UTF-8 with a byte-order mark", bytesOf(`\uFEFF${text}`), "utf-8", "bom"],
    ["UTF-16 LE with a byte-order mark", utf16, "utf-16le", "bom"],
    ["UTF-16 BE with a byte-order mark", Buffer.from(utf16).swap16(), "utf-16be", "bom"],
    ["windows-1252, found by itself", windows1252, "windows-1252", "fallback"],
  ];
  for (const [name, bytes, encoding, origin] of cases) {
    it.effect(`${name}: the text survives, in chunks of any size`, () =>
      Effect.gen(function* () {
        for (const size of [1, 2, 3, 7, 1000]) {
          const { file, report } = yield* run(chunked(bytes, size));
          const rows = yield* readHyparquet(file);
          assert.deepStrictEqual(
            rows.map((row) => row["note"]),
            ["“smart” €", "é"],
          );
          assert.strictEqual(report.encoding, encoding);
          assert.strictEqual(report.encodingOrigin, origin);
        }
      }),
    );
  }

  it.effect("a declared encoding wins over detection", () =>
    Effect.gen(function* () {
      const { report, file } = yield* run(windows1252, { encoding: "windows-1252" });
      assert.strictEqual(report.encodingOrigin, "declared");
      assert.strictEqual((yield* readHyparquet(file))[0]?.["name"], "Zoë");
    }),
  );

  it.effect(
    "a broken byte in UTF-8 ends the file and names its place; nothing becomes U+FFFD",
    () =>
      Effect.gen(function* () {
        const bytes = Buffer.concat([
          bytesOf("a\né\n".repeat(50_000)),
          Buffer.from([0xff]),
          bytesOf("\n"),
        ]);
        const failure = yield* failureOf(chunked(bytes, 1000));
        assert(failure._tag === "CsvUndecodable");
        assert.strictEqual(failure.byteOffset, 250_000);
      }),
  );
});

describe("quotes", () => {
  it.effect("may be single ones, or none", () =>
    Effect.gen(function* () {
      const single = yield* run(`a;b\n'x;''y''';"1\n'q'z;2\n`, { quote: "'" });
      assert.deepStrictEqual(
        (yield* readHyparquet(single.file)).map((row) => [row["a"], row["b"]]),
        [["x;'y'", '"1']],
      );
      assert.strictEqual(single.report.rowsRejected, 1);
      const open = yield* Effect.flip(run("a,b\n'x,1\n", { quote: "'" }));
      assert.strictEqual(open._tag, "CsvQuoteUnclosed");
      const none = yield* run(`"a,b\n"x,'\n"y"z,""\n`, { quote: "none" });
      assert.deepStrictEqual(
        (yield* readHyparquet(none.file)).map((row) => [row['"a'], row["b"]]),
        [
          ['"x', "'"],
          ['"y"z', '""'],
        ],
      );
    }),
  );
});

describe("rejected rows", () => {
  it.effect("keep line, reason and raw text, and cost no good row", () =>
    Effect.gen(function* () {
      const { file, rejects, report } = yield* run(
        'a,b\n1,"two\nlines"\nshort\n2,x\n1,2,3\n"x"y,4\n"q"z,5\n3,5" pipe\n',
      );
      assert.deepStrictEqual(rejects, [
        {
          line: 4,
          reason: "row-too-short",
          detail: "1 cells, the header has 2",
          raw: "short",
          cut: false,
        },
        {
          line: 6,
          reason: "row-too-long",
          detail: "3 cells, the header has 2",
          raw: "1,2,3",
          cut: false,
        },
        {
          line: 7,
          reason: "stray-quote",
          detail: "text stands behind a closing quote",
          raw: '"x"y,4',
          cut: false,
        },
        {
          line: 8,
          reason: "stray-quote",
          detail: "text stands behind a closing quote",
          raw: '"q"z,5',
          cut: false,
        },
      ]);
      const rows = yield* readHyparquet(file);
      assert.deepStrictEqual(
        rows.map((row) => [row["a"], row["b"]]),
        [
          ["1", "two\nlines"],
          ["2", "x"],
          ["3", '5" pipe'],
        ],
      );
      assert.strictEqual(report.rowsIn, 7);
      assert.strictEqual(report.rowsRejected, 4);
    }),
  );

  it.effect("an open quote that meets a later one loses its own line only", () =>
    Effect.gen(function* () {
      const { rejects, report } = yield* run('a,b\n"open,1\n2,x\n3,y\n4,"z"\n5,w\n');
      assert.strictEqual(report.rowsOut, 4);
      assert.strictEqual(rejects.length, 1);
    }),
  );

  it.effect("thousands of broken lines in a row cost no more than their size", () =>
    Effect.gen(function* () {
      const good = "1,2\n".repeat(100_000);
      const { report } = yield* run(`a,b\n${good}${'"x"y,2\n'.repeat(9000)}`, {
        duplicates: "none",
      });
      assert.strictEqual(report.rowsRejected, 9000);
      assert.strictEqual(report.rowsOut, 100_000);
    }),
  );

  it.effect("are the same however the file is chunked, and so is the Parquet", () =>
    Effect.gen(function* () {
      const bytes = bytesOf(
        `a,b,date\n${Array.from({ length: 400 }, (_, i) => (i % 50 === 7 ? `"x"${i},1,2\r` : i % 60 === 9 ? "short\n" : `${i},"é\r\n${i}",2020-01-0${(i % 9) + 1}\r\n`)).join("")}`,
      );
      const whole = yield* run(bytes);
      for (const size of [1, 2, 5, 64, 1009]) {
        const again = yield* run(chunked(bytes, size));
        assert.deepStrictEqual(again.rejects, whole.rejects);
        assert.isTrue(Buffer.from(again.file).equals(whole.file));
        assert.deepStrictEqual(again.report, whole.report);
      }
      assert.isAbove(whole.report.rowsRejected, 10);
    }),
  );

  it.effect("are bounded: a long row is cut, a NUL behind the first look is a reject", () =>
    Effect.gen(function* () {
      const filler = Array.from({ length: 10_000 }, (_, i) => `${i},plain`).join("\n");
      const { rejects } = yield* run(`a,b\n${filler}\n${"w".repeat(9000)}\n1,x\0y\n`);
      assert.deepInclude(rejects[0], { reason: "row-too-short", raw: "w".repeat(4096), cut: true });
      assert.deepInclude(rejects[1], { reason: "nul-character", line: 10_003 });
    }),
  );
});

describe("an invalid file", () => {
  const cases: ReadonlyArray<readonly [string, Uint8Array | string, string]> = [
    ["is empty", "", "CsvEmpty"],
    ["holds only a byte-order mark", "\uFEFF", "CsvEmpty"],
    ["holds only line ends", "\n\r\n\n", "CsvEmpty"],
    ["has a blank header", " , ,\n1,2,3\n", "CsvNoColumns"],
    ["has a broken header", '"a"b,c\n1,2\n', "CsvHeaderBroken"],
    ["has too many columns", `${"c,".repeat(10_001)}c\n1\n`, "CsvTooManyColumns"],
    ["is a zip", Buffer.from([0x50, 0x4b, 3, 4, 20, 0, 0, 0]), "CsvNotText"],
    ["is a broken gzip", Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0]), "CsvNotInflatable"],
    ["is UTF-16 without a mark", Buffer.from("a,b\n1,2\n", "utf16le"), "CsvNotText"],
    ["is in no encoding we know", Buffer.from([0x61, 0x0a, 0x81, 0x0a]), "CsvUndecodable"],
    [
      "ends inside a UTF-16 unit",
      Buffer.concat([Buffer.from("\uFEFFa\n1", "utf16le"), Buffer.from([65])]),
      "CsvUndecodable",
    ],
    ["ends in an open quote", 'a,b\n1,2\n3,"x\n4,5\n', "CsvQuoteUnclosed"],
    ["is one endless line", `a,b\n1,${"x".repeat(2_000_000)}`, "CsvRecordTooLong"],
    ["lost every row", "a,b\n1\n2\n", "CsvTooManyRejects"],
    ["lost too many rows", `a,b\n${"1\n".repeat(101)}${"1,2\n".repeat(10)}`, "CsvTooManyRejects"],
  ];
  for (const [name, content, tag] of cases) {
    it.effect(`that ${name} fails with ${tag}, naming the object and the way out`, () =>
      Effect.gen(function* () {
        const failure = yield* failureOf(content);
        assert.strictEqual(failure._tag, tag);
        assert.include(failure.message, "raw/in.csv");
        assert.match(failure.message, /\. [A-Z].*\.$/);
      }),
    );
  }

  it.effect("with a quote that stays open over 50 MB ends after a megabyte", () =>
    Effect.gen(function* () {
      const block = bytesOf("12345,abcdefgh\n".repeat(16_384));
      let given = 0;
      const blocks = {
        *[Symbol.iterator]() {
          yield bytesOf('id,name\n1,a\n2,"b\n');
          for (; given < 50 * 1024 * 1024; given += block.length) yield block;
        },
      };
      const failure = yield* failureOf(blocks);
      assert(failure._tag === "CsvQuoteUnclosed");
      assert.strictEqual(failure.line, 3);
      assert.isBelow(given, 2 * 1024 * 1024);
    }),
  );
});
