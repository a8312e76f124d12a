/**
 * A store that fails once, where a test says, and tells what was read of it.
 */
import { ObjectStore, ObjectStoreUnavailable } from "@millrace/core";
import { Effect, Layer } from "effect";

/** Fails the first write, or completion, of a key that the pattern matches. */
export const failingOnce = (store: Layer.Layer<ObjectStore>, pattern: RegExp | undefined) => {
  const opened: Array<string> = [];
  let left = pattern === undefined ? 0 : 1;
  const layer = Layer.effect(
    ObjectStore,
    Effect.map(ObjectStore, (inner) =>
      ObjectStore.of({
        ...inner,
        open: (ref, range) => {
          opened.push(`${ref.key}@${range?.fromByte ?? 0}`);
          return inner.open(ref, range);
        },
        writer: (target) =>
          Effect.map(inner.writer(target), (writer) => ({
            ...writer,
            complete: Effect.suspend(() => {
              if (left === 0 || pattern?.test(target.key) !== true) return writer.complete;
              left -= 1;
              const { bucket, key } = target;
              return Effect.fail(
                new ObjectStoreUnavailable({ bucket, key, operation: "write", cause: "slow down" }),
              );
            }),
          })),
      }),
    ),
  ).pipe(Layer.provide(store));
  return { layer, opened };
};
