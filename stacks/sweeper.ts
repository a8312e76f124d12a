/**
 * The sweeper: a schedule that invokes a function every few minutes, which asks again for what was forgotten.
 */
import { variables } from "@millrace/functions/Environment";
import { makeScheduled } from "./lib/scheduled";
import { pipelines } from "./pipelines";
import { stage } from "./stage";
import { tables } from "./tables";
import { topology } from "./topology";

const queues = Object.values(pipelines).map(({ queues }) => queues.main);

export const sweeper = makeScheduled({
  logical: "Sweeper",
  group: { logical: "Sweeps", name: "sweeps" },
  description: "asks again for executions that should have moved",
  topology: topology.sweeper,
  environment: {
    [variables.journalTable]: tables.journal.name,
    [variables.executionsTable]: tables.executions.name,
    [variables.metricsNamespace]: stage.metricsNamespace,
    [variables.pipelineQueueUrls]: $jsonStringify(
      Object.fromEntries(
        Object.entries(pipelines).map(([name, { queues }]) => [name, queues.main.url]),
      ),
    ),
  },
  rights: [
    { actions: ["dynamodb:Query"], resources: [tables.journal.arn] },
    { actions: ["dynamodb:PutItem"], resources: [tables.executions.arn] },
    {
      actions: ["dynamodb:Query"],
      resources: [$interpolate`${tables.executions.arn}/index/byOpen`],
    },
    // Wakes; and whether the queue is paused, which its tags say.
    {
      actions: ["sqs:SendMessage", "sqs:ListQueueTags"],
      resources: queues.map(({ arn }) => arn),
    },
  ],
});
