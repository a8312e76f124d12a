/**
 * A client whose code is loaded when something is first asked of it: a function that never asks starts without it.
 *
 * `open` imports a module of this folder dynamically. Bundlers put such a module, and the client in it, into a file of
 * its own (docs/benchmarks.md, "bundles").
 */
import { Effect, type Scope } from "effect";

interface Closeable {
  readonly destroy: () => void;
}

/** Gives the client, always the same one; it closes with the scope, when it was opened at all. */
export const lazyClient = <Client extends Closeable>(
  open: () => Promise<Client>,
): Effect.Effect<() => Promise<Client>, never, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(
      Effect.sync((): { opened?: Promise<Client> } => ({})),
      ({ opened }) => Effect.promise(async () => (await opened)?.destroy()),
    ),
    (once) => () => (once.opened ??= open()),
  );
