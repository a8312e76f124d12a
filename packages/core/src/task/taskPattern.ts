/**
 * The pattern of the rule that tells a pipeline of the ends of its tasks: of one family, in one cluster.
 *
 * Source: Amazon ECS developer guide, "Amazon ECS task state change events"; `group` is `family:<family>` for tasks that
 * RunTask started
 */
export const toTaskPattern = (clusterArn: string, family: string): string =>
  JSON.stringify({
    source: ["aws.ecs"],
    "detail-type": ["ECS Task State Change"],
    detail: { clusterArn: [clusterArn], group: [`family:${family}`], lastStatus: ["STOPPED"] },
  });
