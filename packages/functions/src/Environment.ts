/**
 * What a function is told by its environment variables: the names of the stage's resources.
 *
 * Read once per cold start. A missing name is a configuration error that names the variable.
 */
import type { BucketName } from "@millrace/workflows/topology";
import { Config, Duration, Schema } from "effect";

const bucketVariables = {
  raw: "MILLRACE_BUCKET_RAW",
  clean: "MILLRACE_BUCKET_CLEAN",
  errors: "MILLRACE_BUCKET_ERRORS",
} as const satisfies Record<BucketName, string>;

/** The variables of a function, by what they name; whoever deploys it sets them all. */
export const variables = {
  buckets: bucketVariables,
  valuesBucket: "MILLRACE_BUCKET_VALUES",
  journalTable: "MILLRACE_TABLE_JOURNAL",
  executionsTable: "MILLRACE_TABLE_EXECUTIONS",
  imagesTable: "MILLRACE_TABLE_IMAGES",
  objectHeadsTable: "MILLRACE_TABLE_OBJECT_HEADS",
  idempotencyTable: "MILLRACE_TABLE_IDEMPOTENCY",
  limitsTable: "MILLRACE_TABLE_LIMITS",
  codeVersion: "MILLRACE_CODE_VERSION",
  queueUrl: "MILLRACE_QUEUE_URL",
  deadLetterQueueUrl: "MILLRACE_DEAD_LETTER_QUEUE_URL",
  queueArn: "MILLRACE_QUEUE_ARN",
  undeliveredQueueArn: "MILLRACE_UNDELIVERED_QUEUE_ARN",
  busName: "MILLRACE_BUS",
  topicArn: "MILLRACE_TOPIC_ARN",
  schedulerGroup: "MILLRACE_SCHEDULER_GROUP",
  schedulerRoleArn: "MILLRACE_SCHEDULER_ROLE_ARN",
  secretsPrefix: "MILLRACE_SECRETS_PREFIX",
  /** Only of a pipeline whose outputs are a dataset. */
  catalogDatabase: "MILLRACE_CATALOG_DATABASE",
  pipelineQueueUrls: "MILLRACE_PIPELINE_QUEUE_URLS",
  metricsNamespace: "MILLRACE_METRICS_NAMESPACE",
  taskCluster: "MILLRACE_TASK_CLUSTER",
  taskDefinition: "MILLRACE_TASK_DEFINITION",
  taskSubnets: "MILLRACE_TASK_SUBNETS",
  taskSecurityGroups: "MILLRACE_TASK_SECURITY_GROUPS",
  /** What a task has, told to itself. */
  taskCpuUnits: "MILLRACE_TASK_CPU_UNITS",
  taskMemoryMb: "MILLRACE_TASK_MEMORY_MB",
} as const;

/** Under which its metrics are kept: one per stage, because an account has many stages. */
export const metricsNamespace = Config.String(variables.metricsNamespace).pipe(
  Config.withDefault("Millrace"),
);

const names = (variable: string) =>
  Config.map(Config.String(variable), (text) => text.split(",").filter((name) => name !== ""));

/** Where a pipeline's tasks run, and what they are. */
const TaskEnvironment = Config.all({
  cluster: Config.String(variables.taskCluster),
  taskDefinition: Config.String(variables.taskDefinition),
  subnets: names(variables.taskSubnets),
  securityGroups: names(variables.taskSecurityGroups),
});

/** Name of the container in a task definition. */
export const taskContainer = "worker";

/** The environment of a pipeline's function. */
export const Environment = Config.all({
  buckets: Config.all({
    raw: Config.String(variables.buckets.raw),
    clean: Config.String(variables.buckets.clean),
    errors: Config.String(variables.buckets.errors),
  }),
  /** Where values lie that are too large for the journal. */
  valuesBucket: Config.String(variables.valuesBucket),
  journalTable: Config.String(variables.journalTable),
  executionsTable: Config.String(variables.executionsTable),
  imagesTable: Config.String(variables.imagesTable),
  /** The newest version of each object, for pipelines that want no other. */
  objectHeadsTable: Config.String(variables.objectHeadsTable),
  /** What has been done once per key, and the limits that functions share. */
  idempotencyTable: Config.String(variables.idempotencyTable),
  limitsTable: Config.String(variables.limitsTable),
  codeVersion: Config.String(variables.codeVersion).pipe(Config.withDefault("unversioned")),
  /** What the names of its secrets in Secrets Manager begin with; without it secrets are in the environment. */
  secretsPrefix: Config.option(Config.String(variables.secretsPrefix)),
  queueUrl: Config.String(variables.queueUrl),
  deadLetterQueueUrl: Config.String(variables.deadLetterQueueUrl),
  /** How the scheduler names the queue, and where it puts what it could not send there. */
  queueArn: Config.String(variables.queueArn),
  undeliveredQueueArn: Config.String(variables.undeliveredQueueArn),
  /** Where executions are announced, and their ends notified. */
  busName: Config.String(variables.busName),
  topicArn: Config.String(variables.topicArn),
  schedulerGroup: Config.String(variables.schedulerGroup),
  /** The role that the scheduler takes to send to the queue. */
  schedulerRoleArn: Config.String(variables.schedulerRoleArn),
  /** Only where the pipeline has tasks, and only of its function. */
  tasks: Config.option(TaskEnvironment),
});
export type Environment = Config.Success<typeof Environment>;

/** The environment of the function that signs uploads. */
export const UploadEnvironment = Config.all({
  buckets: Config.all({
    raw: Config.String(variables.buckets.raw),
    clean: Config.String(variables.buckets.clean),
    errors: Config.String(variables.buckets.errors),
  }),
});

/** The environment of the reconciler, which reads what the functions write. */
export const ReconcilerEnvironment = Config.all({
  buckets: Config.all({
    raw: Config.String(variables.buckets.raw),
    clean: Config.String(variables.buckets.clean),
    errors: Config.String(variables.buckets.errors),
  }),
  journalTable: Config.String(variables.journalTable),
  executionsTable: Config.String(variables.executionsTable),
  /** What is younger may be on its way, however busy the pipeline is. */
  grace: Config.Duration("MILLRACE_RECONCILE_GRACE").pipe(Config.withDefault(Duration.minutes(15))),
  /** No execution takes longer; who waits for a person shows up by himself. */
  openLonger: Config.Duration("MILLRACE_RECONCILE_OPEN_LONGER").pipe(
    Config.withDefault(Duration.days(1)),
  ),
  /** What is older is looked at no more. */
  window: Config.Duration("MILLRACE_RECONCILE_WINDOW").pipe(Config.withDefault(Duration.days(3))),
});

/** The environment of the sweeper, which sends to the queues of all pipelines. */
export const SweeperEnvironment = Config.all({
  journalTable: Config.String(variables.journalTable),
  executionsTable: Config.String(variables.executionsTable),
  /** A JSON object: the URL of each pipeline's queue by the pipeline's name. */
  pipelineQueueUrls: Config.schema(
    Schema.fromJsonString(Schema.Record(Schema.String, Schema.String)),
    variables.pipelineQueueUrls,
  ),
});
