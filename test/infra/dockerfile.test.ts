/**
 * The image of the tasks: built in stages, small, without root, healthy or not, and from what it needs alone.
 */
import { assert, describe, it } from "@effect/vitest";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../../scripts/sst.ts";

const lines = (file: string): ReadonlyArray<string> =>
  readFileSync(join(root, file), "utf8").split("\n");

const dockerfile = lines("packages/functions/Dockerfile");
const after = (word: string): ReadonlyArray<string> =>
  dockerfile
    .filter((line) => line.startsWith(`${word} `))
    .map((line) => line.slice(word.length + 1));

describe("the image of the tasks", () => {
  it("is built in stages from the Node that the functions run on", () => {
    const images = after("FROM");
    assert.isAtLeast(images.length, 2);
    for (const image of images) assert.match(image, /^node:24-slim/);
  });

  it("runs without root, and says whether it is well", () => {
    assert.deepStrictEqual(after("USER"), ["node"]);
    const isAsUser =
      dockerfile.indexOf("USER node") <
      dockerfile.findIndex((line) => line.startsWith("ENTRYPOINT"));
    assert.isTrue(isAsUser);
    assert.strictEqual(after("HEALTHCHECK").length, 1);
  });

  it("copies only what there is, and what is not kept out", () => {
    const kept = new Set(
      lines(".dockerignore")
        .filter((line) => line.startsWith("!"))
        .map((line) => line.slice(1)),
    );
    assert.include(lines(".dockerignore"), "*");
    for (const copied of after("COPY")) {
      if (copied.startsWith("--from")) continue;
      for (const path of copied.split(" ").slice(0, -1)) {
        assert.isTrue(existsSync(join(root, path)), path);
        assert.isTrue(
          [...kept].some((one) => one === path || one.startsWith(`${path}/`)),
          path,
        );
      }
    }
  });

  it("begins with a module that there is", () => {
    const [entry = ""] = after("ENTRYPOINT");
    const module = /"(packages\/[^"]+)"/.exec(entry)?.[1] ?? "none";
    assert.isTrue(existsSync(join(root, module)), module);
  });
});
