/** Rules about buckets and tables. */
import { tables as definitions } from "@millrace/functions/tables";
import { topology } from "@millrace/workflows/topology";
import { type Graph, type Resource, resourcesOf } from "../Graph.ts";
import {
  change,
  differences,
  isProduction,
  isWatched,
  listOf,
  objectOf,
  type Rule,
  textOf,
  without,
} from "../Rule.ts";
import { policyOf, resourcePoliciesIn } from "../statements.ts";

const buckets = (graph: Graph) => resourcesOf(graph, "s3/bucket");

/** Buckets of which no resource of the type, that fits, speaks. */
const bucketsWithout = (
  graph: Graph,
  type: string,
  fits: (resource: Resource) => boolean,
): ReadonlyArray<string> =>
  buckets(graph)
    .filter(
      ({ state }) =>
        !resourcesOf(graph, type).some(
          (one) => one.inputs["bucket"] === state["bucket"] && fits(one),
        ),
    )
    .map(({ name }) => `${name} has no such ${type}`);

const tableNamed = (graph: Graph, name: string) =>
  resourcesOf(graph, "dynamodb/table").find(
    (table) => table.name.toLowerCase() === `${name}table`.toLowerCase(),
  );

const lifecycleRules = ({ inputs }: Resource) => listOf(inputs, "rules");

const namesOf = (
  indexes: ReadonlyArray<{ readonly IndexName?: string | undefined }> = [],
): ReadonlyArray<string> => indexes.map(({ IndexName = "" }) => IndexName);

