/**
 * One operation of a JSON or query protocol: decodes its input by a schema that refuses what it does not know.
 */
import { Effect, Schema, type SchemaIssue } from "effect";
import { unknownParameter, type AwsError } from "../AwsError.ts";

/** What is wrong with an input that is no unknown parameter. */
export interface InputProblem {
  /** Dotted path of the parameter, e.g. `Entries.0.Id`. */
  readonly parameter: string;
  readonly missing: boolean;
  readonly message: string;
}

type Run = (input: unknown) => Effect.Effect<unknown, AwsError>;

/**
 * Gives the builder of a service's operations. `problem` words a missing or malformed parameter as that service does;
 * an unknown parameter, at any depth, is refused by name (501).
 */
export const operationsOf =
  (service: string, problem: (problem: InputProblem) => AwsError) =>
  <A, I>(
    name: string,
    input: Schema.Codec<A, I>,
    run: (input: A) => Effect.Effect<unknown, AwsError>,
  ): Run => {
    const decode = Schema.decodeUnknownEffect(input);
    return (raw) =>
      decode(raw, { onExcessProperty: "error" }).pipe(
        Effect.mapError(({ issue, message }) => {
          const found = firstProblem(issue, []);
          const parameter = found.path.join(".");
          return found.kind === "unexpected"
            ? unknownParameter(service, name, parameter)
            : problem({ parameter, missing: found.kind === "missing", message });
        }),
        Effect.flatMap(run),
      );
  };

interface Found {
  readonly kind: "unexpected" | "missing" | "invalid";
  readonly path: ReadonlyArray<string>;
}

const firstProblem = (issue: SchemaIssue.Issue, path: ReadonlyArray<string>): Found => {
  switch (issue._tag) {
    case "Pointer":
      return firstProblem(issue.issue, [...path, ...issue.path.map(String)]);
    case "Composite":
      return firstProblem(issue.issues[0], path);
    case "UnexpectedKey":
      return { kind: "unexpected", path };
    case "MissingKey":
      return { kind: "missing", path };
    default:
      return { kind: "invalid", path };
  }
};
