/**
 * Runs the real sst.config.ts with SST's real components, and prints every resource that a deployment would ask AWS for,
 * as JSON on the last line. No account, no engine, no network.
 *
 *   node synthesizer.mjs <stage> [--dev] [--topology-changes <JSON of [from, to] pairs>]
 *
 * The program is bundled as SST's command line bundles it. A process of its own, because SST's components change the
 * working directory and keep state. The random suffixes of physical names are zeros, so that a stage's graph is always
 * the same.
 *
 * Source: sst 4.17.1 (pkg/js/js.go, platform/src/auto/run.ts); @pulumi/pulumi 3.215.0 (runtime/mocks)
 */
import crypto from "node:crypto";
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import * as esbuild from "esbuild";
import { platform, preparePlatform, root } from "../../../scripts/sst.ts";
import { serveCommandLine } from "./commandLine.ts";
import { mocksFor } from "./mocks.ts";
import { plain, recorderFor } from "./recorder.mjs";

const place = { region: "eu-west-1", account: "123456789012" };

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    dev: { type: "boolean", default: false },
    "topology-changes": { type: "string", default: "[]" },
  },
});
const [stage] = positionals;
const config = join(root, "sst.config.ts");
const topologyChanges = JSON.parse(values["topology-changes"]);

preparePlatform();
const providers = JSON.parse(readFileSync(join(root, ".sst", "provider-lock.json"), "utf8"));
const work = join(root, ".sst");
const scratch = join(root, ".sst", "synthesis");
mkdirSync(scratch, { recursive: true });
// The bundles lie beside SST's components, because that is where Node looks for their packages.
const bundle = (name) => join(platform, `synthesis.${name}.${process.pid}.mjs`);

const prelude = `
import { createRequire as topLevelCreateRequire } from "module";
import { fileURLToPath as topLevelFileUrlToPath, URL as topLevelURL } from "url";
const require = topLevelCreateRequire(import.meta.url);
const __filename = topLevelFileUrlToPath(import.meta.url);
const __dirname = topLevelFileUrlToPath(new topLevelURL(".", import.meta.url));
`;

const build = (name, contents, more = {}) =>
  esbuild.build({
    stdin: { contents, resolveDir: root, loader: "ts", sourcefile: "synthesis.ts" },
    outfile: bundle(name),
    banner: { js: prelude },
    bundle: true,
    format: "esm",
    platform: "node",
    mainFields: ["module", "main"],
    logLevel: "silent",
    absWorkingDir: root,
    external: [
      "@pulumi/*",
      "undici",
      "@pulumiverse/*",
      "@sst-provider/*",
      "@aws-sdk/*",
      "esbuild",
      "archiver",
      "glob",
      "vite",
    ],
    ...more,
  });

/** What the config says of the app, for this stage. */
const evaluateApp = async () => {
  await build(
    "app",
    `import config from ${JSON.stringify(config)}; export default config.app({ stage: ${JSON.stringify(stage)} });`,
    { banner: { js: `${prelude}function $config(input) { return input }` } },
  );
  const { default: app } = await import(pathToFileURL(bundle("app")));
  return { removal: "retain", ...app, stage };
};

/** The text with every change made, each of which must find its place. */
const changed = (text, changes) =>
  changes.reduce((before, [from, to]) => {
    if (!before.includes(from)) throw new Error(`the topology does not say ${from}`);
    return before.replace(from, to);
  }, text);

/** SST puts its globals in front of every file that is not its own. */
const globals = {
  name: "globals",
  setup(building) {
    const imports = [
      ...providers.map(({ alias, package: from }) => `import * as ${alias} from "${from}";`),
      `import * as sst from ${JSON.stringify(join(platform, "src/components"))};`,
    ].join("\n");
    building.onLoad({ filter: /\.(js|ts|jsx|tsx)$/ }, async ({ path }) => {
      if (path.startsWith(work)) return undefined;
      const text = await readFile(path, "utf8");
      const isTopology = path.endsWith("/workflows/src/topology.ts");
      return {
        contents: `${imports}\n${isTopology ? changed(text, topologyChanges) : text}`,
        loader: "default",
      };
    });
  },
};

const bundleProgram = (app) =>
  build(
    "run",
    `import { run } from ${JSON.stringify(join(platform, "src/auto/run.ts"))};
     import config from ${JSON.stringify(config)};
     export const program = () => run(config.run);`,
    {
      define: {
        $app: JSON.stringify(app),
        $cli: JSON.stringify({
          command: values.dev ? "dev" : "deploy",
          dev: values.dev,
          paths: { home: join(scratch, "home"), root, work: scratch, platform },
          state: { version: {} },
        }),
        $dev: String(values.dev),
      },
      inject: [join(platform, "src/shim/run.js")],
      plugins: [globals],
    },
  );

const { randomBytes } = crypto;
crypto.randomBytes = (count, callback) =>
  count === 8 && !callback ? Buffer.alloc(8) : randomBytes(count, callback);

const began = performance.now();
const app = await evaluateApp();
await bundleProgram(app);
const built = performance.now();
const commandLine = await serveCommandLine(place, scratch);
process.env.SST_SERVER = commandLine.url;
process.env.SST_AWS_REGION = place.region;
const mocks = mocksFor(place);
try {
  const { program } = await import(pathToFileURL(bundle("run")));
  const recorder = await recorderFor(bundle("run"), { app: app.name, stage }, mocks);
  const outputs = await recorder.run(program);
  const graph = {
    app,
    dev: values.dev,
    outputs: plain(outputs),
    resources: plain(recorder.resources),
    builds: commandLine.builds,
    unknownCalls: [...mocks.unknownCalls],
    ms: { build: built - began, run: performance.now() - built },
  };
  process.stdout.write(`\n${JSON.stringify(graph)}\n`);
} catch (error) {
  process.stderr.write(`${error?.name}: ${error?.message ?? error}\n${error?.stack}\n`);
  process.exitCode = 1;
} finally {
  commandLine.close();
  for (const name of ["app", "run"]) rmSync(bundle(name), { force: true });
}
