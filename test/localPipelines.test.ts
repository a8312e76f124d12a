/**
 * Goal: a file goes in and the right result comes out, once, through everything that stands in between.
 * Method: a whole local mode; real data sets; expectations computed from the source alone, read back by two readers.
 */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { DescribeTimeToLiveCommand } from "@aws-sdk/client-dynamodb";
import { GetCommand } from "@aws-sdk/lib-dynamodb";
import { assert, layer } from "@effect/vitest";
import { localBuckets, localTables } from "@millrace/local";
import { tables } from "@millrace/functions/tables";
import { pipelines } from "@millrace/workflows/topology";
import { parse } from "csv-parse/sync";
import { Effect, Schema } from "effect";
import sharp from "sharp";
import { eventOf, startReplay } from "./events.ts";
import { layerLocalWorld, LocalWorld } from "./LocalWorld.ts";
import { queryDuckDb, readHyparquet } from "./parquetReaders.ts";

const dataset = (name: string): Buffer => {
  const entry = fileURLToPath(import.meta.resolve("vega-datasets"));
  return readFileSync(join(dirname(dirname(entry)), "data", name));
};

const Transformed = Schema.Struct({
  outputs: Schema.Array(Schema.Struct({ bucket: Schema.String, key: Schema.String })),
  report: Schema.Struct({
    rowsIn: Schema.Int,
    rowsOut: Schema.Int,
    rowsRejected: Schema.Int,
    duplicates: Schema.Int,
    blankRows: Schema.Int,
  }),
});
const decodeTransformed = Schema.decodeUnknownEffect(Transformed);

const Rendered = Schema.Struct({
  sizes: Schema.Array(Schema.Struct({ box: Schema.String, key: Schema.String })),
});
const decodeRendered = Schema.decodeUnknownEffect(Rendered);

const records = Schema.decodeUnknownSync(Schema.Array(Schema.Record(Schema.String, Schema.String)));

/** What D1.6 makes of a CSV text whose dates are all ISO: computed here with csv-parse alone. */
const expectedRows = (text: string) => {
  const rows = records(
    parse(text, { columns: (header: ReadonlyArray<string>) => header.map(columnName), bom: true }),
  );
  const seen = new Set<string>();
  return rows
    .filter((row) => {
      const identity = JSON.stringify(Object.values(row));
      const isNew = !seen.has(identity);
      seen.add(identity);
      return isNew && Object.values(row).some((cell) => cell !== "");
    })
    .map((row) =>
      Object.fromEntries(
        Object.entries(row).map(([name, cell]) => [name, expectedCell(name, cell)]),
      ),
    );
};

const columnName = (name: string) => name.trim().toLowerCase().replaceAll(/\s/g, "_");

const expectedCell = (name: string, cell: string): string | null => {
  if (cell === "") return null;
  return name.includes("date") || name.includes("fecha") ? new Date(cell).toISOString() : cell;
};

/** Times as ISO texts, everything else as it is. */
const asText = (column: string): string =>
  /date|_processed_at/.test(column)
    ? `strftime("${column}", '%Y-%m-%dT%H:%M:%S.%gZ') as "${column}"`
    : `"${column}"`;

const world = layerLocalWorld({ timeoutSeconds: 30 });

