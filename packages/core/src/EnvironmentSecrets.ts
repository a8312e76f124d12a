/**
 * Secrets from the process's configuration: of local mode, of tests, and of what SST links to a process.
 *
 * `MILLRACE_SECRET_<NAME>` holds the text of the secret `<name>` (upper case, other characters than letters and digits
 * as `_`). Else `SST_RESOURCE_<name>`, as `sst dev`, `sst shell` and linked containers set it: JSON with the text as
 * `value`. A function's environment is for everybody who may look at the function, and changes only with a deployment:
 * in AWS use Secrets Manager.
 */
import { Config, Effect, Layer, Option, Redacted, Schema } from "effect";
import { SecretMissing, SecretSource } from "./Secrets.ts";

const source = "the environment";

const Linked = Schema.fromJsonString(Schema.Struct({ value: Schema.String }));
const decodeLinked = Schema.decodeEffect(Linked);

/** The variable that holds a secret. */
export const variableOf = (name: string): string =>
  `MILLRACE_SECRET_${name.toUpperCase().replaceAll(/[^A-Z0-9]/g, "_")}`;

/** The secrets in the configuration of whoever asks. */
export const layer: Layer.Layer<SecretSource> = Layer.succeed(
  SecretSource,
  SecretSource.of({
    read: (name) =>
      Effect.gen(function* () {
        const own = yield* Config.option(Config.Redacted(variableOf(name)));
        if (Option.isSome(own)) return own.value;
        const linked = yield* Config.Redacted(`SST_RESOURCE_${name}`);
        const { value } = yield* decodeLinked(Redacted.value(linked));
        return Redacted.make(value);
      }).pipe(
        // What was there is no help, and may be the secret.
        Effect.mapError(() => new SecretMissing({ name, source })),
      ),
  }),
);
