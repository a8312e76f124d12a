/**
 * Systems Manager's parameters in the embedded AWS, for its clients (JSON 1.1): plain texts by name, and all below a path.
 *
 * Secret and list parameters, labels, policies and histories are refused by name.
 *
 * Source: Systems Manager API reference, PutParameter, GetParameter, GetParametersByPath
 */
import { Clock, Context, Effect, Layer, Schema } from "effect";
import { Documents } from "../Documents.ts";
import type { JsonOperations } from "../http/AwsRequest.ts";
import { localAccount } from "../LocalAccount.ts";
import { LocalState } from "../LocalState.ts";
import {
  invalid,
  invalidNextToken,
  parameterExists,
  parameterNotFound,
  ssmOperation,
} from "./SsmErrors.ts";

export class Ssm extends Context.Service<
  Ssm,
  {
    /** The operations of the wire protocol. */
    readonly operations: JsonOperations;
  }
>()("@millrace/local/ssm/Ssm") {
  static readonly layer = Layer.effect(
    Ssm,
    Effect.map(LocalState, ({ database }) => {
      const parameters = new Documents(
        database,
        { table: "ssm_documents", kind: "parameter" },
        Parameter,
      );
      return Ssm.of({
        operations: {
          PutParameter: put(parameters),
          GetParameter: get(parameters),
          GetParametersByPath: getByPath(parameters),
        },
      });
    }),
  );
}

const Parameter = Schema.Struct({
  name: Schema.String,
  value: Schema.String,
  version: Schema.Int,
  modifiedEpochMs: Schema.Int,
});
type Parameter = typeof Parameter.Type;

/** Characters of a value: of a standard parameter, and of an advanced one. */
const standardCharactersMax = 4_096;
const advancedCharactersMax = 8_192;
/** Parameters of one answer at most. */
const pageMax = 10;

/** Nothing is encrypted here; a plain text reads the same either way. */
const WithDecryption = Schema.optionalKey(Schema.Boolean);

const put = (parameters: Documents<Parameter>) =>
  ssmOperation(
    "PutParameter",
    Schema.Struct({
      Name: Schema.String,
      Value: Schema.String,
      Type: Schema.optionalKey(Schema.Literal("String")),
      Overwrite: Schema.optionalKey(Schema.Boolean),
      Tier: Schema.optionalKey(Schema.Literals(["Standard", "Advanced", "Intelligent-Tiering"])),
    }),
    Effect.fnUntraced(function* ({ Name, Overwrite, Tier = "Standard", Type, Value }) {
      const before = parameters.get(Name);
      if (before && Overwrite !== true) return yield* parameterExists();
      if (!before && Type === undefined) {
        return yield* invalid("A parameter type is required when you create a parameter.");
      }
      if (!/^\/?[\w.-]+(?:\/[\w.-]+)*$/u.test(Name) || /^\/?(?:aws|ssm)/iu.test(Name)) {
        return yield* invalid(`Parameter name: ${Name} is not a name that a parameter may have.`);
      }
      const charactersMax = Tier === "Standard" ? standardCharactersMax : advancedCharactersMax;
      if (Value.length === 0 || Value.length > charactersMax) {
        return yield* invalid(
          `${Tier} tier parameters support a maximum parameter value of ${charactersMax} characters.`,
        );
      }
      const version = (before?.version ?? 0) + 1;
      const modifiedEpochMs = yield* Clock.currentTimeMillis;
      parameters.put(Name, { name: Name, value: Value, version, modifiedEpochMs });
      return {
        Version: version,
        Tier: Value.length > standardCharactersMax ? "Advanced" : "Standard",
      };
    }),
  );

const get = (parameters: Documents<Parameter>) =>
  ssmOperation(
    "GetParameter",
    Schema.Struct({ Name: Schema.String, WithDecryption }),
    ({ Name }) => {
      const parameter = parameters.get(Name);
      return parameter
        ? Effect.succeed({ Parameter: describe(parameter) })
        : Effect.fail(parameterNotFound(Name));
    },
  );

const getByPath = (parameters: Documents<Parameter>) =>
  ssmOperation(
    "GetParametersByPath",
    Schema.Struct({
      Path: Schema.String,
      Recursive: Schema.optionalKey(Schema.Boolean),
      MaxResults: Schema.optionalKey(Schema.Int),
      NextToken: Schema.optionalKey(Schema.String),
      WithDecryption,
    }),
    Effect.fnUntraced(function* ({ MaxResults = pageMax, NextToken, Path, Recursive = false }) {
      if (MaxResults < 1 || MaxResults > pageMax) {
        return yield* invalid(
          `1 validation error detected: Value '${MaxResults}' at 'maxResults' failed to satisfy constraint: Member must be a whole number between 1 and ${pageMax}`,
        );
      }
      if (!Path.startsWith("/")) {
        return yield* invalid(
          "The parameter doesn't meet the parameter name requirements: a path begins with a forward slash",
        );
      }
      const folder = Path.endsWith("/") ? Path : `${Path}/`;
      const below = parameters
        .all()
        .filter(({ name }) => name.startsWith(folder))
        .filter(({ name }) => Recursive || !name.slice(folder.length).includes("/"));
      // The token is the last name that was given out.
      const from =
        NextToken === undefined ? 0 : below.findIndex(({ name }) => name === NextToken) + 1;
      if (NextToken !== undefined && from === 0) return yield* invalidNextToken();
      const page = below.slice(from, from + MaxResults);
      const last = page.at(-1);
      const isMore = last !== undefined && from + page.length < below.length;
      return { Parameters: page.map(describe), ...(isMore && { NextToken: last.name }) };
    }),
  );

const describe = ({ modifiedEpochMs, name, value, version }: Parameter) => ({
  Name: name,
  Type: "String",
  Value: value,
  Version: version,
  LastModifiedDate: modifiedEpochMs / 1_000,
  ARN: `arn:aws:ssm:${localAccount.region}:${localAccount.accountId}:parameter${name.startsWith("/") ? "" : "/"}${name}`,
  DataType: "text",
});
