#!/usr/bin/env node
/**
 * Stands where SST's command line looks for Pulumi's engine: runs the program that SST built, under mocks, and writes
 * the state and the events that the engine would have written.
 *
 * So everything but the engine is real: SST's command line, its bundler, its links, its state. It knows the four
 * commands that SST calls, and no updates: each run makes everything anew.
 *
 * Source: sst 4.17.1 (pkg/project/run.go), Pulumi's checkpoint format 3
 */
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";

const modules = process.env.MILLRACE_ENGINE_MODULES;
const { mocksFor } = await import(pathToFileURL(join(modules, "mocks.ts")));
const { plain, recorderFor } = await import(pathToFileURL(join(modules, "recorder.mjs")));

const version = "v3.215.0";
const [command, ...rest] = process.argv.slice(2);

/** `organization/app/stage` as the file of its state. */
const stateFile = (stack) => {
  const [, app, stage] = stack.split("/");
  return join(process.cwd(), ".pulumi", "stacks", app, `${stage}.json`);
};

const writeState = (stack, resources) => {
  const file = stateFile(stack);
  mkdirSync(dirname(file), { recursive: true });
  const manifest = { time: new Date().toISOString(), magic: "mocks", version };
  const checkpoint = { stack, latest: { manifest, resources } };
  writeFileSync(file, JSON.stringify({ version: 3, checkpoint }));
};

const { values } = parseArgs({
  args: rest,
  strict: false,
  options: { stack: { type: "string" }, "event-log": { type: "string" } },
});

const tell = (event) =>
  appendFileSync(
    values["event-log"],
    `${JSON.stringify({ sequence: 1, timestamp: Math.floor(Date.now() / 1_000), ...event })}\n`,
  );

const summarize = (resourceChanges) =>
  tell({ summaryEvent: { durationSeconds: 1, resourceChanges } });

/** Parents first, as SST reads them. */
const inOrder = (resources) => {
  const known = new Map(resources.map((resource) => [resource.urn, resource]));
  const depth = ({ parent }) => {
    const above = parent === undefined ? undefined : known.get(parent);
    return above ? 1 + depth(above) : 0;
  };
  return resources.toSorted((one, other) => depth(one) - depth(other));
};

/** A resource as the engine's state has it. */
const toState = ({ custom, id, inputs, parent, state, type, urn }) => ({
  urn,
  type,
  custom,
  id,
  parent,
  inputs: plain(inputs),
  outputs: plain(state),
});

const update = async () => {
  const [, app, stage] = values.stack.split("/");
  const main = /main: (.*)/.exec(readFileSync("Pulumi.yaml", "utf8"))[1].trim();
  const home = process.cwd();
  const mocks = mocksFor({ region: "eu-west-1", account: "123456789012" });
  try {
    const recorder = await recorderFor(main, { app, stage }, mocks);
    await recorder.run(async () => (await import(pathToFileURL(main))).default);
    process.chdir(home);
    const resources = inOrder(recorder.resources).map(toState);
    for (const { type, urn } of resources) {
      const metadata = { op: "create", urn, type, old: null, new: null, keys: [], diffs: [] };
      tell({ resOutputsEvent: { metadata: { ...metadata, logical: true, provider: "" } } });
    }
    writeState(values.stack, resources);
    summarize({ create: resources.length });
  } catch (error) {
    process.chdir(home);
    tell({
      diagnosticEvent: { message: `${error?.stack ?? error}`, severity: "error", color: "never" },
    });
    process.exitCode = 1;
  }
};

switch (command) {
  case "version":
    process.stdout.write(`${version}\n`);
    break;
  case "stack":
    // `stack init <stack>`
    writeState(rest[1], []);
    break;
  case "up":
  case "preview":
    await update();
    break;
  case "destroy":
    writeState(values.stack, []);
    summarize({});
    break;
  default:
    process.stderr.write(`the stand-in of the engine does not know ${command}\n`);
    process.exitCode = 1;
}
process.exit();
