/**
 * Goal: a function prints the figures of what it has done, in the form that CloudWatch reads.
 * Method: a whole local mode takes a CSV file with one broken row, and an image; the lines of their functions are read.
 */
import { assert, layer } from "@effect/vitest";
import { pipelines } from "@millrace/workflows/topology";
import { Effect, Option, Schema } from "effect";
import sharp from "sharp";
import { layerLocalWorld, LocalWorld } from "./LocalWorld.ts";

const Figures = Schema.fromJsonString(Schema.Record(Schema.String, Schema.Unknown));
const decodeFigures = Schema.decodeUnknownOption(Figures);

const world = layerLocalWorld({ timeoutSeconds: 30 });

layer(world, { timeout: "60 seconds", excludeTestServices: true })("a function's figures", (it) => {
  it.effect(
    "tell of the upload, its rows and bytes, and its end",
    () =>
      Effect.gen(function* () {
        const { process, until, watchers } = yield* LocalWorld;
        const lines = new Map<string, typeof Figures.Type>();
        watchers.add((event) => {
          if (event._tag !== "Line") return;
          const figures = Option.getOrUndefined(decodeFigures(event.line));
          if (figures?.["Files"] !== undefined) lines.set(String(figures["Pipeline"]), figures);
        });
        const csv = "id,name\n1,a\n2,b,c,d\n3,c\n";
        const image = yield* Effect.promise(() =>
          sharp({ create: { width: 40, height: 30, channels: 3, background: "red" } })
            .png()
            .toBuffer(),
        );
        yield* process("incoming/numbers.csv", csv);
        yield* process("images/numbers.png", image);
        const { csvToParquet, imageRenditions } = pipelines;
        yield* until(() => lines.has(csvToParquet.name) && lines.has(imageRenditions.name));
        const once = { Uploads: 1, ExecutionsStarted: 1, ExecutionsCompleted: 1, Files: 1 };
        assert.deepInclude(lines.get(csvToParquet.name), {
          ...once,
          RowsIn: 3,
          RowsOut: 2,
          RowsRejected: 1,
          BytesIn: csv.length,
        });
        assert.property(lines.get(csvToParquet.name), "BytesOut");
        assert.property(lines.get(csvToParquet.name), "EndToEndMs");
        assert.deepInclude(lines.get(imageRenditions.name), { ...once, BytesIn: image.length });
        assert.notProperty(lines.get(imageRenditions.name), "RowsIn");
      }),
    120_000,
  );
});
