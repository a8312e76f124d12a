/**
 * Import direction: cli, console, local -> functions -> workflows -> core; core knows AWS only in core/aws.
 *
 * Checked on the source text, so that it holds for every file, including ones that no test loads.
 */
import { assert, describe, it } from "@effect/vitest";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");

/** What each folder may import beside its own files; everything else is a violation. The longest folder that fits rules. */
const allowed: Readonly<Record<string, RegExp>> = {
  "packages/core/src": /^(effect(\/|$)|node:(crypto|sqlite|zlib)$)/,
  "packages/core/src/aws": /^(effect(\/|$)|node:stream$|@aws-sdk\/)/,
  "packages/core/src/testing": /^(effect(\/|$)|node:|@effect\/vitest$|fast-check$)/,
  "packages/workflows/src":
    /^(effect(\/|$)|@millrace\/core$|node:|csv-parse|hyparquet|parquetjs-lite|snappyjs(\/|$)|sharp$|@duckdb\/node-api$)/,
  "packages/workflows/src/topology.ts": /^@millrace\/core$/,
  "packages/functions/src":
    /^(effect(\/|$)|@millrace\/(core|workflows)(\/|$)|@aws-sdk\/|@effect\/platform-node-shared\/)/,
  "packages/local/src":
    /^(effect(\/|$)|@millrace\/(core|workflows|functions)(\/|$)|@aws-sdk\/|node:|dynalite$|fast-xml-parser$)/,
  "packages/cli/src":
    /^(effect(\/|$)|@millrace\/(core|workflows|functions|local)(\/|$)|@aws-sdk\/|@effect\/platform-node|node:)/,
};

const files = readdirSync(join(root, "packages"), { recursive: true, encoding: "utf8" })
  .map((file) => join("packages", file))
  .filter((file) => /^packages\/[a-z]+\/src\/.*(?<!\.d)\.ts$/.test(file));

const ruleOf = (file: string): RegExp | undefined => {
  const folders = Object.keys(allowed).filter(
    (folder) => file === folder || file.startsWith(`${folder}/`),
  );
  const folder = folders.toSorted((a, b) => b.length - a.length)[0];
  return folder === undefined ? undefined : allowed[folder];
};

const specifiers = (text: string): ReadonlyArray<string> =>
  [...text.matchAll(/^(?:import|export)\s(?:[^;"]*?from\s+)?"([^"]+)"/gm)].map(
    (match) => match[1] ?? "",
  );

const violations = (file: string, text: string): ReadonlyArray<string> => {
  const own = file.split("/").slice(0, 3).join("/");
  return specifiers(text)
    .filter((specifier) =>
      specifier.startsWith(".")
        ? !join(file, "..", specifier).startsWith(`${own}/`)
        : !ruleOf(file)?.test(specifier),
    )
    .map((specifier) => `${file} -> ${specifier}`);
};

describe("imports", () => {
  it("run one way", () => {
    assert.isAbove(files.length, 100);
    const found = files.flatMap((file) => violations(file, readFileSync(join(root, file), "utf8")));
    assert.deepStrictEqual(found, []);
  });

  it("against the direction are found", () => {
    const planted = [
      ["packages/core/src/Planted.ts", 'import { x } from "@millrace/workflows";'],
      ["packages/core/src/Planted.ts", 'import { S3Client } from "@aws-sdk/client-s3";'],
      ["packages/workflows/src/Planted.ts", 'import { handler } from "@millrace/functions/x";'],
      ["packages/functions/src/Planted.ts", 'export * from "../../local/src/index.ts";'],
      ["packages/workflows/src/topology.ts", 'import sharp from "sharp";'],
    ] as const;
    for (const [file, text] of planted) assert.strictEqual(violations(file, text).length, 1, text);
  });
});
