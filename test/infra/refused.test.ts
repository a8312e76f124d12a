/**
 * A topology that cannot be deployed is refused by the real config, with all that is wrong in it, before one resource is
 * asked for.
 */
import { assert, describe, it } from "@effect/vitest";
import { synthesize } from "./Graph.ts";

/** What is changed in the topology, and what is to be said of it. */
const planted = [
  ['prefix: "resized/"', 'prefix: "images/"', undefined],
  ['{ bucket: "clean", prefix: "images/" }', '{ bucket: "raw", prefix: "images/" }', "(loop)"],
  ['name: "image-renditions"', 'name: "csv-to-parquet"', "(duplicate-name)"],
  ["timeoutSeconds: 60,", "timeoutSeconds: 901,", "1 to 900 seconds, not 901"],
  ["batchSize: 1,", "batchSize: 10,", "take 1800 s, and the function has 900 s"],
  ["memoryMb: 8_192,", "memoryMb: 2_048,", "4096 to 16384 MB in steps of 1024"],
  [
    "suffixes: dataSuffixes }",
    "suffixes: dataSuffixes, sizeBytesMin: 5, sizeBytesMax: 1 }",
    "(invalid-pattern)",
  ],
] as const;

describe("sst.config.ts", () => {
  it("refuses a topology with everything that is wrong in it", async () => {
    const refused = await synthesize("prod", {
      topologyChanges: planted.map(([from, to]) => [from, to] as const),
    }).then(
      () => "it was taken",
      (error: unknown) => String(error),
    );
    assert.include(
      refused,
      "TopologyRefused: the topology cannot be deployed; nothing was changed",
    );
    for (const [, , said] of planted) if (said !== undefined) assert.include(refused, said);
  }, 60_000);
});
