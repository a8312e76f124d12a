/**
 * One dashboard: what comes in and goes out first, then how the machinery is.
 */
import type { Watched } from "./lib/alarms";
import { ofFunction, ofPipeline, ofQueue, ofRule, ofTable } from "./lib/numbers";
import { pipelines } from "./pipelines";
import { named, region, stage } from "./stage";
import { tables } from "./tables";

/** Widgets of a row; CloudWatch's grid is 24 wide. */
const columns = 3;
const size = { width: 24 / columns, height: 6 };

/** One number in CloudWatch's form: namespace, metric, dimensions, and how it is shown. */
const lineOf = (id: string, watched: Watched, visible: boolean): ReadonlyArray<unknown> => {
  const { dimensions, metric, namespace, statistic } = watched;
  const shown = { id, label: id, stat: statistic, visible };
  return [namespace, metric, ...Object.entries(dimensions).flat(), shown];
};

/** A graph of some numbers, each with its label. */
const graph = (title: string, numbers: Readonly<Record<string, Watched>>, percent?: string) => ({
  type: "metric",
  properties: {
    title,
    region,
    view: "timeSeries",
    period: 300,
    metrics: [
      ...(percent === undefined
        ? []
        : [[{ expression: percent, label: "percent", id: "percent" }]]),
      ...Object.entries(numbers).map(([id, watched]) => lineOf(id, watched, percent === undefined)),
    ],
  },
});

const heading = (markdown: string) => ({ type: "text", properties: { markdown } });

/** `a-b` is not allowed in the id of a number. */
const idOf = (text: string): string => text.replaceAll("-", "_");

const perPipeline = (of: (deployed: (typeof pipelines)[string]) => Watched) =>
  Object.fromEntries(
    Object.entries(pipelines).map(([name, deployed]) => [idOf(name), of(deployed)]),
  );

const ofEach = (metric: string, statistic?: string) =>
  perPipeline(({ pipeline }) => ofPipeline(pipeline.name, metric, statistic));

const business = () => [
  graph(
    "Files in",
    perPipeline((deployed) => ofRule(deployed, "MatchedEvents")),
  ),
  graph("Done", ofEach("ExecutionsCompleted")),
  graph("Failed", ofEach("ExecutionsFailed")),
  graph("From start to end, p95 ms", ofEach("ExecutionMs", "p95")),
  ...Object.values(pipelines).map(({ pipeline: { name } }) =>
    graph(
      `Success of ${name}`,
      {
        done: ofPipeline(name, "ExecutionsCompleted"),
        failed: ofPipeline(name, "ExecutionsFailed"),
      },
      "100 * FILL(done, 0) / (FILL(done, 0) + FILL(failed, 0))",
    ),
  ),
  graph(
    "Given up",
    perPipeline(({ queues }) =>
      ofQueue(queues.deadLetters.nodes.queue.name, "ApproximateNumberOfMessagesVisible"),
    ),
  ),
];

const system = () => [
  graph(
    "Waiting",
    perPipeline(({ queues }) =>
      ofQueue(queues.main.nodes.queue.name, "ApproximateNumberOfMessagesVisible"),
    ),
  ),
  graph(
    "Oldest message, s",
    perPipeline(({ queues }) =>
      ofQueue(queues.main.nodes.queue.name, "ApproximateAgeOfOldestMessage"),
    ),
  ),
  graph(
    "Functions at work",
    perPipeline(({ fn }) => ofFunction(fn.name, "ConcurrentExecutions", "Maximum")),
  ),
  graph(
    "Duration, p95 ms",
    perPipeline(({ fn }) => ofFunction(fn.name, "Duration", "p95")),
  ),
  graph(
    "Errors",
    perPipeline(({ fn }) => ofFunction(fn.name, "Errors")),
  ),
  graph("Retried steps", ofEach("StepFailures")),
  graph("Journal", {
    written: ofTable(tables.journal.name, "ConsumedWriteCapacityUnits"),
    read: ofTable(tables.journal.name, "ConsumedReadCapacityUnits"),
    throttled: ofTable(tables.journal.name, "WriteThrottleEvents"),
  }),
  graph("Writers that met", ofEach("AppendConflicts")),
  graph("Gaps between buckets and executions", ofEach("ConservationGap", "Maximum")),
  graph("Forgotten, and woken", { forgotten: ofPipeline("sweeper", "ForgottenExecutions") }),
];

type Widget = ReturnType<typeof heading> | ReturnType<typeof graph>;

/** One below the other: a heading, then its graphs in rows. */
const layOut = (sections: ReadonlyArray<readonly [string, ReadonlyArray<Widget>]>) => {
  let y = 0;
  return sections.flatMap(([title, graphs]) => {
    const top = { ...heading(`## ${title}`), x: 0, y, width: 24, height: 1 };
    y += 1;
    const placed = graphs.map((one, index) =>
      Object.assign(
        {
          x: (index % columns) * size.width,
          y: y + Math.floor(index / columns) * size.height,
          ...size,
        },
        one,
      ),
    );
    y += Math.ceil(graphs.length / columns) * size.height;
    return [top, ...placed];
  });
};

export const dashboard = stage.isWatched
  ? new aws.cloudwatch.Dashboard("Dashboard", {
      dashboardName: named("overview"),
      dashboardBody: $jsonStringify({
        widgets: layOut([
          ["Business", business()],
          ["System", system()],
        ]),
      }),
    })
  : undefined;
