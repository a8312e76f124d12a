/**
 * Group commit: requests that meet at a store are written together, so that they share one flush to disk.
 *
 * The first request that finds nobody waiting leads: it gives all that are ready one turn to join, then writes for
 * everyone, and each gets the answer to his own request. There is no timer and no thread in it, only Effect's own
 * scheduling, so a simulation's scheduler decides who meets whom.
 */
import { Array, Deferred, Effect, Exit } from "effect";

interface Waiting<Request, Answer, E> {
  readonly request: Request;
  readonly answer: Deferred.Deferred<Answer, E>;
}

/**
 * Makes one write out of requests that meet: `write` is handed all of them, and answers in their order or fails for
 * all.
 *
 * A leader cannot be interrupted, because others depend on it. One that joined may leave; its request is written all
 * the same.
 */
export const makeGroupCommit = <Request, Answer, E>(
  write: (requests: ReadonlyArray<Request>) => Effect.Effect<ReadonlyArray<Answer>, E>,
): ((request: Request) => Effect.Effect<Answer, E>) => {
  let open: Array<Waiting<Request, Answer, E>> | undefined;

  const lead = (group: ReadonlyArray<Waiting<Request, Answer, E>>) =>
    Effect.yieldNow.pipe(
      Effect.andThen(
        Effect.suspend(() => {
          open = undefined;
          return write(group.map(({ request }) => request));
        }),
      ),
      Effect.onExit((exit) =>
        Effect.sync(() => {
          if (Exit.isFailure(exit)) {
            const failed = Exit.failCause(exit.cause);
            for (const { answer } of group) Deferred.doneUnsafe(answer, failed);
          } else {
            for (const [{ answer }, value] of Array.zip(group, exit.value)) {
              Deferred.doneUnsafe(answer, Effect.succeed(value));
            }
          }
        }),
      ),
      Effect.exit,
      Effect.uninterruptible,
    );

  return (request) =>
    Effect.suspend(() => {
      const waiting = { request, answer: Deferred.makeUnsafe<Answer, E>() };
      if (open) {
        open.push(waiting);
        return Deferred.await(waiting.answer);
      }
      open = [waiting];
      return Effect.andThen(lead(open), Deferred.await(waiting.answer));
    });
};
