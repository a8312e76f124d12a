/**
 * The directory of a stage: the real names of what people work on, kept beside it, so that a command needs no more than the
 * stage's name and the right to read. Local mode and the stacks write it, the command reads it.
 *
 * Shape:  parameters of Systems Manager, JSON texts: `/millrace/<stage>/stage`, and one for each pipeline (a parameter has
 *         4,096 characters at most): `/millrace/<stage>/pipelines/<name>`
 */
import { Schema } from "effect";
import { type StageTable } from "./tables.ts";

/** Where the parameters of a stage lie. */
export const directoryOf = (stage: string): string => `/millrace/${stage}`;

/** What all pipelines of a stage share. */
export const stageParameter = (stage: string): string => `${directoryOf(stage)}/stage`;

/** What belongs to one pipeline. */
export const pipelineParameter = (stage: string, pipeline: string): string =>
  `${directoryOf(stage)}/pipelines/${pipeline}`;

const tableNames = {
  journal: Schema.String,
  executions: Schema.String,
  images: Schema.String,
  objectHeads: Schema.String,
  idempotency: Schema.String,
  limits: Schema.String,
} as const satisfies Readonly<Record<StageTable["name"], typeof Schema.String>>;

export const StageDocument = Schema.Struct({
  buckets: Schema.Struct({
    raw: Schema.String,
    clean: Schema.String,
    errors: Schema.String,
    values: Schema.String,
  }),
  tables: Schema.Struct(tableNames),
  /** The archive of all object events, and the bus that it listens to. */
  objectsArchiveArn: Schema.String,
  eventBusArn: Schema.String,
  /**
   * What stops a pipeline from taking messages: its function's event source mapping, or (local mode) a tag of its queue
   * alone.
   */
  pausedBy: Schema.Literals(["mapping", "tag"]),
});
export type StageDocument = typeof StageDocument.Type;

const Queue = Schema.Struct({ url: Schema.String, arn: Schema.String });

export const PipelineDocument = Schema.Struct({
  queue: Queue,
  deadLetters: Queue,
  /** What the rule or a schedule could not deliver to the queue. */
  undelivered: Queue,
});
export type PipelineDocument = typeof PipelineDocument.Type;
