/** Rules about containers, and the network they are in. */
import { type PipelineTopology, topology } from "@millrace/workflows/topology";
import { type Graph, type Resource, resourcesOf } from "../Graph.ts";
import {
  change,
  differences,
  isWatched,
  listOf,
  objectOf,
  type Rule,
  textOf,
  without,
} from "../Rule.ts";
import { policyOf, rightsIn, trustIn } from "../statements.ts";
import { matches } from "./events.ts";
import { isHeapWithin } from "./isHeapWithin.ts";
import { logicalName } from "./roles.ts";

const rolesOfTask = ({ inputs }: Resource) => [inputs["executionRoleArn"], inputs["taskRoleArn"]];

/** What is wrong with the way by which a pipeline is told of the ends of its tasks. */
const untold = (graph: Graph, { name, task }: PipelineTopology): ReadonlyArray<string> => {
  if (!task) return [];
  const definition = resourcesOf(graph, "ecs/taskDefinition").find(({ inputs }) =>
    textOf(inputs, "family").endsWith(name),
  );
  const detail = {
    clusterArn: resourcesOf(graph, "ecs/cluster")[0]?.state["arn"],
    group: `family:${String(definition?.inputs["family"])}`,
  };
  const taking = (lastStatus: string) => {
    const head = { source: "aws.ecs", "detail-type": "ECS Task State Change" };
    const event = Object.assign(head, { detail: Object.assign({ lastStatus }, detail) });
    return resourcesOf(graph, "cloudwatch/eventRule").filter(({ inputs }) =>
      matches(textOf(inputs, "eventPattern"), event),
    );
  };
  const queue = resourcesOf(graph, "sqs/queue").find(
    (one) => one.name === `${logicalName(name)}QueueQueue`,
  )?.state["arn"];
  const [rule, ...more] = taking("STOPPED");
  const reaches = resourcesOf(graph, "cloudwatch/eventTarget").some(
    ({ inputs }) => inputs["rule"] === rule?.state["name"] && inputs["arn"] === queue,
  );
  return [
    ...(reaches && more.length === 0 ? [] : [`${name} is not told of them, or twice`]),
    ...(taking("RUNNING").length === 0 ? [] : [`${name} is told of tasks that go on`]),
  ];
};

