/**
 * Where events come from: objects on the account's default bus, executions on the product's own. An archive on each, so
 * that everything can be replayed.
 */
import { named, stage, account, region } from "./stage";
import { buckets } from "./buckets";

/** Executions are announced here; pipelines that follow another listen. */
export const bus = new sst.aws.Bus("Lifecycle");

/** S3 sends its events to the default bus, and to no other. */
export const defaultBusArn = $interpolate`arn:aws:events:${region}:${account}:event-bus/default`;

export const archives = {
  objects: new aws.cloudwatch.EventArchive("ObjectsArchive", {
    name: named("objects"),
    description: "objects that were created in the raw bucket",
    eventSourceArn: defaultBusArn,
    retentionDays: stage.archiveDays,
    eventPattern: $jsonStringify({
      source: ["aws.s3"],
      "detail-type": ["Object Created"],
      detail: { bucket: { name: [buckets.raw.name] } },
    }),
  }),
  lifecycle: new aws.cloudwatch.EventArchive("LifecycleArchive", {
    name: named("lifecycle"),
    description: "what became of executions",
    eventSourceArn: bus.arn,
    retentionDays: stage.archiveDays,
  }),
};
