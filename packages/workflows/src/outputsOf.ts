/**
 * Which objects a completed execution says it has written; of every pipeline's result, read from the row of the index.
 */
import { type ExecutionRow, type Operations } from "@millrace/core";
import { Option, Schema } from "effect";

const Output = Schema.Struct({ bucket: Schema.String, key: Schema.String });

/** What the pipelines' results have in common with nothing else. */
const Result = Schema.Union([
  Schema.Struct({ outputs: Schema.Array(Output), rejects: Schema.optionalKey(Output) }),
  Schema.Struct({
    bucket: Schema.String,
    sizes: Schema.Array(Schema.Struct({ key: Schema.String })),
  }),
]);
const decodeResult = Schema.decodeUnknownOption(Result);

/** The outputs; `undefined` when the row does not tell, because its result is too large for it. */
export const outputsOf = ({
  result,
}: ExecutionRow): ReadonlyArray<Operations.OutputRef> | undefined =>
  Option.getOrUndefined(
    Option.map(decodeResult(result), (named) =>
      "outputs" in named
        ? [...named.outputs, ...(named.rejects ? [named.rejects] : [])]
        : named.sizes.map(({ key }) => ({ bucket: named.bucket, key })),
    ),
  );
