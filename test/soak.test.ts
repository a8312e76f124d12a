/**
 * Goal: of many uploads, each is started once, ends as it must, and is counted, whatever fails on the way.
 * Method: a little of what `npm run soak` does for long; the stores are read afterwards.
 */
import { assert, describe, it } from "@effect/vitest";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { soak } from "./soak/soak.ts";

const seed = 11;

describe("a soak of a local mode, under faults, duplicates and kills", () => {
  it("ends with uploads = completed + failed + ignored, one start for each, and dead letters of the broken ones", async () => {
    const directory = mkdtempSync(join(tmpdir(), "millrace-soak-"));
    const { report, violations } = await soak({ uploads: 150, seed, directory });
    assert.deepStrictEqual(violations, [], `seed ${seed}, ${directory}`);
    assert.deepInclude(report, {
      ok: true,
      uploads: 150,
      completed: 143,
      failed: 3,
      ignored: 4,
      inFlight: 0,
      deadLettered: 3,
      startsPerUpload: 1,
      duplicates: 8,
    });
    assert.isAtLeast(report.kills, 1);
    assert.isAtLeast(report.faults, 1);
    rmSync(directory, { recursive: true });
  }, 300_000);
});
