/**
 * Goal: workers that are killed at any moment lose nothing and do nothing twice, by what is on the disk afterwards.
 * Method: a few rounds of what `npm run kill` does for long.
 */
import { assert, describe, it } from "@effect/vitest";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { killShipments } from "./kill/killShipments.ts";

const seed = 3;

describe("workers over one SQLite file, killed at random moments", () => {
  it("leave every order ended once, with its effects under their keys", async () => {
    const directory = mkdtempSync(join(tmpdir(), "millrace-kill-"));
    const { report, violations } = await killShipments({ rounds: 5, seed, directory });
    assert.deepStrictEqual(violations, [], `seed ${seed}, ${directory}`);
    assert.isAtLeast(report.kills, 5);
    assert.strictEqual(report.executions, 25);
    rmSync(directory, { recursive: true });
  });
});
