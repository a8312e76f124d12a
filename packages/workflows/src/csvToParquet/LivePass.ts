/**
 * The pass over a large file that this process has open between two parts.
 *
 * It saves reading and remembering again what was read; nothing depends on it. A part that finds none begins where the
 * history says, and comes to the same bytes.
 */
import { Effect, Exit, Scope } from "effect";

interface Held<P> {
  readonly part: number;
  readonly pass: P;
  readonly scope: Scope.Closeable;
}

/** Holds at most one pass, with its scope. */
export class LivePass<P> {
  #held: Held<P> | undefined;

  /** Runs a part with the pass that stands before it, or with a new one; keeps it when another part follows. */
  readonly use = <A, E, R, E2, R2>(
    part: number,
    open: Effect.Effect<P, E, R>,
    run: (pass: P) => Effect.Effect<{ readonly result: A; readonly more: boolean }, E2, R2>,
  ) =>
    Effect.gen({ self: this }, function* () {
      const held = this.#held;
      this.#held = undefined;
      const isNext = held?.part === part;
      if (held !== undefined && !isNext) yield* Scope.close(held.scope, Exit.void);
      const scope = isNext ? held.scope : yield* Scope.make();
      return yield* Effect.gen({ self: this }, function* () {
        const pass = isNext ? held.pass : yield* Scope.provide(open, scope);
        const { more, result } = yield* run(pass);
        if (more) this.#held = { part: part + 1, pass, scope };
        else yield* Scope.close(scope, Exit.void);
        return result;
      }).pipe(
        // A pass that has failed in the middle of a part is of no use to a second try.
        Effect.onError((cause) => Scope.close(scope, Exit.failCause(cause))),
      );
    });

  /** Gives the pass up. */
  readonly close = Effect.suspend(() => {
    const held = this.#held;
    this.#held = undefined;
    return held === undefined ? Effect.void : Scope.close(held.scope, Exit.void);
  });
}
