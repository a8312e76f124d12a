/**
 * The stage that a command works on: whose AWS it speaks to, and what everything in it is called there.
 *
 * Local mode is a stage like any other: the names come from the stage's directory (StageDirectory), read from the AWS
 * that the command was pointed at. Without `--stage` that is the local mode of this folder, with it a deployed stage of the
 * account and region of the environment.
 */
import { paginateGetParametersByPath, type Parameter, SSMClient } from "@aws-sdk/client-ssm";
import {
  directoryOf,
  PipelineDocument,
  pipelineParameter,
  StageDocument,
  stageParameter,
} from "@millrace/functions/StageDirectory";
import { type AwsConnection, clientConfig, localStage } from "@millrace/local";
import { type PipelineBase } from "@millrace/workflows/topology";
import { Effect, Option, Schema } from "effect";
import { findConnection } from "./Connection.ts";
import { StageFlag } from "./StageFlag.ts";

/** There is no such stage where the command looked. */
export class StageNotFound extends Schema.TaggedError<StageNotFound>()("StageNotFound", {
  stage: Schema.String,
  parameter: Schema.String,
}) {
  override get message(): string {
    return `no stage "${this.stage}" is deployed there (no parameter ${this.parameter}): see whether AWS_PROFILE and AWS_REGION are those of its account, or deploy it with \`npx sst deploy --stage ${this.stage}\``;
  }
}

/** The directory could not be read, or says something that this command does not understand. */
export class StageUnread extends Schema.TaggedError<StageUnread>()("StageUnread", {
  stage: Schema.String,
  cause: Schema.Defect(),
}) {
  override get message(): string {
    return `the directory of stage "${this.stage}" (${directoryOf(this.stage)}) could not be read (${String(this.cause)}): it takes credentials that may do ssm:GetParametersByPath there, and a stage that was deployed with this version`;
  }
}

/** The topology has a pipeline that the stage has not. */
export class PipelineNotDeployed extends Schema.TaggedError<PipelineNotDeployed>()(
  "PipelineNotDeployed",
  { stage: Schema.String, pipeline: Schema.String },
) {
  override get message(): string {
    return `stage "${this.stage}" has no pipeline ${this.pipeline}: it was deployed before the pipeline was added`;
  }
}

/** What a client of the stage's AWS is made with; nothing but what the environment says for a deployed stage. */
export type AwsClients = Partial<ReturnType<typeof clientConfig>> & {
  /** For S3 clients: the embedded AWS has no names of hosts for buckets. */
  readonly forcePathStyle?: boolean;
};

export interface Stage extends StageDocument {
  readonly name: string;
  readonly clients: AwsClients;
  readonly queuesOf: (
    pipeline: Pick<PipelineBase, "name">,
  ) => Effect.Effect<PipelineDocument, PipelineNotDeployed>;
  /** A pipeline's queue by the pipeline's name; what is no pipeline's name stays as it is, and its service says so. */
  readonly queueNamed: (pipeline: string) => PipelineDocument["queue"];
}

/** The stage that the command line and the environment name. */
export const findStage = Effect.gen(function* () {
  const asked = yield* StageFlag;
  return Option.isSome(asked) && asked.value !== localStage
    ? yield* readStage(asked.value, {})
    : yield* localStageOf(yield* findConnection);
});

/** The stage that an embedded AWS is. */
export const localStageOf = (connection: AwsConnection) =>
  readStage(localStage, { ...clientConfig(connection), forcePathStyle: true });

/** Reads a stage's directory. */
export const readStage = Effect.fnUntraced(function* (name: string, clients: AwsClients) {
  const parameters = yield* readParameters(name, clients);
  const shared = parameters.get(stageParameter(name));
  if (shared === undefined) {
    return yield* new StageNotFound({ stage: name, parameter: stageParameter(name) });
  }
  const unread = (cause: unknown) => new StageUnread({ stage: name, cause });
  const document = yield* Effect.mapError(decodeStage(shared), unread);
  const pipelines = new Map<string, PipelineDocument>();
  for (const [parameter, text] of parameters) {
    const pipeline = parameter.slice(pipelineParameter(name, "").length);
    if (parameter !== pipelineParameter(name, pipeline)) continue;
    pipelines.set(pipeline, yield* Effect.mapError(decodePipeline(text), unread));
  }
  const stage: Stage = {
    ...document,
    name,
    clients,
    queuesOf: ({ name: pipeline }) =>
      Effect.mapError(
        Effect.fromNullishOr(pipelines.get(pipeline)),
        () => new PipelineNotDeployed({ stage: name, pipeline }),
      ),
    queueNamed: (pipeline) => pipelines.get(pipeline)?.queue ?? { url: pipeline, arn: pipeline },
  };
  return stage;
});

const decodeStage = Schema.decodeEffect(Schema.fromJsonString(StageDocument));
const decodePipeline = Schema.decodeEffect(Schema.fromJsonString(PipelineDocument));

/** All parameters of the directory, by name. */
const readParameters = Effect.fnUntraced(function* (name: string, clients: AwsClients) {
  const client = yield* Effect.acquireRelease(
    Effect.sync(() => new SSMClient(clients)),
    (open) => Effect.sync(() => open.destroy()),
  );
  const found = yield* Effect.tryPromise({
    try: async () => {
      const all: Array<Parameter> = [];
      const below = { Path: directoryOf(name), Recursive: true };
      for await (const page of paginateGetParametersByPath({ client }, below)) {
        all.push(...(page.Parameters ?? []));
      }
      return all;
    },
    catch: (cause) => new StageUnread({ stage: name, cause }),
  });
  return new Map(found.map(({ Name = "", Value = "" }) => [Name, Value]));
}, Effect.scoped);
