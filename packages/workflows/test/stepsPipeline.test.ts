/**
 * Goal: a pipeline's own steps run over each row that is left, typed, in their order; what a step does not take is rejected
 * under its name; a file in parts comes to the same rows, and whatever is repeated reads the same version of its table.
 * Method: the workflow on Effect's engine over a store in memory that keeps versions.
 */
import { ObjectStore, ObjectStoreUnavailable } from "@millrace/core";
import { assert, describe, it } from "@effect/vitest";
import { Clock, Effect, Layer, Result, Schema, Stream } from "effect";
import { readFileSync } from "node:fs";
import { Column, type CsvPipelineOptions, referenceStep } from "../src/index.ts";
import { salesOptions } from "./examples/salesSteps.ts";
import { executeCsv } from "./executeCsv.ts";
import { makeMemoryStore } from "./memoryStore.ts";
import { standingClock } from "./standingClock.ts";
import { queryDuckDb } from "./support.ts";

const tableKey = "reference/countries.csv";
const countries = "code,country_name,continent\nde,Deutschland,Europe\nse,Sverige,Europe\n";

interface World {
  readonly options: CsvPipelineOptions;
  readonly content: string;
  /** None: it is not there. */
  readonly table?: string;
  /** Fails the first completion of such a key, and puts another version of the table in place. */
  readonly failing?: RegExp;
}

/** Keeps all versions of the table, and says which of them were read. */
const versionedStore = ({ failing, table }: World) => {
  const { objects, store } = makeMemoryStore();
  const versions = table === undefined ? [] : [table];
  const read: Array<string> = [];
  let left = failing === undefined ? 0 : 1;
  const layer = Layer.effect(
    ObjectStore,
    Effect.map(ObjectStore, (inner) =>
      ObjectStore.of({
        ...inner,
        newest: (at) =>
          at.key === tableKey && versions.length > 0
            ? Effect.succeed({ ...at, etag: "e", versionId: `v${versions.length}` })
            : inner.newest(at),
        read: (ref, range) => {
          if (ref.key !== tableKey) return inner.read(ref, range);
          read.push(ref.versionId ?? "none");
          const at = Number(ref.versionId?.slice(1)) - 1;
          return Stream.make(Buffer.from(versions[at] ?? ""));
        },
        writer: (target) =>
          Effect.map(inner.writer(target), (writer) => ({
            ...writer,
            complete: Effect.suspend(() => {
              if (left === 0 || failing?.test(target.key) !== true) return writer.complete;
              left -= 1;
              versions.push("code,country_name\nde,CHANGED\nse,CHANGED\n");
              const { bucket, key } = target;
              return Effect.fail(
                new ObjectStoreUnavailable({ bucket, key, operation: "write", cause: "slow down" }),
              );
            }),
          })),
      }),
    ),
  ).pipe(Layer.provide(store));
  return { layer, objects, read };
};

const runPipeline = (world: World) =>
  Effect.gen(function* () {
    const { layer, objects, read } = versionedStore(world);
    const bytes = Buffer.from(world.content);
    const key = "incoming/sales.csv";
    objects.set(`raw/${key}`, { bytes, contentType: "text/csv" });
    const exit = yield* executeCsv({
      store: layer,
      key,
      sizeBytes: bytes.length,
      options: world.options,
      version: 3,
    }).pipe(Effect.provideServiceEffect(Clock.Clock, standingClock));
    return { exit, objects, read };
  });

const sales = `id,country,gross\n${Array.from({ length: 250 }, (_, index) =>
  [
    index,
    index % 50 === 7 ? "xx" : index % 2 === 0 ? "de" : "se",
    index === 99 ? -1 : index,
  ].join(),
).join("\n")}\n`;

const wanted = Array.from({ length: 250 }, (_, index) => index)
  .filter((index) => index % 50 !== 7 && index !== 99)
  .map((id) => ({
    id: String(id),
    net: Math.round((id / 1.19) * 100) / 100,
    country_name: id % 2 === 0 ? "Deutschland" : "Sverige",
  }));

const allRows = (objects: ReadonlyMap<string, { readonly bytes: Uint8Array }>) =>
  Effect.forEach(
    [...objects]
      .filter(([name]) => name.endsWith(".parquet"))
      .toSorted(([one], [other]) => (one < other ? -1 : 1)),
    ([, { bytes }]) =>
      queryDuckDb(bytes, "select id::varchar id, net, country_name from FILE order by id::int"),
  ).pipe(Effect.map((parts) => parts.flat()));

const figures = (rowsRejected: number) => ({
  name: "country-name",
  stage: "enrich" as const,
  rowsIn: 249,
  rowsOut: 249 - rowsRejected,
  rowsRejected,
});

