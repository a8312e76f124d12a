/**
 * The files that the demo works on: public data sets, real images, two broken files made from them, or the user's own.
 */
import { Effect, FileSystem, Path } from "effect";
import { fileURLToPath } from "node:url";
import { NoPipelineForFile, pipelineFor } from "../upload.ts";
import { type PipelineTopology, pipelines } from "@millrace/workflows/topology";

export interface DemoFile {
  readonly name: string;
  readonly path: string;
  readonly bytes: number;
  readonly pipeline: PipelineTopology;
  readonly key: string;
  /** What is expected of it: the demo is wrong when it ends otherwise. Nothing is expected of a user's file. */
  readonly expected: "completed" | "failed" | undefined;
}

const publicFiles = [
  "seattle-weather.csv",
  "airports.csv",
  "birdstrikes.csv",
  "7zip.png",
  "ffox.png",
  "gimp.png",
];

/** A few rows, then a quote that is never closed. */
const brokenCsv = `id,name,amount\n1,anna,10\n2,"unclosed,20\n${"3,carla,30\n".repeat(1_000)}`;

/** The data sets of the package vega-datasets, and two broken files written to `directory`. */
export const publicDemoFiles = Effect.fnUntraced(function* (directory: string) {
  const path = yield* Path.Path;
  const fs = yield* FileSystem.FileSystem;
  const entry = fileURLToPath(import.meta.resolve("vega-datasets"));
  const data = path.join(path.dirname(path.dirname(entry)), "data");
  const good = yield* Effect.forEach(publicFiles, (name) =>
    describeFile(path.join(data, name), "completed"),
  );
  yield* fs.makeDirectory(directory, { recursive: true });
  const csv = path.join(directory, "broken.csv");
  yield* fs.writeFileString(csv, brokenCsv);
  const image = path.join(directory, "broken.png");
  const whole = yield* fs.readFile(path.join(data, "ffox.png"));
  yield* fs.writeFile(image, whole.subarray(0, whole.length / 2));
  const broken = yield* Effect.forEach([csv, image], (file) => describeFile(file, "failed"));
  return [...good, ...broken];
});

/** The user's own files; those whose names meet are kept apart by a folder. */
export const ownDemoFiles = (files: ReadonlyArray<string>) =>
  Effect.map(
    Effect.forEach(files, (file) => describeFile(file, undefined)),
    (described) =>
      described.map((file, index) => {
        const isTaken = described.slice(0, index).some(({ key }) => key === file.key);
        const { prefix } = file.pipeline.trigger;
        return isTaken ? { ...file, key: `${prefix}${index + 1}/${file.name}` } : file;
      }),
  );

const describeFile = Effect.fnUntraced(function* (file: string, expected: DemoFile["expected"]) {
  const fs = yield* FileSystem.FileSystem;
  const path = yield* Path.Path;
  const pipeline = pipelineFor(file);
  if (!pipeline) {
    const suffixes = Object.values(pipelines).flatMap(({ trigger }) => trigger.suffixes);
    return yield* new NoPipelineForFile({ file, suffixes });
  }
  const { size } = yield* fs.stat(file);
  const name = path.basename(file);
  const key = `${pipeline.trigger.prefix}${name}`;
  return { name, path: file, bytes: Number(size), pipeline, key, expected } satisfies DemoFile;
});
