/**
 * A topology that cannot be deployed is refused with everything that is wrong in it; each case plants one thing.
 */
import { assert, describe, it } from "@effect/vitest";
import { toEventPattern } from "@millrace/core";
import { checkTopology } from "@millrace/workflows/checkTopology";
import {
  type ChainTopology,
  type PipelineTopology,
  pipelines,
  type Topology,
  topology,
} from "@millrace/workflows/topology";
import { Effect } from "effect";

const { csvToParquet, imageRenditions } = pipelines;

const patternOf = (pipeline: PipelineTopology | ChainTopology): string =>
  "after" in pipeline ? "{}" : toEventPattern(pipeline.trigger, "a-bucket");

const patternless = () => JSON.stringify({ source: ["aws.s3"] });

/** The kinds of what is found in the product's topology with these pipelines. */
const kindsIn = (
  all: ReadonlyArray<PipelineTopology>,
  pattern: typeof patternOf = patternOf,
  more: Partial<Topology> = {},
) =>
  Effect.map(
    Effect.flip(checkTopology({ ...topology, pipelines: all, ...more }, pattern)),
    ({ findings, message }) => {
      for (const { pipeline } of findings) assert.include(message, pipeline);
      return findings.map(({ kind }) => kind);
    },
  );

const csvWith = (changes: Partial<PipelineTopology>) => ({ ...csvToParquet, ...changes });
const csvComputing = (changes: Partial<PipelineTopology["compute"]>) =>
  csvWith({ compute: { ...csvToParquet.compute, ...changes } });

describe("checkTopology", () => {
  it.effect("takes the product's own topology", () =>
    checkTopology(topology, (pipeline) =>
      "after" in pipeline ? patternless() : patternOf(pipeline),
    ),
  );

  const refused = [
    ["a loop", csvWith({ outputs: [{ bucket: "raw", prefix: "incoming/" }] }), "loop"],
    ["a timeout over 15 minutes", csvComputing({ timeoutSeconds: 901 }), "invalid-timeout"],
    ["a timeout of half a second", csvComputing({ timeoutSeconds: 0.5 }), "invalid-timeout"],
    ["memory that no function has", csvComputing({ memoryMb: 10_241 }), "invalid-memory"],
    ["a /tmp that no function has", csvComputing({ storageMb: 10_241 }), "invalid-memory"],
    ["a batch of eleven", csvComputing({ batchSize: 11 }), "invalid-batch"],
    [
      "a batch that the timeout cannot hold",
      csvComputing({ batchSize: 10, messageSeconds: 301 }),
      "invalid-batch",
    ],
    ["a concurrency of one", csvComputing({ concurrencyMax: 1 }), "invalid-batch"],
    ["a name that is not kebab case", csvWith({ name: "CsvToParquet" }), "invalid-name"],
    ["a name that is too long", csvWith({ name: "a".repeat(25) }), "invalid-name"],
    [
      "a queue that forgets before it has given up",
      csvWith({ queue: { retentionSeconds: 3_600, receiveCountMax: 3 } }),
      "invalid-queue",
    ],
    [
      "a processor with another's memory",
      csvWith({ task: { workflow: "W", cpuUnits: 256, memoryMb: 4_096, storageGb: 20 } }),
      "invalid-task-size",
    ],
    [
      "more storage than a task has",
      csvWith({ task: { workflow: "W", cpuUnits: 256, memoryMb: 512, storageGb: 201 } }),
      "invalid-task-size",
    ],
    [
      "the step that the smallest processor leaves out",
      csvWith({ task: { workflow: "W", cpuUnits: 256, memoryMb: 1_536, storageGb: 20 } }),
      "invalid-task-size",
    ],
    [
      "a table that no catalog takes",
      csvWith({ dataset: { table: "Sales-2026" } }),
      "invalid-dataset",
    ],
  ] as const;
  it.effect.each(refused)("refuses %s", ([, pipeline, kind]) =>
    Effect.map(kindsIn([pipeline]), (kinds) => {
      assert.include(kinds, kind);
    }),
  );

  it.effect("refuses two pipelines with one name", () =>
    Effect.map(
      kindsIn([csvToParquet, { ...imageRenditions, name: csvToParquet.name }]),
      (kinds) => {
        assert.deepStrictEqual(kinds, ["duplicate-name"]);
      },
    ),
  );

  it.effect("refuses two pipelines with one table", () =>
    Effect.map(
      kindsIn([
        csvWith({ dataset: { table: "sales" } }),
        { ...imageRenditions, dataset: { table: "sales" } },
      ]),
      (kinds) => {
        assert.deepStrictEqual(kinds, ["invalid-dataset"]);
      },
    ),
  );

  it.effect("refuses a pattern that EventBridge would refuse", () =>
    Effect.map(
      kindsIn([csvToParquet], () =>
        JSON.stringify({ detail: { size: [{ numeric: ["<", "1"] }] } }),
      ),
      (kinds) => {
        assert.deepStrictEqual(kinds, ["invalid-pattern"]);
      },
    ),
  );

  it.effect("refuses a chain that follows nothing", () =>
    Effect.map(
      kindsIn([csvToParquet], () => patternless(), {
        chains: [{ ...csvToParquet, name: "after-none", after: "nobody" }],
      }),
      (kinds) => {
        assert.deepStrictEqual(kinds, ["loop"]);
      },
    ),
  );

  it.effect("says all that is wrong at once", () =>
    Effect.map(
      kindsIn([csvWith({ name: "No", compute: { ...csvToParquet.compute, memoryMb: 1 } })]),
      (kinds) => {
        assert.deepStrictEqual(kinds, ["invalid-name", "invalid-memory"]);
      },
    ),
  );
});