describe("the steps of a pipeline", () => {
  it("are shown in docs/data.md as they are tested here", () => {
    const text = readFileSync(new URL("examples/salesSteps.ts", import.meta.url), "utf8");
    const docs = readFileSync(new URL("../../../docs/data.md", import.meta.url), "utf8");
    const lines = text.split("\n").slice(1).join("\n").trim();
    assert.include(docs.replaceAll(/^ {4}/gm, ""), lines);
  });

  it.effect("join a table and add columns; what they refuse is rejected under their names", () =>
    Effect.gen(function* () {
      const { exit, objects, read } = yield* runPipeline({
        options: salesOptions,
        content: sales,
        table: countries,
      });
      assert(exit._tag === "Success");
      const { report } = exit.success;
      assert.deepStrictEqual(yield* allRows(objects), wanted);
      const { clean, enrich, transform, validate } = report.stages;
      assert.deepStrictEqual(
        [validate.rowsOut, validate.rowsRejected, clean.rowsOut, transform.rows, enrich.rows],
        [250, 0, 250, 249, 244],
      );
      assert.deepStrictEqual(transform.steps, [
        { name: "net-amount", stage: "transform", rowsIn: 250, rowsOut: 249, rowsRejected: 1 },
      ]);
      const reference = { reference: `raw/${tableKey}@v1`, referenceRows: 2 };
      assert.deepStrictEqual(enrich.steps, [{ ...figures(5), ...reference }]);
      assert.deepStrictEqual(enrich.columns, [
        "net",
        "country_name",
        "_processed_at",
        "_source_file",
      ]);
      assert.deepStrictEqual(read, ["v1"]);
      const rejects = Buffer.from(
        objects.get("clean/processed/2026/11/20/sales.parquet.rejects.csv")?.bytes ?? [],
      ).toString();
      assert.include(
        rejects,
        `101,"","step:net-amount","gross is less than zero","99,se,'-1",false`,
      );
      assert.include(
        rejects,
        `9,"","step:country-name","the reference table has no such code","7,xx,7",false`,
      );
    }),
  );

  it.live(
    "come to the same in parts, also when a part is repeated after the table was changed",
    () =>
      Effect.gen(function* () {
        const options = { ...salesOptions, partRows: 100, partsAboveBytes: 100 };
        const plain = yield* runPipeline({ options, content: sales, table: countries });
        const failing = /part-00002\.parquet$/;
        const repeated = yield* runPipeline({ options, content: sales, table: countries, failing });
        for (const { exit, objects } of [plain, repeated]) {
          assert(exit._tag === "Success");
          assert.deepStrictEqual(yield* allRows(objects), wanted);
          assert.deepStrictEqual(
            exit.success.report.parts.map(({ rows }) => rows),
            [100, 100, 44],
          );
          assert.deepInclude(exit.success.report.stages.enrich.steps?.[0], figures(5));
        }
        assert.deepStrictEqual([plain.read, repeated.read], [["v1"], ["v1", "v1"]]);
      }),
  );

  it.effect("leave the file to the stream engine, which says why", () =>
    Effect.gen(function* () {
      const options = { ...salesOptions, partsAboveBytes: 100, engine: "duckdb" as const };
      const { exit } = yield* runPipeline({ options, content: sales, table: countries });
      assert(exit._tag === "Success");
      assert.deepStrictEqual(exit.success.report.engine, {
        name: "stream",
        reason: "the pipeline has steps: net-amount, country-name",
      });
    }),
  );

  it.effect.each([
    ["is not there", undefined, "is gone"],
    ["has a row that does not fit", "code,country_name\nde\n", "line 2: 1 cells"],
    ["lacks a column", "code\nde\n", "country_name"],
    ["is no text", "\u0000\u0001\u0002", "not a text file"],
  ] as const)("fail when the table %s, and the file is not quarantined", ([, table, detail]) =>
    Effect.gen(function* () {
      const { exit, objects } = yield* runPipeline({
        options: salesOptions,
        content: sales,
        ...(table !== undefined && { table }),
      });
      assert(exit._tag === "Failure");
      assert.strictEqual(exit.failure._tag, "ReferenceInvalid");
      assert.include(exit.failure.message, detail);
      assert.deepStrictEqual([...objects.keys()], ["raw/incoming/sales.csv"]);
    }),
  );

  it.effect("with a table of their own make of it what they need, once", () =>
    Effect.gen(function* () {
      let prepared = 0;
      const rank = referenceStep({
        name: "rank",
        input: Schema.Struct({ country: Column.text }),
        output: Schema.Struct({ rank: Schema.NullOr(Column.int32) }),
        reference: {
          key: tableKey,
          rows: Schema.Struct({ code: Column.text, rank: Column.int32 }),
        },
        prepare: (rows) => {
          prepared += 1;
          const ranks = new Map(rows.map(({ code, rank }) => [code, rank]));
          return ({ country }) => Result.succeed({ rank: ranks.get(country) ?? null });
        },
      });
      const { exit, objects } = yield* runPipeline({
        options: { steps: [rank] },
        content: "country\nde\nxx\nse\n",
        table: "code,rank\nde,1\nse,2\n",
      });
      assert(exit._tag === "Success");
      assert.strictEqual(prepared, 1);
      const file = objects.get("clean/processed/2026/11/20/sales.parquet");
      assert.deepStrictEqual(
        yield* queryDuckDb(file?.bytes ?? new Uint8Array(), "select country, rank from FILE"),
        [
          { country: "de", rank: 1 },
          { country: "xx", rank: null },
          { country: "se", rank: 2 },
        ],
      );
    }),
  );
});
