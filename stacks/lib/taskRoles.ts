/**
 * The roles of a pipeline's tasks, their log, and their family's name: what must be there before the function, which may
 * launch these tasks and no others.
 */
import { variables } from "@millrace/functions/Environment";
import { toTaskPattern } from "@millrace/core/taskPattern";
import type { PipelineBase } from "@millrace/workflows/topology";
import { cluster } from "../cluster";
import { network } from "../network";
import { account, logicalName, named, region, stage } from "../stage";
import { type Right, rights, trustOf } from "./policies";

/** Only tasks of this account's clusters. */
const ownTasks = {
  StringEquals: { "aws:SourceAccount": account },
  ArnLike: { "aws:SourceArn": $interpolate`arn:aws:ecs:${region}:${account}:*` },
};

const toStart = (repositoryArn: $util.Input<string>, logArn: $util.Input<string>): Array<Right> => [
  // The login to the registry belongs to no repository.
  { actions: ["ecr:GetAuthorizationToken"], resources: ["*"] },
  {
    actions: ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer", "ecr:BatchCheckLayerAvailability"],
    resources: [repositoryArn],
  },
  {
    actions: ["logs:CreateLogStream", "logs:PutLogEvents"],
    resources: [$interpolate`${logArn}:*`],
  },
];

/** Nothing for a pipeline without tasks, and in a stage without containers. */
export const makeTaskRoles = (pipeline: PipelineBase, allowed: ReadonlyArray<Right>) => {
  if (!(pipeline.task && cluster && network)) return undefined;
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
  const starter = roleWith("Start", toStart(cluster.repository.arn, log.arn));
  const worker = roleWith("Work", allowed);
  const family = named(pipeline.name);
  const { cluster: ecs } = cluster;
  const inCluster = [{ test: "ArnEquals", variable: "ecs:cluster", values: [ecs.arn] }];
  return {
    family,
    log,
    starter,
    worker,
    /** What the pipeline's function is told. */
    environment: {
      [variables.taskCluster]: ecs.name,
      [variables.taskDefinition]: family,
      [variables.taskSubnets]: $util
        .output(network.vpc.publicSubnets)
        .apply((ids) => ids.join(",")),
      [variables.taskSecurityGroups]: network.outwards.id,
    },
    /** What the pipeline's function may do: launch and stop tasks of its own family, in this cluster. */
    rights: [
      {
        actions: ["ecs:RunTask"],
        resources: [$interpolate`arn:aws:ecs:${region}:${account}:task-definition/${family}:*`],
        conditions: inCluster,
      },
      {
        actions: ["ecs:StopTask"],
        resources: [$interpolate`arn:aws:ecs:${region}:${account}:task/${ecs.name}/*`],
        conditions: inCluster,
      },
      {
        actions: ["iam:PassRole"],
        resources: [starter.arn, worker.arn],
        conditions: [
          {
            test: "StringEquals",
            variable: "iam:PassedToService",
            values: ["ecs-tasks.amazonaws.com"],
          },
        ],
      },
    ] satisfies Array<Right>,
    /** The pattern of the rule that tells of their ends. */
    pattern: ecs.arn.apply((arn) => toTaskPattern(arn, family)),
  };
};

export type TaskRoles = NonNullable<ReturnType<typeof makeTaskRoles>>;
