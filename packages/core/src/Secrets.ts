/**
 * Secrets, by the names that the code knows them by: read where they are kept, cached for a while, never printed.
 *
 * - A value is read once per process and time to live, however many ask at the same time.
 * - After its time to live it is read anew: a rotated secret arrives by itself. Whoever is refused with a value says so
 *   (`refresh`, or `withSecret`, which does it), and does not have to wait for that.
 * - A failure is not cached, and no older value stands in for it: what was revoked is not used on.
 * - Values are `Redacted`: they print as `<redacted>`. One that got into a text all the same is masked there (see Mask).
 */
import { Cache, Context, Duration, Effect, Exit, Layer, Redacted, Schema } from "effect";
import { adviceOn, causeFields } from "./Failure.ts";
import { learnSecret } from "./Mask.ts";

/** There is no such secret, or it is no text. */
export class SecretMissing extends Schema.TaggedError<SecretMissing>()("SecretMissing", {
  name: Schema.String,
  source: Schema.String,
}) {
  readonly failureClass = "permanent";
  override get message(): string {
    return `there is no secret "${this.name}" in ${this.source}: set it, then redrive`;
  }
}

/** The place where secrets are kept did not answer, or did not let us read. */
export class SecretUnavailable extends Schema.TaggedError<SecretUnavailable>()(
  "SecretUnavailable",
  { name: Schema.String, source: Schema.String, ...causeFields },
) {
  override get message(): string {
    return `the secret "${this.name}" was not read from ${this.source}: ${adviceOn(this)}`;
  }
}

/** What reading a secret adds to the failures of an effect: for an activity's error schema. */
export const SecretFailure = Schema.Union([SecretMissing, SecretUnavailable]);
export type SecretFailure = typeof SecretFailure.Type;

/** Where secrets are kept. */
export class SecretSource extends Context.Service<
  SecretSource,
  { readonly read: (name: string) => Effect.Effect<Redacted.Redacted, SecretFailure> }
>()("@millrace/core/SecretSource") {}

export class Secrets extends Context.Service<
  Secrets,
  {
    /** The secret's value, as it is now or was within the time to live. */
    readonly get: (name: string) => Effect.Effect<Redacted.Redacted, SecretFailure>;
    /** Forgets the value if it is still the one that was refused; true when it was. */
    readonly refuse: (name: string, refused: Redacted.Redacted) => Effect.Effect<boolean>;
  }
>()("@millrace/core/Secrets") {}

export interface SecretsOptions {
  /**
   * How long a value is used before it is read anew. @default 5 minutes: what a rotation's overlap at least allows, and
   * at most 12 reads an hour from each process
   */
  readonly timeToLive?: Duration.Input;
  /** Secrets kept in memory at most. @default 100 */
  readonly secretsMax?: number;
}

/** The secrets of a source, cached. */
export const layerCached = (
  options: SecretsOptions = {},
): Layer.Layer<Secrets, never, SecretSource> =>
  Layer.effect(
    Secrets,
    Effect.gen(function* () {
      const source = yield* SecretSource;
      const timeToLive = Duration.fromInputUnsafe(options.timeToLive ?? "5 minutes");
      const read = (name: string) =>
        Effect.tap(source.read(name), (secret) =>
          Effect.sync(() => learnSecret(name, Redacted.value(secret))),
        );
      const cache = yield* Cache.makeWith(read, {
        capacity: options.secretsMax ?? 100,
        timeToLive: (exit) => (Exit.isSuccess(exit) ? timeToLive : Duration.zero),
      });
      return Secrets.of({
        get: (name) => Cache.get(cache, name),
        refuse: (name, refused) =>
          Cache.invalidateWhen(cache, name, (held) => isSame(held, refused)),
      });
    }),
  );

const isSame = Redacted.makeEquivalence<string>((one, other) => one === other);

/**
 * Runs an effect with a secret. When it fails in a way that says that the secret is the old one, the value is read anew,
 * and if it is another one, the effect is run once more with that.
 */
export const withSecret = <A, E, R>(
  name: string,
  use: (secret: Redacted.Redacted) => Effect.Effect<A, E, R>,
  isRefusal: (error: E) => boolean,
): Effect.Effect<A, E | SecretFailure, R | Secrets> =>
  Effect.gen(function* () {
    const secrets = yield* Secrets;
    const first = yield* secrets.get(name);
    return yield* use(first).pipe(
      Effect.catchIf(isRefusal, (error) =>
        Effect.gen(function* () {
          yield* secrets.refuse(name, first);
          const second = yield* secrets.get(name);
          return yield* isSame(first, second) ? Effect.fail(error) : use(second);
        }),
      ),
    );
  });
