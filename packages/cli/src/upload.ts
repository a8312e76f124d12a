/**
 * `millrace upload <files>`: puts files where a pipeline takes them.
 */
import { S3Client } from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import { type PipelineTopology, pipelines } from "@millrace/workflows/topology";
import { Console, Effect, FileSystem, Option, Path, Schema } from "effect";
import { Argument, Command, Flag } from "effect/cli";
import { createReadStream } from "node:fs";
import { findStage, type Stage } from "./Stage.ts";
import { jsonFlag } from "./jsonFlag.ts";
import { makeProgress } from "./Progress.ts";

/** No pipeline takes such a file. */
export class NoPipelineForFile extends Schema.TaggedError<NoPipelineForFile>()(
  "NoPipelineForFile",
  { file: Schema.String, suffixes: Schema.Array(Schema.String) },
) {
  override get message(): string {
    return `no pipeline takes ${this.file}: they take ${this.suffixes.join(", ")}; or say where it belongs with --prefix`;
  }
}

/** The file did not get into the bucket. */
export class UploadFailed extends Schema.TaggedError<UploadFailed>()("UploadFailed", {
  file: Schema.String,
  cause: Schema.Defect(),
}) {
  override get message(): string {
    return `${this.file} was not uploaded: ${String(this.cause)}`;
  }
}

/** The pipeline that takes a file of that name. */
export const pipelineFor = (file: string): PipelineTopology | undefined =>
  Object.values(pipelines).find(({ trigger }) =>
    trigger.suffixes.some((suffix) => file.toLowerCase().endsWith(suffix)),
  );

/** Puts one file under a key of the raw bucket. */
export const uploadFile = Effect.fnUntraced(function* (stage: Stage, file: string, key: string) {
  const client = new S3Client(stage.clients);
  const result = yield* Effect.tryPromise({
    try: () =>
      new Upload({
        client,
        params: { Bucket: stage.buckets.raw, Key: key, Body: createReadStream(file) },
      }).done(),
    catch: (cause) => new UploadFailed({ file, cause }),
  });
  return { bucket: stage.buckets.raw, key, versionId: result.VersionId };
});

export const upload = Command.make(
  "upload",
  {
    files: Argument.String("files").pipe(
      Argument.withDescription("Files to upload"),
      Argument.variadic({ min: 1 }),
    ),
    prefix: Flag.String("prefix").pipe(
      Flag.withDescription("Key prefix; by default that of the pipeline that takes such files"),
      Flag.optional,
    ),
    json: jsonFlag,
  },
  Effect.fnUntraced(function* ({ files, json, prefix }) {
    const stage = yield* findStage;
    const fs = yield* FileSystem.FileSystem;
    const path = yield* Path.Path;
    const progress = yield* makeProgress("uploading", files.length);
    const uploadOne = Effect.fnUntraced(function* (file: string) {
      const folder = Option.getOrElse(prefix, () => pipelineFor(file)?.trigger.prefix);
      if (folder === undefined) {
        return yield* new NoPipelineForFile({
          file,
          suffixes: Object.values(pipelines).flatMap(({ trigger }) => trigger.suffixes),
        });
      }
      yield* fs.access(file);
      const uploaded = yield* uploadFile(stage, file, `${folder}${path.basename(file)}`);
      yield* Console.log(
        json ? JSON.stringify({ file, ...uploaded }) : `${uploaded.bucket}/${uploaded.key}`,
      );
      yield* progress.advance(1);
    });
    yield* Effect.forEach(files, uploadOne, { discard: true }).pipe(
      Effect.ensuring(progress.clear),
    );
  }),
).pipe(
  Command.withDescription(
    "Upload files to the raw bucket, where the pipelines take them. Exit codes: 0 all are there; 1 one was not uploaded, or no pipeline takes it; 2 wrong usage",
  ),
  Command.withShortDescription("Upload files to the raw bucket, where the pipelines take them"),
  Command.withExamples([
    { command: "millrace upload orders.csv photo.jpg", description: "Each to its pipeline" },
    { command: "millrace upload orders.csv --prefix incoming/2026/", description: "Into a folder" },
  ]),
);
