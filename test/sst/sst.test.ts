/**
 * SST's real command line with the real project, offline: what an engineer does with a stage, from its first deployment
 * to its removal; the bundles that it built, at work against the embedded AWS; and a handler on the desk, edited while it
 * is live.
 *
 * One after the other, because each uses what the one before has made.
 */
import { assert, describe, it } from "@effect/vitest";
import { pipelines } from "@millrace/workflows/topology";
import { Effect, Schedule, Schema } from "effect";
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import sharp from "sharp";
import { afterAll, beforeAll } from "vitest";
import { layerLocalWorld, LocalWorld } from "../LocalWorld.ts";
import { startBridge } from "./bridge.ts";
import { bundleBytes } from "./bundleBytes.ts";
import { firstRequest, readLog, requestDeployment } from "./firstDeployment.ts";
import { makeSstProject, type Ran, type SstProject, type Started } from "./SstProject.ts";

let project: SstProject;
beforeAll(async () => {
  project = await makeSstProject();
});
afterAll(() => project.remove());

/** Passes on what a command took, because its figure is wanted. */
const output = (name: string, { code, ms, output }: Ran): string => {
  process.stdout.write(`sst ${name}: ${ms} ms\n`);
  assert.strictEqual(code, 0, output);
  return output;
};

/** A container runs the sources, and SST builds no bundle of it. */
const moduleOf = (handler: string): string =>
  handler === "task"
    ? fileURLToPath(import.meta.resolve("@millrace/functions/task"))
    : project.bundleOf(handler);

const stage = ["--stage", "ann"] as const;

const Outputs = Schema.fromJsonString(Schema.Record(Schema.String, Schema.Unknown));
const decodeOutputs = Schema.decodeUnknownSync(Outputs);

describe("sst deploy", () => {
  it("makes a stage, with bundles of its own and outputs to read", async () => {
    const said = output("deploy", await project.sst("deploy", ...stage));
    assert.include(said, "uploadApi");
    const outputs = decodeOutputs(
      readFileSync(join(project.folder, ".sst", "outputs.json"), "utf8"),
    );
    assert.containsAllKeys(outputs, ["buckets", "queues", "deadLetterQueues", "tables"]);
  });

  it("built bundles that do a pipeline's work: CSV, and images with sharp's native parts", async () => {
    const image = await sharp({
      create: { width: 900, height: 700, channels: 3, background: "#336699" },
    })
      .jpeg()
      .toBuffer();
    const work = Effect.gen(function* () {
      const world = yield* LocalWorld;
      const csv = yield* world.process("incoming/orders.csv", "id,total\n1,2\n2,3\n");
      const jpeg = yield* world.process("images/photo.jpg", image);
      return [csv.row.status, jpeg.row.status];
    }).pipe(Effect.provide(layerLocalWorld({ timeoutSeconds: 60, moduleOf })));
    assert.deepStrictEqual(await Effect.runPromise(work), ["completed", "completed"]);
    assert.deepStrictEqual(pipelines.imageRenditions.nativePackages, ["sharp"]);
  });
});

/** Largest code of each function, in KB of 1,000 bytes: what a start reads, and all of it. */
const codeKbMax = {
  csvToParquet: { start: 800, all: 870 },
  dailySales: { start: 815, all: 885 },
  imageRenditions: { start: 650, all: 720 },
  sweeper: { start: 430, all: 505 },
  reconciler: { start: 500, all: 575 },
  uploads: { start: 430, all: 510 },
} as const;

describe("a bundle", () => {
  it.each(Object.entries(codeKbMax))("of %s stays within %j KB", (handler, kbMax) => {
    const { all, start } = bundleBytes(project.bundleOf(handler));
    process.stdout.write(`bundle ${handler}: ${start} bytes at the start of ${all}\n`);
    assert.isAtMost(start, kbMax.start * 1_000);
    assert.isAtMost(all, kbMax.all * 1_000);
  });

  it.each(Object.keys(codeKbMax))("of %s has everything that it may load later", (handler) => {
    const folder = dirname(project.bundleOf(handler));
    const files = readdirSync(folder).filter((name) => name.endsWith(".mjs"));
    assert.isAbove(files.length, 1, "what is loaded later is in files of its own");
    const script = `await Promise.all(${JSON.stringify(files)}.map((name) => import("./" + name)));`;
    // A missing package ends the process with a failure.
    execFileSync(process.execPath, ["--input-type=module", "--eval", script], { cwd: folder });
  });
});

describe("a deployed stage", () => {
  it("is compared with what a deployment would make", async () => {
    output("diff", await project.sst("diff", ...stage));
  });

  it("gives a program its own names", async () => {
    const print = "console.log(JSON.parse(process.env.SST_RESOURCE_App).stage)";
    const commands = ["shell", ...stage, "--", process.execPath, "-e", print];
    assert.match(output("shell", await project.sst(...commands)), /^ann$/m);
  });

  it("has a state that can be exported, and in it no role that trusts the account", async () => {
    const state = output("state export", await project.sst("state", "export", ...stage));
    const functions = state.match(/"type": ?"aws:lambda\/function:Function"/g) ?? [];
    assert.strictEqual(functions.length, Object.keys(codeKbMax).length);
    assert.notInclude(state, "123456789012:root");
  });

  it("is removed", async () => {
    output("remove", await project.sst("remove", ...stage));
    const state = output("state export", await project.sst("state", "export", ...stage));
    assert.notInclude(state, "aws:lambda/function:Function");
  });
});

