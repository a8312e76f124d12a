/**
 * The directory of the stage: the real names of what people work on, for `millrace ... --stage`. Names and no secrets;
 * reading them takes a right to read parameters, and to do anything with them the rights on the things themselves.
 */
import {
  type PipelineDocument,
  pipelineParameter,
  type StageDocument,
  stageParameter,
} from "@millrace/functions/StageDirectory";
import { buckets } from "./buckets";
import { archives, defaultBusArn } from "./events";
import { pipelines } from "./pipelines";
import { logicalName, stage } from "./stage";
import { tables } from "./tables";

/** A document in which each name is known only when what it names is made. */
type Made<A> = { readonly [K in keyof A]: A[K] extends string ? $util.Input<A[K]> : Made<A[K]> };

const makeParameter = (
  logical: string,
  name: string,
  document: Made<StageDocument> | Made<PipelineDocument>,
) =>
  new aws.ssm.Parameter(logical, {
    name,
    description: `what stage ${stage.name} is called in this account`,
    type: aws.ssm.ParameterType.String,
    value: $jsonStringify(document),
  });

makeParameter("StageDirectory", stageParameter(stage.name), {
  buckets: {
    raw: buckets.raw.name,
    clean: buckets.clean.name,
    errors: buckets.errors.name,
    values: buckets.values.name,
  },
  tables: {
    journal: tables.journal.name,
    executions: tables.executions.name,
    images: tables.images.name,
    objectHeads: tables.objectHeads.name,
    idempotency: tables.idempotency.name,
    limits: tables.limits.name,
  },
  objectsArchiveArn: archives.objects.arn,
  eventBusArn: defaultBusArn,
  pausedBy: "mapping",
});

/** A queue as its clients call it. */
const at = ({ arn, url }: sst.aws.Queue) => ({ url, arn });

for (const { pipeline, queues } of Object.values(pipelines)) {
  makeParameter(
    `${logicalName(pipeline.name)}Directory`,
    pipelineParameter(stage.name, pipeline.name),
    {
      queue: at(queues.main),
      deadLetters: at(queues.deadLetters),
      undelivered: at(queues.undelivered),
    },
  );
}
