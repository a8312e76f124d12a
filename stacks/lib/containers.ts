/**
 * The definition of a pipeline's tasks.
 */
import { taskContainer, variables } from "@millrace/functions/Environment";
import type { TaskTopology } from "@millrace/workflows/topology";
import { cluster } from "../cluster";
import { logicalName, region } from "../stage";
import { heapOptions } from "./heap";
import type { DeployedPipeline } from "./pipeline";

/** From SIGTERM to SIGKILL, in seconds: the longest that there is, and what Spot gives notice of. */
const stopSeconds = 120;

export const makeContainer = (deployed: DeployedPipeline, size: TaskTopology) => {
  const { pipeline, taskEnvironment, taskRoles } = deployed;
  if (!(cluster && taskRoles)) {
    throw new Error("containers are made only where there is a cluster: stacks/cluster.ts");
  }
  const { family, log, starter, worker } = taskRoles;
  const told = $util.output(taskEnvironment).apply((all) =>
    Object.entries({
      ...all,
      MILLRACE_PIPELINE: pipeline.name,
      NODE_OPTIONS: heapOptions(size.memoryMb),
      // Each thread's own would keep what DuckDB has given back: 40 MB more at the peak of 1 GB of CSV (measured).
      MALLOC_ARENA_MAX: "2",
      [variables.taskCpuUnits]: String(size.cpuUnits),
      [variables.taskMemoryMb]: String(size.memoryMb),
    }).map(([name, value]) => ({ name, value })),
  );
  const definition = new aws.ecs.TaskDefinition(`${logicalName(pipeline.name)}Task`, {
    family,
    requiresCompatibilities: ["FARGATE"],
    networkMode: "awsvpc",
    cpu: String(size.cpuUnits),
    memory: String(size.memoryMb),
    ephemeralStorage: { sizeInGib: Math.max(size.storageGb, 21) },
    runtimePlatform: { cpuArchitecture: "X86_64", operatingSystemFamily: "LINUX" },
    executionRoleArn: starter.arn,
    taskRoleArn: worker.arn,
    containerDefinitions: $jsonStringify([
      {
        name: taskContainer,
        image: cluster.image.ref,
        essential: true,
        readonlyRootFilesystem: false,
        stopTimeout: stopSeconds,
        // Its own first process, which hands signals on.
        linuxParameters: { initProcessEnabled: true },
        environment: told,
        logConfiguration: {
          logDriver: "awslogs",
          options: {
            "awslogs-group": log.name,
            "awslogs-region": region,
            "awslogs-stream-prefix": pipeline.name,
          },
        },
      },
    ]),
  });
  return { definition, log };
};
