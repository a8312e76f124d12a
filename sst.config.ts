/// <reference path="./.sst/platform/config.d.ts" />

/**
 * The app: what it is called, what a stage keeps, and which concerns it is made of, one file each in stacks/.
 *
 * `npx sst deploy --stage prod` makes all of it; `npx sst dev` makes a stage of your own and runs the functions here.
 */
export default $config({
  app(input) {
    const isProduction = input.stage === "prod";
    return {
      name: "millrace",
      removal: isProduction ? "retain" : "remove",
      protect: isProduction,
      home: "aws",
      providers: {
        aws: {
          version: "7.20.0",
          defaultTags: { tags: { app: "millrace", stage: input.stage } },
        },
        "docker-build": "0.0.14",
      },
    };
  },
  async run() {
    // Nothing is made before the topology is known to be sound.
    const { refuseInvalidTopology } = await import("./stacks/topology");
    refuseInvalidTopology();

    const { retainInProduction } = await import("./stacks/retention");
    retainInProduction();

    const { buckets } = await import("./stacks/buckets");
    const { tables } = await import("./stacks/tables");
    const { archives, bus } = await import("./stacks/events");
    const { executionsTopic, operationsTopic } = await import("./stacks/topics");
    const { pipelines } = await import("./stacks/pipelines");
    const { sweeper } = await import("./stacks/sweeper");
    const { reconciler } = await import("./stacks/reconciler");
    const { catalog } = await import("./stacks/catalog");
    const { uploads } = await import("./stacks/uploads");
    const { tasks } = await import("./stacks/tasks");
    const { network } = await import("./stacks/network");
    await import("./stacks/directory");
    await import("./stacks/alarms");
    await import("./stacks/dashboard");
    await import("./stacks/queries");
    await import("./stacks/audit");

    return {
      buckets: names(buckets, ({ name }) => name),
      tables: names(tables, ({ name }) => name),
      queues: names(pipelines, ({ queues }) => queues.main.url),
      deadLetterQueues: names(pipelines, ({ queues }) => queues.deadLetters.url),
      functions: {
        ...names(pipelines, ({ fn }) => fn.name),
        sweeper: sweeper.fn.name,
        reconciler: reconciler.fn.name,
      },
      tasks: names(tasks, ({ definition }) => definition.arn),
      ...(network && {
        taskSubnets: network.vpc.publicSubnets,
        taskSecurityGroup: network.outwards.id,
      }),
      bus: bus.name,
      archives: names(archives, ({ name }) => name),
      executionsTopic: executionsTopic.arn,
      ...(operationsTopic && { operationsTopic: operationsTopic.arn }),
      catalog: catalog.database.name,
      uploadApi: uploads.url,
    };
  },
});

/** One output for each of a group. */
const names = <Key extends string, Value, Out>(
  group: Readonly<Record<Key, Value>>,
  nameOf: (value: Value) => Out,
) => Object.fromEntries(Object.entries<Value>(group).map(([key, value]) => [key, nameOf(value)]));
