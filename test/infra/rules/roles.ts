/** Rules about who may do what. */
import { topology } from "@millrace/workflows/topology";
import { type Graph, type Resource, resourcesOf } from "../Graph.ts";
import { byArn, change, isDeployed, objectOf, type Rule, textOf } from "../Rule.ts";
import { policyOf, resourcePoliciesIn, rightsIn, type Statement, trustIn } from "../statements.ts";

/** Actions that know no resource, and why a function may have them all the same. */
export const resourceless: Readonly<Record<string, string>> = {
  "xray:PutTraceSegments": "a trace is no resource; it can only be written",
  "xray:PutTelemetryRecords": "as above",
  "ecr:GetAuthorizationToken": "the login belongs to no repository; what it may pull is named",
};

/** What SST adds while `sst dev` runs the functions on a desk, and takes away again. */
const isOfDev = ({ actions }: Statement): boolean =>
  actions.includes("appsync:*") || actions.includes("s3:*");

const functionRoles = (graph: Graph) =>
  resourcesOf(graph, "lambda/function").map(({ inputs, name }) => ({ name, role: inputs["role"] }));

/** Buckets by their logical name, e.g. `raw`. */
const bucketNamed = (graph: Graph, logical: string): string =>
  textOf(
    resourcesOf(graph, "s3/bucket").find(({ name }) => name.toLowerCase() === `${logical}bucket`)
      ?.state ?? {},
    "arn",
  );

const roleOf = (graph: Graph, functionName: string) => {
  const fn = resourcesOf(graph, "lambda/function").find(({ name }) => name === functionName);
  return byArn(graph, "iam/role", fn?.inputs["role"]);
};

/** `csv-to-parquet` as the stacks name it: `CsvToParquet`. */
export const logicalName = (kebab: string) =>
  kebab
    .split("-")
    .map((word) => word.slice(0, 1).toUpperCase() + word.slice(1))
    .join("");

const objectActions = /^s3:(Get|Put|Delete|AbortMultipartUpload)/;

/** What a function of a pipeline may do to objects, as `action resource`, beyond its trigger and its outputs. */
const strayObjectRights = (graph: Graph): ReadonlyArray<string> =>
  topology.pipelines.flatMap(({ name, outputs, trigger }) => {
    const role = roleOf(graph, `${logicalName(name)}Function`);
    const reads = new Set([
      `${bucketNamed(graph, trigger.bucket)}/${trigger.prefix}*`,
      `${bucketNamed(graph, "values")}/values/*`,
      ...outputs
        .filter(({ removes }) => removes === true)
        .map(({ bucket, prefix }) => `${bucketNamed(graph, bucket)}/${prefix}*`),
    ]);
    const writes = new Set([
      ...outputs.map(({ bucket, prefix }) => `${bucketNamed(graph, bucket)}/${prefix}*`),
      `${bucketNamed(graph, "values")}/values/*`,
    ]);
    return rightsIn(graph)
      .filter((statement) => statement.owner.urn === role?.urn && !isOfDev(statement))
      .flatMap(({ actions, resources }) =>
        actions
          .filter((action) => objectActions.test(action))
          .flatMap((action) =>
            resources
              .filter((arn) => !(action.startsWith("s3:Get") ? reads : writes).has(arn))
              .map((arn) => `${name}: ${action} on ${arn}`),
          ),
      );
  });

/** Plants a right in the role of a function. */
const grant = (graph: Graph, action: string, resource: string): Graph =>
  change(
    graph,
    "iam/role",
    {
      inlinePolicies: [
        {
          name: "inline",
          policy: policyOf({ Effect: "Allow", Action: action, Resource: resource }),
        },
      ],
    },
    ({ name }) => name === "CsvToParquetRole",
  );

const isRootOrForeign = (principal: string): boolean =>
  principal === "*" || principal.startsWith("AWS:");

/** A service that acts for others must say for whom. Lambda is not among them: it takes a role only for its function. */
const isDeputy = (principal: string): boolean =>
  principal.startsWith("Service:") && principal !== "Service:lambda.amazonaws.com";

const namesSource = ({ conditions }: Statement): boolean =>
  [...conditions.keys()].some((key) => /:aws:Source(Arn|Account)$/.test(key));

const isScheduler = (role: Resource): boolean =>
  JSON.stringify(objectOf(role.inputs, "assumeRolePolicy")).includes("scheduler.amazonaws");

