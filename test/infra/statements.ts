/**
 * The statements of every policy in a graph, in one form: lists where IAM takes one or many.
 */
import { type Graph, type Properties, type Resource, resourcesOf } from "./Graph.ts";
import { listOf, objectOf, textOf } from "./Rule.ts";

export interface Statement {
  /** Name of the resource that has the policy. */
  readonly owner: Resource;
  readonly effect: string;
  readonly actions: ReadonlyArray<string>;
  readonly resources: ReadonlyArray<string>;
  /** `Service:x`, `AWS:x`, or `*`. */
  readonly principals: ReadonlyArray<string>;
  /** `operator:variable` -> values. */
  readonly conditions: ReadonlyMap<string, ReadonlyArray<string>>;
}

const many = (value: unknown): ReadonlyArray<string> =>
  (Array.isArray(value) ? value : value === undefined ? [] : [value]).map(String);

const toStatement = (owner: Resource, statement: Properties): Statement => {
  const principal = statement["Principal"];
  const conditions = objectOf(statement, "Condition");
  return {
    owner,
    effect: textOf(statement, "Effect"),
    actions: many(statement["Action"]),
    resources: many(statement["Resource"]),
    principals:
      typeof principal === "string"
        ? [principal]
        : Object.entries(objectOf(statement, "Principal")).flatMap(([kind, values]) =>
            many(values).map((value) => `${kind}:${value}`),
          ),
    conditions: new Map(
      Object.keys(conditions).flatMap((operator) =>
        Object.entries(objectOf(conditions, operator)).map(
          ([variable, values]) => [`${operator}:${variable}`, many(values)] as const,
        ),
      ),
    ),
  };
};

const statementsIn = (owner: Resource, document: Properties): ReadonlyArray<Statement> =>
  listOf(document, "Statement").map((statement) => toStatement(owner, statement));

/** What roles may do. */
export const rightsIn = (graph: Graph): ReadonlyArray<Statement> =>
  resourcesOf(graph, "iam/role").flatMap((role) =>
    listOf(role.inputs, "inlinePolicies").flatMap((policy) =>
      statementsIn(role, objectOf(policy, "policy")),
    ),
  );

/** Who may take roles. */
export const trustIn = (graph: Graph): ReadonlyArray<Statement> =>
  resourcesOf(graph, "iam/role").flatMap((role) =>
    statementsIn(role, objectOf(role.inputs, "assumeRolePolicy")),
  );

const guarded = ["sqs/queuePolicy", "sns/topicPolicy", "s3/bucketPolicy", "kms/key"] as const;

/** Who may do what to queues, topics, buckets and keys. */
export const resourcePoliciesIn = (graph: Graph): ReadonlyArray<Statement> =>
  guarded.flatMap((type) =>
    resourcesOf(graph, type).flatMap((resource) =>
      statementsIn(resource, objectOf(resource.inputs, "policy")),
    ),
  );

/** A statement in IAM's own form, to plant one. */
export const policyOf = (...statements: ReadonlyArray<Properties>): string =>
  JSON.stringify({ Version: "2012-10-17", Statement: statements });