layer(world, { timeout: "60 seconds", excludeTestServices: true })("local mode", (it) => {
  for (const name of ["seattle-weather.csv", "airports.csv"]) {
    it.effect(`${name} becomes Parquet with every row and value of the source`, () =>
      Effect.gen(function* () {
        const { process, read, versions } = yield* LocalWorld;
        const source = dataset(name);
        const expected = expectedRows(source.toString("utf8"));
        const { row, uploaded } = yield* process(`incoming/public/${name}`, source);
        assert.strictEqual(row.status, "completed");
        const { outputs, report } = yield* decodeTransformed(row.result);
        assert.strictEqual(report.rowsOut, expected.length);
        assert.strictEqual(
          report.rowsIn,
          report.rowsOut + report.rowsRejected + report.duplicates + report.blankRows,
        );
        const day = new Date(row.startedEpochMs).toISOString().slice(0, 10).replaceAll("-", "/");
        const key = `processed/public/${day}/${name.replace(".csv", ".parquet")}`;
        assert.deepStrictEqual(outputs, [{ bucket: localBuckets.clean, key }]);
        const { bytes, contentType } = yield* read(localBuckets.clean, key);
        assert.strictEqual(contentType, "application/vnd.apache.parquet");

        const added = {
          _processed_at: new Date(row.startedEpochMs).toISOString(),
          _source_file: uploaded.subject,
        };
        const enriched = expected.map((cells) => Object.assign(cells, added));
        const byHyparquet = yield* readHyparquet(bytes);
        // JSON turns hyparquet's dates into the ISO texts that are expected, and changes nothing else.
        assert.deepStrictEqual(JSON.parse(JSON.stringify(byHyparquet)), enriched);

        const columns = Object.keys(enriched[0] ?? {});
        const byDuckDb = yield* queryDuckDb(
          bytes,
          `select ${columns.map(asText).join(", ")} from FILE`,
        );
        assert.deepStrictEqual(byDuckDb, enriched);
        const types = yield* queryDuckDb(
          bytes,
          "select column_name, column_type from (describe select * from FILE)",
        );
        assert.deepStrictEqual(
          types,
          columns.map((column_name) => ({
            column_name,
            column_type: /date|_processed_at/.test(column_name)
              ? "TIMESTAMP WITH TIME ZONE"
              : "VARCHAR",
          })),
        );
        assert.lengthOf(yield* versions(localBuckets.clean, key), 1);
      }),
    );
  }

  it.effect("a query by value finds text beyond ASCII, next to values that sort badly", () =>
    Effect.gen(function* () {
      const { process, read } = yield* LocalWorld;
      const values = ["\uFFEE", "😀", "a", "zz😀😀😀😀😀", "é", "東京", "Ärger", "👩‍👩‍👧‍👦"];
      const { row } = yield* process(
        "incoming/text.csv",
        `id,Ort\n${values.map((value, id) => `${id},${value}`).join("\n")}\n`,
      );
      const { outputs } = yield* decodeTransformed(row.result);
      const { bytes } = yield* read(localBuckets.clean, outputs[0]?.key ?? "");
      for (const [id, value] of values.entries()) {
        const found = yield* queryDuckDb(bytes, `select id from FILE where ort = '${value}'`);
        assert.deepStrictEqual(found, [{ id: String(id) }], value);
      }
    }),
  );

  it.effect("exact duplicates and empty rows are dropped and counted, bad dates become null", () =>
    Effect.gen(function* () {
      const { process, read } = yield* LocalWorld;
      const text =
        "Id, Fecha Alta ,Name\n1,2024-02-29,a\n1,2024-02-29,a\n,,\n2,2023-02-30,b\n3,,c\n";
      const { row } = yield* process("incoming/d16.csv", text);
      const { outputs, report } = yield* decodeTransformed(row.result);
      assert.deepInclude(report, { rowsIn: 5, rowsOut: 3, duplicates: 1, blankRows: 1 });
      const { bytes } = yield* read(localBuckets.clean, outputs[0]?.key ?? "");
      const rows = yield* queryDuckDb(bytes, "select id, fecha_alta::text as f, name from FILE");
      assert.deepStrictEqual(rows, [
        { id: "1", f: "2024-02-29 00:00:00+00", name: "a" },
        { id: "2", f: null, name: "b" },
        { id: "3", f: null, name: "c" },
      ]);
    }),
  );

  it.effect("an image gets three renditions that fit, and a record that lives 90 days", () =>
    Effect.gen(function* () {
      const { clients, process, read, versions } = yield* LocalWorld;
      const photo = yield* Effect.promise(() =>
        sharp({ create: { width: 1600, height: 900, channels: 3, background: "teal" } })
          .jpeg()
          .toBuffer(),
      );
      const { row, uploaded } = yield* process("images/trip/photo.jpg", photo);
      assert.strictEqual(row.status, "completed");
      const { sizes } = yield* decodeRendered(row.result);
      const boxes = [
        ["800x600", 800, 450],
        ["400x300", 400, 225],
        ["150x150", 150, 84],
      ] as const;
      assert.deepStrictEqual(
        sizes,
        boxes.map(([box]) => ({ box, key: `resized/${box}/trip/photo.jpg` })),
      );
      for (const [box, width, height] of boxes) {
        const rendition = yield* read(localBuckets.clean, `resized/${box}/trip/photo.jpg`);
        assert.strictEqual(rendition.contentType, "image/jpeg");
        const found = yield* Effect.promise(() => sharp(rendition.bytes).metadata());
        assert.deepInclude(found, { format: "jpeg", width, height });
        assert.lengthOf(yield* versions(localBuckets.clean, `resized/${box}/trip/photo.jpg`), 1);
      }
      const { Item } = yield* Effect.promise(() =>
        clients.documents.send(
          new GetCommand({ TableName: localTables.images, Key: { imageId: uploaded.key } }),
        ),
      );
      assert.deepInclude(Item, {
        imageId: "images/trip/photo.jpg",
        bucket: localBuckets.raw,
        version: uploaded.versionId,
        status: "processed",
        fileSize: photo.length,
        mimeType: "image/jpeg",
        dimensions: { width: 1600, height: 900 },
        processedAt: new Date(row.startedEpochMs).toISOString(),
        expiresAt: Math.floor(row.startedEpochMs / 1_000) + 90 * 86_400,
      });
    }),
  );

  it.effect("tables that forget do so by their items' own expiry, and no other table does", () =>
    Effect.gen(function* () {
      const { clients } = yield* LocalWorld;
      const forgetting = yield* Effect.forEach(tables, ({ name }) =>
        Effect.promise(async () => {
          const TableName = localTables[name];
          const { TimeToLiveDescription } = await clients.documents.send(
            new DescribeTimeToLiveCommand({ TableName }),
          );
          const { AttributeName, TimeToLiveStatus } = TimeToLiveDescription ?? {};
          return TimeToLiveStatus === "ENABLED" ? [[name, AttributeName]] : [];
        }),
      );
      assert.deepStrictEqual(forgetting.flat(), [
        ["images", "expiresAt"],
        ["idempotency", "expiresAt"],
        ["limits", "expiresAt"],
      ]);
    }),
  );

  it.effect("an event that comes twice does its work once", () =>
    Effect.gen(function* () {
      const { deliver, handledAbout, process, until, versions } = yield* LocalWorld;
      const image = dataset("ffox.png");
      const { row, uploaded } = yield* process("images/twice.png", image);
      const event = eventOf({ ...uploaded, sizeBytes: image.length });
      yield* deliver(pipelines.imageRenditions, event);
      yield* deliver(pipelines.imageRenditions, event);
      yield* until(() => handledAbout(uploaded.subject).length === 3);
      const outcomes = handledAbout(uploaded.subject).map(({ outcome }) => outcome);
      assert.deepStrictEqual(outcomes.toSorted(), ["joined", "joined", "started"]);
      const outputs = yield* versions(localBuckets.clean);
      const own = outputs.filter(({ key }) => key.endsWith("/twice.png"));
      assert.lengthOf(own, 3);
      assert.lengthOf(new Set(own.map(({ key }) => key)), 3);
      assert.strictEqual(row.status, "completed");
    }),
  );

  it.effect("two deliveries of one event at the same time make one execution", () =>
    Effect.gen(function* () {
      const { deliver, ended, handledAbout, until, upload, versions } = yield* LocalWorld;
      const csv = "id,name\n1,a\n";
      const uploaded = yield* upload("incoming/race.csv", csv);
      const event = eventOf({ ...uploaded, sizeBytes: csv.length });
      yield* Effect.all(
        Array.from({ length: 4 }, () => deliver(pipelines.csvToParquet, event)),
        { concurrency: "unbounded" },
      );
      yield* ended(uploaded);
      yield* until(() => handledAbout(uploaded.subject).length >= 5);
      const outcomes = handledAbout(uploaded.subject).map(({ outcome }) => outcome);
      assert.lengthOf(
        outcomes.filter((outcome) => outcome === "started"),
        1,
      );
      const outputs = yield* versions(localBuckets.clean);
      assert.lengthOf(
        outputs.filter(({ key }) => key.endsWith("/race.parquet")),
        1,
      );
    }),
  );

  it.effect("the archive's replay of everything starts nothing and writes nothing", () =>
    Effect.gen(function* () {
      const { clients, handled, process, until, versions } = yield* LocalWorld;
      yield* process("incoming/before-replay.csv", "id\n1\n");
      const objects = new Set(
        handled
          .filter(({ subject }) => subject.startsWith(localBuckets.raw))
          .map((one) => one.subject),
      );
      const before = yield* versions(localBuckets.clean);
      yield* startReplay(clients.events, "everything");
      const replayed = () => handled.filter(({ replayName }) => replayName === "everything");
      yield* until(() => replayed().length >= objects.size);
      assert.deepStrictEqual(
        new Set(replayed().map(({ outcome }) => outcome)),
        new Set(["joined"]),
      );
      assert.deepStrictEqual(new Set(replayed().map(({ subject }) => subject)), objects);
      assert.deepStrictEqual(yield* versions(localBuckets.clean), before);
    }),
  );
});
