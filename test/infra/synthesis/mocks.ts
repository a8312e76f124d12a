/**
 * What AWS would have answered: each resource gets the identifiers that others refer to, in the shapes that AWS has.
 *
 * Pure. An answer that no case here gives is the question itself, and its token is remembered: a component of a new
 * version that asks for more is noticed.
 */
export interface Place {
  readonly region: string;
  readonly account: string;
}

type Properties = Readonly<Record<string, unknown>>;

interface ResourceRequest {
  readonly type: string;
  readonly name: string;
  readonly inputs: Properties;
  readonly custom?: boolean;
  /** Of something that exists already. */
  readonly id?: string;
}

interface CallRequest {
  readonly token: string;
  readonly inputs: Properties;
}

const text = (value: unknown): string | undefined =>
  typeof value === "string" && value !== "" ? value : undefined;

/** The ARN's part behind region and account, for the types whose ARN somebody takes apart or compares. */
const arnOf = ({ account, region }: Place, type: string, name: string): string => {
  const kind = type.split("/").at(-1)?.split(":").at(-1) ?? type;
  const regional = (service: string, rest: string) =>
    `arn:aws:${service}:${region}:${account}:${rest}`;
  switch (type) {
    case "aws:s3/bucket:Bucket":
      return `arn:aws:s3:::${name}`;
    case "aws:iam/role:Role":
      return `arn:aws:iam::${account}:role/${name}`;
    case "aws:sqs/queue:Queue":
      return regional("sqs", name);
    case "aws:sns/topic:Topic":
      return regional("sns", name);
    case "aws:dynamodb/table:Table":
      return regional("dynamodb", `table/${name}`);
    case "aws:lambda/function:Function":
      return regional("lambda", `function:${name}`);
    case "aws:cloudwatch/eventBus:EventBus":
      return regional("events", `event-bus/${name}`);
    case "aws:cloudwatch/eventRule:EventRule":
      return regional("events", `rule/${name}`);
    case "aws:cloudwatch/logGroup:LogGroup":
      return regional("logs", `log-group:${name}`);
    case "aws:scheduler/scheduleGroup:ScheduleGroup":
      return regional("scheduler", `schedule-group/${name}`);
    case "aws:ecs/cluster:Cluster":
      return regional("ecs", `cluster/${name}`);
    case "aws:ecs/taskDefinition:TaskDefinition":
      return regional("ecs", `task-definition/${name}:1`);
    case "aws:ecr/repository:Repository":
      return regional("ecr", `repository/${name}`);
    case "aws:kms/key:Key":
      return regional("kms", `key/${name}`);
    case "aws:secretsmanager/secret:Secret":
      return regional("secretsmanager", `secret:${name}-AbCdEf`);
    default:
      return regional("mock", `${kind}/${name}`);
  }
};

/** What only AWS knows of a resource. */
const generated = (place: Place, type: string, name: string, inputs: Properties): Properties => {
  const { account, region } = place;
  const arn = arnOf(place, type, name);
  switch (type) {
    case "aws:s3/bucket:Bucket":
      return { bucket: name, bucketDomainName: `${name}.s3.amazonaws.com`, region };
    case "aws:sqs/queue:Queue":
      return { url: `https://sqs.${region}.amazonaws.com/${account}/${name}` };
    case "aws:lambda/function:Function":
      return { version: "1", qualifiedArn: `${arn}:1`, invokeArn: arn, qualifiedInvokeArn: arn };
    case "aws:apigatewayv2/api:Api":
      return {
        apiEndpoint: `https://api.execute-api.${region}.amazonaws.com`,
        executionArn: `arn:aws:execute-api:${region}:${account}:api`,
      };
    case "aws:ecr/repository:Repository":
      return {
        repositoryUrl: `${account}.dkr.ecr.${region}.amazonaws.com/${name}`,
        registryId: account,
      };
    case "aws:ecs/cluster:Cluster":
      return { tags: inputs["tags"] ?? {} };
    case "docker-build:index:Image":
      return { digest: `sha256:${"0".repeat(64)}`, ref: `image@sha256:${"0".repeat(64)}` };
    case "random:index/randomBytes:RandomBytes":
      return { base64: Buffer.alloc(Number(inputs["length"] ?? 32)).toString("base64"), hex: "00" };
    case "random:index/randomId:RandomId":
      return { dec: "1234567890123456789", hex: "abcdef", b64Url: "abcdef" };
    default:
      return {};
  }
};

/** The mocks for an account in a region. */
export const mocksFor = (place: Place) => {
  const unknownCalls = new Set<string>();
  const newResource = ({ custom, id, inputs, name: logical, type }: ResourceRequest) => {
    if (custom === false) return { id: undefined, state: { ...inputs } };
    const prefixed = text(inputs["namePrefix"]);
    const name =
      text(id) ??
      text(inputs["name"]) ??
      text(inputs["bucket"]) ??
      (prefixed === undefined ? logical : `${prefixed}0000`);
    return {
      id: text(id) ?? `${logical}-id`,
      state: {
        arn: arnOf(place, type, name),
        ...inputs,
        name,
        ...generated(place, type, name, inputs),
      },
    };
  };
  const call = ({ inputs, token }: CallRequest): Properties => {
    const answer = answerTo(place, token, inputs);
    if (!answer) unknownCalls.add(token);
    return answer ?? inputs;
  };
  return { newResource, call, unknownCalls };
};

const answerTo = (
  { account, region }: Place,
  token: string,
  inputs: Properties,
): Properties | undefined => {
  switch (token) {
    case "aws:index/getRegion:getRegion":
      return { id: region, name: region, region };
    case "aws:index/getCallerIdentity:getCallerIdentity":
      return { id: account, accountId: account, arn: `arn:aws:iam::${account}:user/engineer` };
    case "aws:index/getPartition:getPartition":
      return { id: "aws", partition: "aws", dnsSuffix: "amazonaws.com" };
    case "aws:index/getAvailabilityZones:getAvailabilityZones":
      return { names: ["a", "b", "c"].map((zone) => region + zone), zoneIds: ["1", "2", "3"] };
    case "aws:ecr/getAuthorizationToken:getAuthorizationToken":
      return { proxyEndpoint: "https://registry", userName: "AWS", password: "secret" };
    case "aws:iam/getPolicyDocument:getPolicyDocument":
      return { ...inputs, id: "document", json: documentOf(inputs["statements"]) };
    default:
      return undefined;
  }
};

/** The JSON of a policy document that is given in Pulumi's terms; what is undefined is left out of it. */
const documentOf = (statements: unknown): string =>
  JSON.stringify({
    Version: "2012-10-17",
    Statement: (Array.isArray(statements) ? statements : []).map((statement: Properties) => ({
      Effect: statement["effect"] ?? "Allow",
      Action: statement["actions"],
      Resource: statement["resources"],
      Principal: principalsOf(statement["principals"]),
      Condition: conditionsOf(statement["conditions"]),
    })),
  });

const principalsOf = (principals: unknown): unknown => {
  if (!Array.isArray(principals)) return principals;
  if (principals.some(({ type }: Properties) => type === "*")) return "*";
  return Object.fromEntries(
    principals.map(({ identifiers, type }: Properties) => [String(type), identifiers]),
  );
};

const conditionsOf = (conditions: unknown): unknown => {
  if (!Array.isArray(conditions)) return undefined;
  const found: Record<string, Record<string, unknown>> = {};
  for (const { test, values, variable } of conditions) {
    const operator = (found[String(test)] ??= {});
    operator[String(variable)] = values;
  }
  return found;
};
