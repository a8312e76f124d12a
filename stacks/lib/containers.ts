/**
 * The task of one pipeline: its definition, the role by which it starts, and the role by which it works.
 */
import type { TaskTopology } from "@millrace/workflows/topology";
import { cluster } from "../cluster";
import { account, logicalName, named, region, stage } from "../stage";
import { type Right, rights, trustOf } from "./policies";
import type { DeployedPipeline } from "./pipeline";

/** From SIGTERM to SIGKILL, in seconds: the longest that there is, and what Spot gives notice of. */
const stopSeconds = 120;

/** Only tasks of this account's clusters. */
const ownTasks = {
  StringEquals: { "aws:SourceAccount": account },
  ArnLike: { "aws:SourceArn": $interpolate`arn:aws:ecs:${region}:${account}:*` },
};

export const makeContainer = (deployed: DeployedPipeline, size: TaskTopology) => {
  if (!cluster)
    throw new Error("containers are made only where there is a cluster: stacks/cluster.ts");
  const { environment, pipeline, rights: allowed } = deployed;
  const logical = `${logicalName(pipeline.name)}Task`;
  const log = new aws.cloudwatch.LogGroup(`${logical}Log`, {
    namePrefix: `/${$app.name}/${$app.stage}/${logical}-`,
    retentionInDays: stage.logDays,
  });
  const roleWith = (name: string, statements: ReadonlyArray<Right>) =>
    new aws.iam.Role(`${logical}${name}`, {
      assumeRolePolicy: trustOf("ecs-tasks.amazonaws.com", ownTasks),
      inlinePolicies: [{ name: "inline", policy: rights(statements) }],
    });
  const starter = roleWith("Start", [
    // The login to the registry belongs to no repository.
    { actions: ["ecr:GetAuthorizationToken"], resources: ["*"] },
    {
      actions: [
        "ecr:BatchGetImage",
        "ecr:GetDownloadUrlForLayer",
        "ecr:BatchCheckLayerAvailability",
      ],
      resources: [cluster.repository.arn],
    },
    {
      actions: ["logs:CreateLogStream", "logs:PutLogEvents"],
      resources: [$interpolate`${log.arn}:*`],
    },
  ]);
  const worker = roleWith("Work", allowed);
  const variables = $util.output(environment).apply((all) =>
    Object.entries({ ...all, MILLRACE_PIPELINE: pipeline.name }).map(([name, value]) => ({
      name,
      value,
    })),
  );
  const definition = new aws.ecs.TaskDefinition(logical, {
    family: named(pipeline.name),
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
        name: "worker",
        image: cluster.image.ref,
        essential: true,
        readonlyRootFilesystem: false,
        stopTimeout: stopSeconds,
        // Its own first process, which hands signals on.
        linuxParameters: { initProcessEnabled: true },
        environment: variables,
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
