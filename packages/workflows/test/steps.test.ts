/**
 * Goal: a step gets and gives typed values, exactly; what it does not take is rejected under its name; steps that do not go
 * together are refused before any file comes.
 * Method: the pass in memory, read back by DuckDB.
 */
import { assert, describe, it } from "@effect/vitest";
import { BigDecimal, DateTime, Effect, Layer, Result, Schema } from "effect";
import {
  Buckets,
  Column,
  type CsvPipelineOptions,
  joinReference,
  planCsvPipeline,
  rowStep,
} from "../src/index.ts";
import { openSteps } from "../src/steps/openSteps.ts";
import { salesOptions } from "./examples/salesSteps.ts";
import { makeMemoryStore } from "./memoryStore.ts";
import { queryDuckDb, run } from "./support.ts";

const tableKey = "reference/countries.csv";

/** The pass alone, with steps that have no table. */
const pass = (text: string, options: CsvPipelineOptions) =>
  Effect.gen(function* () {
    const plan = yield* Effect.fromResult(planCsvPipeline(options));
    const rowSteps = yield* openSteps(plan.steps ?? [], []);
    return yield* run(text, { ...plan, rejectsFormat: "ndjson", rowSteps });
  }).pipe(
    Effect.provide(
      Layer.merge(
        makeMemoryStore().store,
        Layer.succeed(Buckets, { raw: "r", clean: "c", errors: "e" }),
      ),
    ),
  );

const everyKind = Schema.Struct({
  t: Column.text,
  b: Column.boolean,
  i: Column.int32,
  l: Column.int64,
  d: Column.double,
  m: Column.decimal(20, 4),
  day: Column.date,
  at: Column.timestamp,
  j: Column.json,
});

const reading = (name: string, field: Schema.Struct.Fields[string]) =>
  joinReference({
    name,
    on: { row: "country", table: "code" },
    key: field,
    reference: { key: tableKey },
    adds: { country_name: Column.text },
  });

describe("a step", () => {
  it.effect("gets and gives values of every type, exactly", () =>
    Effect.gen(function* () {
      const same = rowStep({
        name: "same",
        input: everyKind,
        output: Schema.Struct({
          ...everyKind.fields,
          next: Column.int64,
          half: Column.decimal(20, 4),
          later: Column.date,
        }),
        run: (row) =>
          Result.succeed({
            ...row,
            next: row.l + 1n,
            half: BigDecimal.multiply(row.m, BigDecimal.fromStringUnsafe("0.5")),
            later: DateTime.add(row.day, { days: 1 }),
          }),
      });
      const line = `é,true,-2147483648,9223372036854775806,1.5,1234567890123456.0002,1969-12-31,1969-12-31T23:59:59.999Z,"{""a"":[1]}"`;
      const text = `t,b,i,l,d,m,day,at,j\n${line}\n`;
      const plain = yield* pass(text, { schema: everyKind });
      const stepped = yield* pass(text, { schema: everyKind, steps: [same] });
      const all = `select t, b, i, l::varchar l, d, m::varchar m, "day"::varchar as dy, epoch_ms("at")::varchar as a, j from FILE`;
      assert.deepStrictEqual(
        yield* queryDuckDb(stepped.file, all),
        yield* queryDuckDb(plain.file, all),
      );
      assert.deepStrictEqual(
        yield* queryDuckDb(
          stepped.file,
          "select next::varchar n, half::varchar h, later::varchar l from FILE",
        ),
        [{ n: "9223372036854775807", h: "617283945061728.0001", l: "1970-01-01" }],
      );
    }),
  );

  it.effect("may replace a column, which the next step sees", () =>
    Effect.gen(function* () {
      const trim = rowStep({
        name: "trim",
        input: Schema.Struct({ name: Column.text }),
        output: Schema.Struct({ name: Column.text }),
        run: ({ name }) => Result.succeed({ name: name.trim() }),
      });
      const length = rowStep({
        name: "length",
        input: Schema.Struct({ name: Column.text }),
        output: Schema.Struct({ name_length: Column.int32 }),
        run: ({ name }) => Result.succeed({ name_length: name.length }),
      });
      const { file, report } = yield* pass("Id,Name\n1, ann \n2,bo\n", { steps: [trim, length] });
      assert.deepStrictEqual(yield* queryDuckDb(file, "select id, name, name_length from FILE"), [
        { id: "1", name: "ann", name_length: 3 },
        { id: "2", name: "bo", name_length: 2 },
      ]);
      assert.deepStrictEqual(
        report.columns.map(({ name }) => name),
        ["id", "name", "name_length", "_processed_at", "_source_file"],
      );
    }),
  );

  it.effect(
    "rejects a row that it throws for, whose cells it does not take, or whose result does not fit",
    () =>
      Effect.gen(function* () {
        const odd = rowStep({
          name: "odd",
          input: Schema.Struct({ n: Column.int32 }),
          output: Schema.Struct({ m: Column.decimal(3, 1) }),
          run: ({ n }) => {
            if (n === 1) throw new RangeError("secret");
            return Result.succeed({ m: BigDecimal.fromStringUnsafe(n === 2 ? "1.25" : `${n}.5`) });
          },
        });
        const { rejects, report } = yield* pass("n\n1\n2\nthree\n99\n100\n", { steps: [odd] });
        assert.deepStrictEqual(
          rejects.map((reject) => JSON.stringify(reject)),
          [
            `{"line":2,"reason":"step:odd","detail":"it threw RangeError","raw":"1","cut":false}`,
            `{"line":3,"reason":"step:odd","detail":"its result does not fit the column \\"m\\"","raw":"2","cut":false}`,
            `{"line":4,"reason":"step:odd","column":"n","detail":"column \\"n\\" takes a whole number of 32 bits","raw":"three","cut":false}`,
            `{"line":6,"reason":"step:odd","detail":"its result does not fit the column \\"m\\"","raw":"100","cut":false}`,
          ],
        );
        assert.strictEqual(report.rowsIn, report.rowsOut + report.rowsRejected);
      }),
  );

  it.effect("makes a file invalid that lacks its columns, or of which it leaves no row", () =>
    Effect.gen(function* () {
      const none = rowStep({
        name: "none",
        input: Schema.Struct({ n: Column.text }),
        output: Schema.Struct({ m: Column.text }),
        run: () => Result.fail("never"),
      });
      const missing = yield* Effect.flip(pass("x\n1\n", { steps: [none] }));
      const empty = yield* Effect.flip(pass("n\n1\n1\n", { steps: [none] }));
      assert.deepStrictEqual(
        [missing._tag, empty._tag],
        ["CsvColumnsMissing", "CsvTooManyRejects"],
      );
    }),
  );

  it("is refused when it does not go with the schema or with other steps", () => {
    const { schema } = salesOptions;
    const found = [
      { schema, steps: [reading("Bad Name", Column.text)] },
      { schema, steps: [reading("a", Column.text), reading("a", Column.text)] },
      { schema, steps: [reading("a", Column.int32)] },
      { schema: Schema.Struct({ id: Column.int64 }), steps: [reading("a", Column.text)] },
      { schema, steps: [reading("a", Schema.Array(Schema.String))] },
    ].map((options) => {
      const planned = planCsvPipeline(options);
      return Result.isFailure(planned) ? planned.failure.message : "nothing";
    });
    for (const [index, words] of [
      "lower-case letters",
      "another step has its name",
      "as int32, which is text",
      "which neither the schema nor a step before it has",
      "cannot be a column",
    ].entries())
      assert.include(found[index], words);
  });
});