const Deployed = Schema.fromJsonString(
  Schema.Struct({
    checkpoint: Schema.Struct({
      latest: Schema.Struct({
        resources: Schema.Array(
          Schema.Struct({
            urn: Schema.String,
            type: Schema.String,
            outputs: Schema.optionalKey(Schema.Record(Schema.String, Schema.Unknown)),
          }),
        ),
      }),
    }),
  }),
);
const decodeDeployed = Schema.decodeUnknownSync(Deployed);
const Variables = Schema.Struct({ variables: Schema.Record(Schema.String, Schema.String) });
const decodeVariables = Schema.decodeUnknownSync(Variables);

/** The environment of a stub, once it is deployed. */
const stubVariables = (urnEnd: string) => {
  const stored = project.cloud.objects.get("/sst-state-test/app/millrace/bea.json");
  if (!stored) return undefined;
  const { resources } = decodeDeployed(stored.body.toString()).checkpoint.latest;
  const stub = resources.find(
    ({ type, urn }) => type === "aws:lambda/function:Function" && urn.endsWith(urnEnd),
  );
  return stub && decodeVariables(stub.outputs?.["environment"]).variables;
};

/** Waits until it is there, and fails with what was told meanwhile when it does not come. */
const there = <A>(look: () => A | undefined, told: () => string): Promise<A> =>
  Effect.runPromise(
    Effect.sync(look).pipe(
      Effect.repeat({
        until: (found) => found !== undefined,
        schedule: Schedule.spaced("100 millis"),
      }),
      Effect.flatMap(Effect.fromNullishOr),
      Effect.timeoutOrElse({
        duration: "100 seconds",
        orElse: () => Effect.die(new Error(`it did not come: ${told()}`)),
      }),
    ),
  );

const request = {
  body: JSON.stringify({
    pipeline: "csv-to-parquet",
    fileName: "Orders 2026.csv",
    contentType: "text/csv",
  }),
};

const Form = Schema.fromJsonString(
  Schema.Struct({
    statusCode: Schema.Int,
    body: Schema.fromJsonString(
      Schema.Struct({ key: Schema.String, edited: Schema.optionalKey(Schema.Boolean) }),
    ),
  }),
);
const decodeForm = Schema.decodeUnknownSync(Form);

/** How often SST has started a worker of the function on the desk. */
const workersStarted = (): number => readLog(project.folder).split('msg="starting worker"').length;

/** Longest that the test may take, in milliseconds: all that it waits for comes, or says that it does not, before. */
const liveMsMax = 400_000;

const live = async ({ said }: Started): Promise<void> => {
  const told = () => `${said()}\n${readLog(project.folder)}`;
  if ((await there(() => firstRequest(project.folder), told)) === "lost") {
    await requestDeployment(project.folder, "bea");
  }
  const variables = await there(
    () =>
      project.live.subscriptionsCount() > 0 && /Complete|No changes/.test(said())
        ? stubVariables("UploadsFunction")
        : undefined,
    told,
  );
  const platform = join(project.folder, ".sst", "platform");
  const bridge = await startBridge(platform, project.environment, variables, "uploads");
  /** As whoever invokes a function does, again when it timed out. */
  const ask = async () => {
    let answer = await bridge.invoke(request);
    if (answer.kind === "timeout") {
      process.stdout.write(`live: an invocation was lost\n${answer.body}\n${told()}\n`);
      answer = await bridge.invoke(request);
    }
    assert.strictEqual(answer.kind, "response", `${answer.body}\n${told()}`);
    return { ms: answer.ms, ...decodeForm(answer.body) };
  };
  try {
    const first = await ask();
    assert.strictEqual(first.statusCode, 201);
    assert.match(first.body.key, /^incoming\/[0-9a-f-]{36}\/Orders-2026\.csv$/);
    const warm = await ask();
    assert.isUndefined(warm.body.edited);

    const file = join(project.folder, "packages", "functions", "src", "uploads.ts");
    const text = readFileSync(file, "utf8");
    const edited = text.replace("respond(201, { url,", "respond(201, { edited: true, url,");
    assert.notStrictEqual(edited, text);
    // In one move, from where SST does not look: it builds at the first sign of a change, and takes the next for the same.
    const draft = join(project.folder, ".home", "uploads.ts");
    writeFileSync(draft, edited);
    const workers = workersStarted();
    const began = performance.now();
    renameSync(draft, file);
    // An invocation that the old worker has when SST ends it would be lost.
    await there(() => (workersStarted() > workers ? true : undefined), told);
    const after = await ask();
    assert.isTrue(after.body.edited, told());
    const editMs = Math.round(performance.now() - began);
    process.stdout.write(
      `live: first invocation ${first.ms} ms, warm ${warm.ms} ms, an edit answers after ${editMs} ms\n`,
    );
  } finally {
    bridge.close();
  }
};

describe("sst dev", () => {
  it(
    "runs a handler on the desk, and its edited text in the next invocation",
    async () => {
      const dev = project.start("dev", "--mode=basic", "--stage", "bea");
      await live(dev).finally(() => dev.end());
    },
    liveMsMax,
  );
});