export const roleRules: ReadonlyArray<Rule> = [
  {
    name: "each-function-has-a-role-of-its-own",
    requirements: ["D4.11", "D3.5"],
    violations: (graph) => {
      const roles = functionRoles(graph);
      return roles
        .filter(({ role }, index) => roles.findIndex((other) => other.role === role) !== index)
        .map(({ name }) => `${name} shares its role`);
    },
    plant: (graph) =>
      change(
        graph,
        "lambda/function",
        { role: functionRoles(graph)[0]?.role },
        ({ inputs }) => inputs["role"] !== functionRoles(graph)[0]?.role,
      ),
  },
  {
    name: "no-right-names-all-actions-of-a-service",
    requirements: ["D4.11", "D3.5", "D2.2"],
    violations: (graph) =>
      rightsIn(graph)
        .filter((statement) => !(graph.dev && isOfDev(statement)))
        .flatMap(({ actions, owner }) =>
          actions.filter((one) => one.includes("*")).map((one) => `${owner.name}: ${one}`),
        ),
    plant: (graph) => grant(graph, "s3:Get*", "arn:aws:s3:::a/b"),
  },
  {
    name: "no-right-names-all-resources",
    requirements: ["D4.11", "D3.5", "D2.2"],
    violations: (graph) =>
      rightsIn(graph)
        .filter((statement) => !(graph.dev && isOfDev(statement)))
        .filter(({ resources }) =>
          resources.some(
            (arn) => /^\*$|^arn:[^/]*:\*$|:::\*/.test(arn) && !/:log-group:.+:\*$/.test(arn),
          ),
        )
        .flatMap(({ actions, owner }) =>
          actions.filter((one) => !(one in resourceless)).map((one) => `${owner.name}: ${one}`),
        ),
    plant: (graph) => grant(graph, "sqs:SendMessage", "*"),
  },
  {
    name: "roles-trust-only-their-service",
    requirements: ["D4.11"],
    appliesTo: isDeployed,
    violations: (graph) =>
      trustIn(graph).flatMap(({ owner, principals }) =>
        principals.filter(isRootOrForeign).map((one) => `${owner.name} trusts ${one}`),
      ),
    plant: (graph) =>
      change(graph, "iam/role", {
        assumeRolePolicy: policyOf({
          Effect: "Allow",
          Principal: { AWS: "arn:aws:iam::123456789012:root" },
          Action: "sts:AssumeRole",
        }),
      }),
  },
  {
    name: "roles-have-no-policies-of-aws",
    requirements: ["D4.11", "D3.5"],
    violations: (graph) =>
      resourcesOf(graph, "iam/role")
        .filter(({ inputs }) => {
          const managed = inputs["managedPolicyArns"];
          return Array.isArray(managed) && managed.length > 0;
        })
        .map(({ name }) => `${name} has one, which names more than it needs`),
    plant: (graph) =>
      change(graph, "iam/role", {
        managedPolicyArns: ["arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"],
      }),
  },
  {
    name: "services-act-only-for-this-account",
    requirements: ["D4.11"],
    violations: (graph) =>
      [...trustIn(graph), ...resourcePoliciesIn(graph)]
        .filter(({ effect }) => effect === "Allow")
        .filter((statement) => statement.principals.some(isDeputy) && !namesSource(statement))
        .map(({ owner, principals }) => `${owner.name} lets ${principals.join()} act for anybody`),
    plant: (graph) =>
      change(graph, "sqs/queuePolicy", {
        policy: policyOf({
          Effect: "Allow",
          Principal: { Service: "events.amazonaws.com" },
          Action: "sqs:SendMessage",
          Resource: "arn",
        }),
      }),
  },
  {
    name: "nobody-else-is-let-in",
    requirements: ["D4.11"],
    violations: (graph) =>
      resourcePoliciesIn(graph)
        .filter(({ effect, principals }) => effect === "Allow" && principals.includes("*"))
        .map(({ owner }) => `${owner.name} lets everybody in`),
    plant: (graph) =>
      change(graph, "s3/bucketPolicy", {
        policy: policyOf({
          Effect: "Allow",
          Principal: "*",
          Action: "s3:GetObject",
          Resource: "arn",
        }),
      }),
  },
  {
    name: "only-a-keys-own-account-may-do-all-with-it",
    requirements: ["D4.11"],
    violations: (graph) =>
      resourcePoliciesIn(graph)
        .filter(
          ({ actions, effect }) => effect === "Allow" && actions.some((one) => one.endsWith("*")),
        )
        .filter(
          ({ owner, principals }) =>
            !owner.type.startsWith("aws:kms/key:") ||
            !principals.every((one) => one.endsWith(":root")),
        )
        .map(({ actions, owner }) => `${owner.name} allows ${actions.join()}`),
    plant: (graph) =>
      change(graph, "sqs/queuePolicy", {
        policy: policyOf({
          Effect: "Allow",
          Principal: { AWS: "arn:aws:iam::123456789012:root" },
          Action: "sqs:*",
          Resource: "arn",
        }),
      }),
  },
  {
    name: "a-role-is-passed-to-one-service-only",
    requirements: ["D4.11"],
    violations: (graph) =>
      rightsIn(graph)
        .filter(({ actions }) => actions.includes("iam:PassRole"))
        .filter(
          ({ conditions, resources }) =>
            conditions.get("StringEquals:iam:PassedToService")?.length !== 1 ||
            resources.some((arn) => !byArn(graph, "iam/role", arn)),
        )
        .map(({ owner }) => `${owner.name} passes a role to more than its service`),
    plant: (graph) => grant(graph, "iam:PassRole", "arn:aws:iam::123456789012:role/any"),
  },
  {
    name: "the-journal-is-appended-to-and-read",
    requirements: ["D4.11", "C4"],
    violations: (graph) => {
      const journal = resourcesOf(graph, "dynamodb/table").find(({ name }) =>
        name.startsWith("Journal"),
      );
      const allowed = new Set(["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query"]);
      return rightsIn(graph)
        .filter(({ resources }) => resources.includes(textOf(journal?.state ?? {}, "arn")))
        .flatMap(({ actions, owner }) =>
          actions.filter((one) => !allowed.has(one)).map((one) => `${owner.name}: ${one}`),
        );
    },
    plant: (graph) => {
      const journal = resourcesOf(graph, "dynamodb/table").find(({ name }) =>
        name.startsWith("Journal"),
      );
      return grant(graph, "dynamodb:DeleteItem", textOf(journal?.state ?? {}, "arn"));
    },
  },
  {
    name: "the-reconciler-reads-lists-and-changes-nothing",
    requirements: ["D4.11", "D3.5"],
    violations: (graph) => {
      const role = roleOf(graph, "ReconcilerFunction");
      const harmless =
        /^(s3:ListBucketVersions|dynamodb:(Query|GetItem)|sqs:SendMessage|logs:.*|xray:.*)$/;
      return rightsIn(graph)
        .filter((statement) => statement.owner.urn === role?.urn && !isOfDev(statement))
        .flatMap(({ actions }) => actions)
        .filter((action) => !harmless.test(action))
        .map((action) => `it may ${action}`);
    },
    plant: (graph) => {
      const role = roleOf(graph, "ReconcilerFunction");
      const policy = JSON.stringify({
        Statement: [
          { Effect: "Allow", Action: ["s3:DeleteObject"], Resource: ["arn:aws:s3:::x/y"] },
        ],
      });
      return change(
        graph,
        "iam/role",
        { inlinePolicies: [{ name: "inline", policy }] },
        ({ urn }) => urn === role?.urn,
      );
    },
  },
  {
    name: "nobody-scans-a-table",
    requirements: ["D4.11"],
    violations: (graph) =>
      rightsIn(graph)
        .filter(({ actions }) => actions.includes("dynamodb:Scan"))
        .map(({ owner }) => `${owner.name} may scan`),
    plant: (graph) => grant(graph, "dynamodb:Scan", "arn:aws:dynamodb:x:y:table/z"),
  },
  {
    name: "a-pipeline-reads-its-input-and-writes-its-outputs",
    requirements: ["D3.5", "D4.11"],
    violations: strayObjectRights,
    plant: (graph) => grant(graph, "s3:PutObject", `${bucketNamed(graph, "raw")}/incoming/*`),
  },
  {
    name: "a-pipeline-can-do-what-its-code-calls",
    requirements: ["C4", "D1.13"],
    violations: (graph) =>
      topology.pipelines.flatMap(({ name }) => {
        const role = roleOf(graph, `${logicalName(name)}Function`);
        const may = new Set(
          rightsIn(graph)
            .filter(({ owner }) => owner.urn === role?.urn)
            .flatMap(({ actions }) => actions),
        );
        return calledActions
          .filter((one) => !may.has(one) && (one !== "s3:DeleteObject" || removing.has(name)))
          .map((one) => `${name} may not ${one}`);
      }),
    plant: (graph) => grant(graph, "s3:GetObject", `${bucketNamed(graph, "raw")}/incoming/*`),
  },
  {
    name: "the-scheduler-may-only-send-and-invoke",
    requirements: ["D4.11"],
    violations: (graph) => {
      return rightsIn(graph)
        .filter(({ owner }) => isScheduler(owner))
        .flatMap(({ actions, owner }) =>
          actions
            .filter((one) => !["sqs:SendMessage", "lambda:InvokeFunction"].includes(one))
            .map((one) => `${owner.name}: ${one}`),
        );
    },
    plant: (graph) =>
      change(
        graph,
        "iam/role",
        {
          inlinePolicies: [
            { policy: policyOf({ Effect: "Allow", Action: "sqs:PurgeQueue", Resource: "arn" }) },
          ],
        },
        ({ name }) => name.endsWith("Timers"),
      ),
  },
];

/** Pipelines that remove what they have written. */
const removing = new Set(
  topology.pipelines
    .filter(({ outputs }) => outputs.some(({ removes }) => removes === true))
    .map(({ name }) => name),
);

/** What the adapters in packages/core/src/aws call, in IAM's words; a test compares it with their source. */
export const calledActions: ReadonlyArray<string> = [
  "dynamodb:DeleteItem",
  "dynamodb:GetItem",
  "dynamodb:PutItem",
  "dynamodb:Query",
  "dynamodb:UpdateItem",
  "events:PutEvents",
  "s3:AbortMultipartUpload",
  "s3:DeleteObject",
  "s3:GetObject",
  "s3:GetObjectVersion",
  "s3:PutObject",
  "scheduler:CreateSchedule",
  "sns:Publish",
  "sqs:DeleteMessage",
  "sqs:ReceiveMessage",
  "sqs:SendMessage",
];