export const containerRules: ReadonlyArray<Rule> = [
  {
    name: "tasks-have-the-topologys-sizes",
    requirements: ["D2.2"],
    appliesTo: isWatched,
    violations: (graph) =>
      topology.pipelines.flatMap(({ name, task }) => {
        const definition = resourcesOf(graph, "ecs/taskDefinition").find(({ inputs }) =>
          textOf(inputs, "family").endsWith(name),
        );
        const { cpu, memory } = {
          cpu: definition?.inputs["cpu"],
          memory: definition?.inputs["memory"],
        };
        const isRight = task
          ? cpu === String(task.cpuUnits) && memory === String(task.memoryMb)
          : definition === undefined;
        return isRight ? [] : [`${name}: ${String(cpu)}, ${String(memory)} MB`];
      }),
    plant: (graph) => change(graph, "ecs/taskDefinition", { cpu: "1" }),
  },
  {
    name: "a-tasks-heap-fits-its-memory",
    requirements: ["D2.2"],
    appliesTo: isWatched,
    violations: (graph) =>
      resourcesOf(graph, "ecs/taskDefinition")
        .filter(({ inputs }) => {
          const told = /"NODE_OPTIONS","value":"([^"]*)"/.exec(
            textOf(inputs, "containerDefinitions"),
          );
          return !isHeapWithin(told?.[1] ?? "", Number(textOf(inputs, "memory")));
        })
        .map(({ name }) => `${name}: its heap`),
    plant: (graph) => change(graph, "ecs/taskDefinition", { memory: "512" }),
  },
  {
    name: "a-task-starts-by-one-role-and-works-by-another",
    requirements: ["D2.2"],
    appliesTo: isWatched,
    violations: (graph) =>
      resourcesOf(graph, "ecs/taskDefinition")
        .filter((task) => new Set(rolesOfTask(task)).size !== 2)
        .map(({ name }) => `${name} does not`),
    plant: (graph) => {
      const [task] = resourcesOf(graph, "ecs/taskDefinition");
      return change(graph, "ecs/taskDefinition", {
        executionRoleArn: task?.inputs["taskRoleArn"],
      });
    },
  },
  {
    name: "tasks-write-to-a-log-and-are-told-to-stop-in-time",
    requirements: ["D2.2", "D2.6"],
    appliesTo: isWatched,
    violations: (graph) =>
      resourcesOf(graph, "ecs/taskDefinition")
        .filter(({ inputs }) => {
          const text = textOf(inputs, "containerDefinitions");
          return !text.includes('"logDriver":"awslogs"') || !text.includes('"stopTimeout":120');
        })
        .map(({ name }) => `${name} does not`),
    plant: (graph) => change(graph, "ecs/taskDefinition", { containerDefinitions: "[]" }),
  },
  {
    name: "a-pipelines-function-launches-its-own-tasks-and-no-others",
    requirements: ["D2.3", "D2.9", "D4.11"],
    appliesTo: isWatched,
    violations: (graph) =>
      topology.pipelines.flatMap(({ name, task }) => {
        const family = resourcesOf(graph, "ecs/taskDefinition").find(({ inputs }) =>
          textOf(inputs, "family").endsWith(name),
        )?.inputs["family"];
        const launches = rightsIn(graph).filter(
          ({ actions, owner }) =>
            actions.includes("ecs:RunTask") && owner.name === `${logicalName(name)}Role`,
        );
        const wanted = task ? [`task-definition/${String(family)}:*`] : [];
        const found = launches.flatMap(({ conditions, resources }) =>
          conditions.has("ArnEquals:ecs:cluster")
            ? resources.map((arn) => arn.slice(arn.indexOf("task-definition/")))
            : ["in any cluster"],
        );
        return differences(name, wanted, found);
      }),
    plant: (graph) =>
      change(
        graph,
        "iam/role",
        {
          inlinePolicies: [
            {
              policy: policyOf({
                Effect: "Allow",
                Action: "ecs:RunTask",
                Resource: "arn:aws:ecs:us-east-1:1:task-definition/other:*",
              }),
            },
          ],
        },
        ({ name }) => name === "CsvToParquetRole",
      ),
  },
  {
    name: "the-ends-of-tasks-reach-their-pipeline",
    requirements: ["D2.3", "D2.6"],
    appliesTo: isWatched,
    violations: (graph) => topology.pipelines.flatMap((pipeline) => untold(graph, pipeline)),
    plant: (graph) =>
      without(graph, "cloudwatch/eventTarget", ({ name }) => name === "CsvToParquetTasksTarget"),
  },
  {
    name: "tasks-use-spare-capacity",
    requirements: ["D2.6"],
    appliesTo: isWatched,
    violations: (graph) =>
      resourcesOf(graph, "ecs/clusterCapacityProviders").some(({ inputs }) =>
        JSON.stringify(inputs["defaultCapacityProviderStrategies"]).includes("FARGATE_SPOT"),
      )
        ? []
        : ["they do not"],
    plant: (graph) => without(graph, "ecs/clusterCapacityProviders"),
  },
  {
    name: "images-are-scanned-encrypted-and-the-last-ten-kept",
    requirements: ["D2.1"],
    appliesTo: isWatched,
    violations: (graph) => [
      ...resourcesOf(graph, "ecr/repository")
        .filter(
          ({ inputs }) =>
            objectOf(inputs, "imageScanningConfiguration")["scanOnPush"] !== true ||
            listOf(inputs, "encryptionConfigurations").length === 0,
        )
        .map(({ name }) => `${name} does not`),
      ...(resourcesOf(graph, "ecr/lifecyclePolicy").some(({ inputs }) =>
        textOf(inputs, "policy").includes('"countNumber":10'),
      )
        ? []
        : ["all images are kept"]),
    ],
    plant: (graph) => without(graph, "ecr/lifecyclePolicy"),
  },
  {
    name: "nobody-can-call-a-task",
    requirements: ["D4.11"],
    appliesTo: isWatched,
    violations: (graph) =>
      resourcesOf(graph, "ec2/securityGroup")
        .filter(({ name }) => name === "TaskNetwork")
        .filter(({ inputs }) => listOf(inputs, "ingress").length > 0)
        .map(({ name }) => `${name} has a way in`),
    plant: (graph) =>
      change(
        graph,
        "ec2/securityGroup",
        { ingress: [{ cidrBlocks: ["0.0.0.0/0"] }] },
        ({ name }) => name === "TaskNetwork",
      ),
  },
  {
    name: "s3-and-dynamodb-are-reached-without-the-internet",
    requirements: ["D4.11"],
    appliesTo: isWatched,
    violations: (graph) =>
      ["s3", "dynamodb"].filter(
        (service) =>
          !resourcesOf(graph, "ec2/vpcEndpoint").some(
            ({ inputs }) =>
              textOf(inputs, "serviceName").endsWith(`.${service}`) &&
              inputs["vpcEndpointType"] === "Gateway",
          ),
      ),
    plant: (graph) => without(graph, "ec2/vpcEndpoint"),
  },
  {
    name: "only-tasks-of-this-account-take-their-roles",
    requirements: ["D2.2", "D4.11"],
    appliesTo: isWatched,
    violations: (graph) =>
      trustIn(graph)
        .filter(({ principals }) => principals.includes("Service:ecs-tasks.amazonaws.com"))
        .filter(({ conditions }) => !conditions.has("StringEquals:aws:SourceAccount"))
        .map(({ owner }) => `${owner.name} does not say so`),
    plant: (graph) =>
      change(
        graph,
        "iam/role",
        {
          assumeRolePolicy: policyOf({
            Effect: "Allow",
            Principal: { Service: "ecs-tasks.amazonaws.com" },
            Action: "sts:AssumeRole",
          }),
        },
        ({ name }) => name.endsWith("TaskWork"),
      ),
  },
];
