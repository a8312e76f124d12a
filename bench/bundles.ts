/**
 * `npm run bench -- bundles`: every function as SST bundles it for Lambda: its size, what importing it costs, and its
 * first invocation with a real event against the embedded AWS. One JSON line per function.
 *
 * Units:  KB of 1,000 bytes; milliseconds, the median of `starts` processes on this machine's Node
 */
import { PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { ReceiveMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { NodeServices } from "@effect/platform-node";
import {
  clientConfig,
  connectionVariables,
  EmbeddedAws,
  layerLocalMode,
  localBuckets,
  localQueues,
  localReconcilerVariables,
  localSweeperVariables,
  localVariables,
  queueUrl,
} from "@millrace/local";
import { type PipelineTopology, topology } from "@millrace/workflows/topology";
import { Effect, Layer, Schema } from "effect";
import { execFile } from "node:child_process";
import { readdirSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import sharp from "sharp";
import { bundleBytes } from "../test/sst/bundleBytes.ts";
import { makeSstProject, type SstProject } from "../test/sst/SstProject.ts";

const run = promisify(execFile);

const starts = Number(process.argv[2] ?? 11);

const Figures = Schema.fromJsonString(
  Schema.Struct({
    importMs: Schema.Finite,
    importCpuMs: Schema.Finite,
    firstMs: Schema.optionalKey(Schema.Finite),
    firstCpuMs: Schema.optionalKey(Schema.Finite),
  }),
);
const decodeFigures = Schema.decodeUnknownSync(Figures);

const median = (values: ReadonlyArray<number>): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

/** One process that imports the bundle, and invokes it when there is an event. The embedded AWS answers meanwhile. */
const start = async (
  bundle: string,
  variables: Readonly<Record<string, string>>,
  eventFile?: string,
): Promise<typeof Figures.Type> => {
  const script = join(import.meta.dirname, "bundles", "invoke.mjs");
  const { stdout } = await run(
    process.execPath,
    [script, bundle, ...(eventFile === undefined ? [] : [eventFile])],
    { env: { ...process.env, ...variables } },
  );
  const line = /^FIGURES (.*)$/m.exec(stdout)?.[1];
  if (line === undefined) throw new Error(`${bundle} printed no figures: ${stdout}`);
  return decodeFigures(line);
};

const folderBytes = (folder: string): number =>
  readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => !name.endsWith(".map"))
    .map((name) => statSync(join(folder, name)))
    .reduce((sum, file) => sum + (file.isFile() ? file.size : 0), 0);

/** A file that the pipeline takes. */
const sample = async ({ trigger }: PipelineTopology): Promise<Uint8Array> =>
  trigger.suffixes[0] === ".csv"
    ? Buffer.from("id,total\n1,2\n2,3\n")
    : sharp({ create: { width: 900, height: 700, channels: 3, background: "#336699" } })
        .jpeg()
        .toBuffer();

const measure = Effect.fnUntraced(function* (project: SstProject) {
  const connection = yield* EmbeddedAws;
  const config = clientConfig(connection);
  const s3 = new S3Client({ ...config, forcePathStyle: true });
  const sqs = new SQSClient(config);
  const common = connectionVariables(connection);
  const { endpoint } = connection;

  /** The Lambda event of an upload, as its rule put it into the pipeline's queue. */
  const eventOf = async (pipeline: PipelineTopology, index: number): Promise<string> => {
    const { bucket, prefix, suffixes } = pipeline.trigger;
    await s3.send(
      new PutObjectCommand({
        Bucket: localBuckets[bucket],
        Key: `${prefix}${index}${suffixes[0]}`,
        Body: await sample(pipeline),
      }),
    );
    const { Messages = [] } = await sqs.send(
      new ReceiveMessageCommand({
        QueueUrl: queueUrl(endpoint, localQueues(pipeline).queue),
        WaitTimeSeconds: 20,
      }),
    );
    const file = join(project.folder, `${pipeline.name}-${index}.json`);
    const Records = Messages.map(({ Body, MessageId }) => ({ messageId: MessageId, body: Body }));
    writeFileSync(file, JSON.stringify({ Records }));
    return file;
  };

  const report = async (
    name: string,
    handler: string,
    variables: Readonly<Record<string, string>>,
    event: (index: number) => Promise<string | undefined>,
  ): Promise<void> => {
    const bundle = project.bundleOf(handler);
    const figures: Array<typeof Figures.Type> = [];
    for (let index = 0; index < starts; index++) {
      figures.push(await start(bundle, { ...common, ...variables }, await event(index)));
    }
    const firstMs = figures.flatMap((one) => one.firstMs ?? []);
    const firstCpuMs = figures.flatMap((one) => one.firstCpuMs ?? []);
    const { all, start: atStart } = bundleBytes(bundle);
    const result = {
      function: name,
      startKb: Math.round(atStart / 1_000),
      codeKb: Math.round(all / 1_000),
      wholeKb: Math.round(folderBytes(dirname(bundle)) / 1_000),
      importMs: Math.round(median(figures.map(({ importMs }) => importMs))),
      importCpuMs: Math.round(median(figures.map(({ importCpuMs }) => importCpuMs))),
      ...(firstMs.length > 0 && {
        firstInvocationMs: Math.round(median(firstMs)),
        firstInvocationCpuMs: Math.round(median(firstCpuMs)),
      }),
      starts,
      node: process.version,
    };
    process.stdout.write(`${JSON.stringify(result)}\n`);
  };

  yield* Effect.promise(async () => {
    for (const pipeline of topology.pipelines) {
      const variables = localVariables(endpoint, pipeline);
      await report(pipeline.name, pipeline.handler, variables, (index) => eventOf(pipeline, index));
    }
    const { reconciler, sweeper } = topology;
    const nothing = join(project.folder, "nothing.json");
    writeFileSync(nothing, "{}");
    await report(sweeper.name, sweeper.handler, localSweeperVariables(endpoint, topology), () =>
      Promise.resolve(nothing),
    );
    await report(reconciler.name, reconciler.handler, localReconcilerVariables, () =>
      Promise.resolve(nothing),
    );
    const asked = join(project.folder, "asked.json");
    const [{ name: pipeline }] = [topology.pipelines[0] ?? { name: "" }];
    const body = JSON.stringify({ pipeline, fileName: "a.csv", contentType: "text/csv" });
    writeFileSync(asked, JSON.stringify({ body }));
    const buckets = {
      MILLRACE_BUCKET_RAW: localBuckets.raw,
      MILLRACE_BUCKET_CLEAN: localBuckets.clean,
      MILLRACE_BUCKET_ERRORS: localBuckets.errors,
    };
    await report("uploads", "uploads", buckets, () => Promise.resolve(asked));
  });
});

const project = await makeSstProject();
try {
  const { code, output } = await project.sst("deploy", "--stage", "bench");
  if (code !== 0) throw new Error(output);
  const local = layerLocalMode({ workers: false }).pipe(Layer.provideMerge(NodeServices.layer));
  await Effect.runPromise(measure(project).pipe(Effect.provide(local)));
} finally {
  project.remove();
}
