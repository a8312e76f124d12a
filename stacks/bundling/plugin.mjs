/**
 * What SST's bundler (esbuild) is told about some kinds of file, so that a function's bundle holds what it runs and
 * little else; docs/benchmarks.md has what each is worth. What a function does stays the same, but for one thing: an error
 * of AWS that is a name and a message has no class of its own (awsTables.mjs).
 *
 * Plain JavaScript, because SST runs it in a Node of its own. SST 4.17 passes no path to filters, so each look at a path
 * is in the callback; an error is told in SST's way, because it would wait for ever for an answer that is not given.
 */
import { readFile } from "node:fs/promises";
import { shortenTables, versionOnly } from "./awsTables.mjs";
import { importModules } from "./effectModules.mjs";
import { endpointCache, eventStreams, scriptedHash } from "./neverRun.mjs";

const rules = [
  [/\/packages\/\w+\/src\/.*\.ts$/, importModules, "ts"],
  [/\/@aws-sdk\/client-[^/]+\/.*\/schemas_\d+\.js$/, shortenTables, "js"],
  [/\/@aws-sdk\/[^/]+\/package\.json$/, versionOnly, "json"],
  [/\/@smithy\/core\/dist-es\/submodules\/event-streams\/index\.js$/, eventStreams, "js"],
  [/\/@aws-sdk\/endpoint-cache\/dist-es\/EndpointCache\.js$/, endpointCache, "js"],
  [
    /\/(@smithy\/core|@aws-sdk\/checksums)\/dist-es\/.*\/(Sha256|Sha1|Crc32)Js\.js$/,
    scriptedHash,
    "js",
  ],
];

const load = async ({ path }) => {
  const rule = rules.find(([files]) => files.test(path));
  if (rule === undefined) return undefined;
  const [, rewrite, loader] = rule;
  try {
    return { contents: await rewrite(await readFile(path, "utf8"), path), loader };
  } catch (cause) {
    return { error: `${path} cannot be rewritten for its bundle: ${String(cause)}` };
  }
};

export default [
  {
    name: "millrace-smaller-bundles",
    setup: (build) => build.onLoad({ filter: /./ }, load),
  },
];
