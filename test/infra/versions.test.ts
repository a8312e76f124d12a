/**
 * SST's components find their packages in the project's node_modules: at the versions that they ask for.
 */
import { assert, describe, it } from "@effect/vitest";
import { Schema } from "effect";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { platform, preparePlatform, root } from "../../scripts/sst.ts";

const Dependencies = Schema.Record(Schema.String, Schema.String);
const Package = Schema.fromJsonString(
  Schema.Struct({
    dependencies: Schema.optionalKey(Dependencies),
    devDependencies: Schema.optionalKey(Dependencies),
  }),
);
const read = (folder: string) =>
  Schema.decodeUnknownSync(Package)(readFileSync(join(folder, "package.json"), "utf8"));

/** What the components load at run time; the rest of SST's list is for components that are not used here. */
const loaded = [
  "@pulumi/aws",
  "@pulumi/cloudflare",
  "@pulumi/command",
  "@pulumi/docker-build",
  "@pulumi/pulumi",
  "@pulumi/random",
  "@pulumi/tls",
  "@pulumiverse/vercel",
  "archiver",
  "glob",
];

describe("the packages of SST's components", () => {
  it.each(loaded)("%s has the version that SST asks for", (name) => {
    preparePlatform();
    const asked = read(platform).dependencies?.[name]?.replace(/^v/, "");
    assert.isDefined(asked);
    assert.strictEqual(read(root).devDependencies?.[name], asked);
  });
});
