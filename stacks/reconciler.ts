/**
 * The reconciler: a schedule that invokes a function every hour, which compares the buckets with the executions. It
 * reads and writes nothing; what it finds is the figure that the alarm "conservation gap" watches.
 */
import { variables } from "@millrace/functions/Environment";
import { buckets } from "./buckets";
import { makeScheduled } from "./lib/scheduled";
import { stage } from "./stage";
import { tables } from "./tables";
import { topology } from "./topology";

export const reconciler = makeScheduled({
  logical: "Reconciler",
  group: { logical: "Reconciliations", name: "reconciliations" },
  description: "compares the buckets with the executions",
  topology: topology.reconciler,
  environment: {
    [variables.buckets.raw]: buckets.raw.name,
    [variables.buckets.clean]: buckets.clean.name,
    [variables.buckets.errors]: buckets.errors.name,
    [variables.journalTable]: tables.journal.name,
    [variables.executionsTable]: tables.executions.name,
    [variables.metricsNamespace]: stage.metricsNamespace,
  },
  rights: [
    // Lists, no contents: of what comes in and of what goes out.
    { actions: ["s3:ListBucketVersions"], resources: [buckets.raw.arn, buckets.clean.arn] },
    { actions: ["dynamodb:Query"], resources: [tables.journal.arn] },
    { actions: ["dynamodb:GetItem"], resources: [tables.executions.arn] },
    {
      actions: ["dynamodb:Query"],
      resources: [$interpolate`${tables.executions.arn}/index/byStart`],
    },
  ],
});