export const storageRules: ReadonlyArray<Rule> = [
  {
    name: "buckets-are-closed-to-the-public",
    requirements: ["D4.11"],
    violations: (graph) =>
      bucketsWithout(graph, "s3/bucketPublicAccessBlock", ({ inputs }) =>
        ["blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets"].every(
          (key) => inputs[key] === true,
        ),
      ),
    plant: (graph) => change(graph, "s3/bucketPublicAccessBlock", { blockPublicPolicy: false }),
  },
  {
    name: "buckets-take-nothing-without-tls",
    requirements: ["D4.11"],
    violations: (graph) =>
      buckets(graph)
        .filter(
          ({ state }) =>
            !resourcePoliciesIn(graph).some(
              ({ conditions, effect, owner }) =>
                owner.inputs["bucket"] === state["bucket"] &&
                effect === "Deny" &&
                conditions.get("Bool:aws:SecureTransport")?.[0] === "false",
            ),
        )
        .map(({ name }) => `${name} does`),
    plant: (graph) => change(graph, "s3/bucketPolicy", { policy: policyOf() }),
  },
  {
    name: "buckets-are-encrypted",
    requirements: ["D4.11"],
    violations: (graph) =>
      bucketsWithout(
        graph,
        "s3/bucketServerSideEncryptionConfiguration",
        ({ inputs }) => listOf(inputs, "rules").length > 0,
      ),
    plant: (graph) => without(graph, "s3/bucketServerSideEncryptionConfiguration"),
  },
  {
    name: "buckets-keep-versions",
    requirements: ["D4.12"],
    violations: (graph) =>
      bucketsWithout(
        graph,
        "s3/bucketVersioning",
        ({ inputs }) => objectOf(inputs, "versioningConfiguration")["status"] === "Enabled",
      ),
    plant: (graph) => without(graph, "s3/bucketVersioning"),
  },
  {
    name: "buckets-belong-to-the-account-alone",
    requirements: ["D4.11"],
    violations: (graph) =>
      bucketsWithout(
        graph,
        "s3/bucketOwnershipControls",
        ({ inputs }) => objectOf(inputs, "rule")["objectOwnership"] === "BucketOwnerEnforced",
      ),
    plant: (graph) => change(graph, "s3/bucketOwnershipControls", { rule: {} }),
  },
  {
    name: "buckets-are-tidied",
    requirements: ["D4.12"],
    violations: (graph) =>
      bucketsWithout(graph, "s3/bucketLifecycleConfiguration", (one) =>
        lifecycleRules(one).some(
          (rule) => "expiration" in rule || "noncurrentVersionExpiration" in rule,
        ),
      ),
    plant: (graph) => change(graph, "s3/bucketLifecycleConfiguration", { rules: [] }),
  },
  {
    name: "originals-and-renditions-expire",
    requirements: ["D4.12"],
    violations: (graph) => {
      const found = new Set(
        resourcesOf(graph, "s3/bucketLifecycleConfiguration").flatMap((one) =>
          lifecycleRules(one).map((rule) => {
            const days = objectOf(rule, "expiration")["days"];
            return `${textOf(objectOf(rule, "filter"), "prefix")} ${String(days)}`;
          }),
        ),
      );
      return ["images/ 7", "resized/ 90"]
        .filter((wanted) => !found.has(wanted))
        .map((wanted) => `${wanted} days: nothing says so`);
    },
    plant: (graph) => without(graph, "s3/bucketLifecycleConfiguration"),
  },
  {
    name: "unfinished-uploads-are-removed",
    requirements: ["D4.10", "D4.12"],
    violations: (graph) =>
      ["RawLifecycle", "CleanLifecycle"].flatMap((name) => {
        const one = resourcesOf(graph, "s3/bucketLifecycleConfiguration").find(
          (resource) => resource.name === name,
        );
        const isSaid =
          one && lifecycleRules(one).some((rule) => "abortIncompleteMultipartUpload" in rule);
        return isSaid === true ? [] : [`${name} does not say so`];
      }),
    plant: (graph) =>
      without(graph, "s3/bucketLifecycleConfiguration", ({ name }) => name === "CleanLifecycle"),
  },
  {
    name: "buckets-of-triggers-tell-eventbridge",
    requirements: ["C4", "D1.1"],
    violations: (graph) =>
      [...new Set(topology.pipelines.map(({ trigger }) => trigger.bucket))].flatMap((name) => {
        const bucket = buckets(graph).find((one) => one.name.toLowerCase() === `${name}bucket`);
        const isTold = resourcesOf(graph, "s3/bucketNotification").some(
          ({ inputs }) =>
            inputs["bucket"] === bucket?.state["bucket"] && inputs["eventbridge"] === true,
        );
        return isTold ? [] : [`${name} tells nobody`];
      }),
    plant: (graph) => change(graph, "s3/bucketNotification", { eventbridge: false }),
  },
  {
    name: "buckets-of-outputs-tell-nobody",
    requirements: ["D1.3"],
    violations: (graph) => {
      const heard = new Set<string>(topology.pipelines.map(({ trigger }) => trigger.bucket));
      return buckets(graph)
        .filter(({ name }) => !heard.has(name.toLowerCase().replace(/bucket$/, "")))
        .filter(({ state }) =>
          resourcesOf(graph, "s3/bucketNotification").some(
            ({ inputs }) => inputs["bucket"] === state["bucket"],
          ),
        )
        .map(({ name }) => `${name} tells of what was written there`);
    },
    plant: (graph) => {
      const clean = buckets(graph).find(({ name }) => name === "CleanBucket");
      return change(graph, "s3/bucketNotification", { bucket: clean?.state["bucket"] });
    },
  },
  {
    name: "no-bucket-takes-uploads-from-any-website",
    requirements: ["D4.11"],
    violations: (graph) =>
      resourcesOf(graph, "s3/bucketCorsConfiguration")
        .filter(({ inputs }) => JSON.stringify(inputs).includes('"*"'))
        .map(({ name }) => `${name} does`),
    plant: (graph) => {
      const [bucket] = buckets(graph);
      if (!bucket) return graph;
      const cors: Resource = {
        ...bucket,
        type: "aws:s3/bucketCorsConfiguration:BucketCorsConfiguration",
        inputs: { corsRules: [{ allowedOrigins: ["*"] }] },
      };
      return { ...graph, resources: [...graph.resources, cors] };
    },
  },
  {
    name: "the-tables-are-those-of-the-code",
    requirements: ["C4", "D4.6"],
    violations: (graph) => [
      ...differences(
        "tables",
        definitions.map(({ name }) => `${name}table`.toLowerCase()),
        resourcesOf(graph, "dynamodb/table").map(({ name }) => name.toLowerCase()),
      ),
      ...definitions.flatMap(({ definition, name }) => {
        const inputs = tableNamed(graph, name)?.inputs ?? {};
        const keys = (definition.KeySchema ?? []).map(({ AttributeName = "" }) => AttributeName);
        const found = ["hashKey", "rangeKey"].flatMap((key) => textOf(inputs, key) || []);
        return [
          ...differences(`keys of ${name}`, keys, found),
          ...differences(
            `indexes of ${name}`,
            namesOf(definition.GlobalSecondaryIndexes),
            listOf(inputs, "globalSecondaryIndexes").map((index) => textOf(index, "name")),
          ),
        ];
      }),
    ],
    plant: (graph) =>
      change(graph, "dynamodb/table", { globalSecondaryIndexes: [] }, ({ name }) =>
        name.startsWith("Executions"),
      ),
  },
  {
    name: "tables-cost-nothing-at-rest",
    requirements: ["D1.1"],
    violations: (graph) =>
      resourcesOf(graph, "dynamodb/table")
        .filter(({ inputs }) => inputs["billingMode"] !== "PAY_PER_REQUEST")
        .map(({ name }) => `${name} does`),
    plant: (graph) => change(graph, "dynamodb/table", { billingMode: "PROVISIONED" }),
  },
  {
    name: "tables-that-forget-do-so",
    requirements: ["D4.6", "D1.13"],
    violations: (graph) =>
      definitions.flatMap(({ name, timeToLive }) => {
        const ttl = objectOf(tableNamed(graph, name)?.inputs ?? {}, "ttl");
        return ttl["attributeName"] === timeToLive
          ? []
          : [`${name}: ${String(ttl["attributeName"])}`];
      }),
    plant: (graph) =>
      change(graph, "dynamodb/table", { ttl: {} }, ({ name }) => name.startsWith("Images")),
  },
  {
    name: "tables-can-be-brought-back",
    requirements: ["D4.12"],
    appliesTo: isWatched,
    violations: (graph) =>
      resourcesOf(graph, "dynamodb/table")
        .filter(({ inputs }) => objectOf(inputs, "pointInTimeRecovery")["enabled"] !== true)
        .map(({ name }) => `${name} cannot`),
    plant: (graph) => change(graph, "dynamodb/table", { pointInTimeRecovery: { enabled: false } }),
  },
  {
    name: "production-tables-are-not-deleted-by-mistake",
    requirements: ["D4.12"],
    appliesTo: isProduction,
    violations: (graph) =>
      resourcesOf(graph, "dynamodb/table")
        .filter(({ inputs }) => inputs["deletionProtectionEnabled"] !== true)
        .map(({ name }) => `${name} can be`),
    plant: (graph) => change(graph, "dynamodb/table", { deletionProtectionEnabled: false }),
  },
  {
    name: "results-are-in-a-catalog",
    requirements: ["D1.8"],
    violations: (graph) => {
      const names = new Set(
        resourcesOf(graph, "glue/catalogDatabase").map(({ state }) => state["name"]),
      );
      const clean = buckets(graph).find(({ name }) => name === "CleanBucket");
      const isFound = resourcesOf(graph, "glue/crawler").some(
        ({ inputs }) =>
          names.has(inputs["databaseName"]) &&
          listOf(inputs, "s3Targets").some(
            (target) =>
              textOf(target, "path") === `s3://${String(clean?.state["bucket"])}/processed/`,
          ),
      );
      return isFound ? [] : ["nothing finds them"];
    },
    plant: (graph) => change(graph, "glue/crawler", { s3Targets: [] }),
  },
];
