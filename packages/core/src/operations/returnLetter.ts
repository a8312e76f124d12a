/**
 * Brings back what a dead letter is about. Whoever asks for it removes the letter afterwards, and only then: a crash in
 * between leaves a letter whose execution has been redriven, and which the next attempt finds settled.
 */
import { Effect } from "effect";
import { MessageQueue } from "../MessageQueue.ts";
import { planRedrive, redrive } from "../redrive.ts";
import { retry } from "../Retry.ts";
import { type Letter, sendAgain, type WayBack, wayBackOf } from "./Letter.ts";

/** What a letter came to. Only a refused one is still needed. */
export interface Returned {
  readonly outcome:
    /** Its execution goes on from the failed step. */
    | "redriven"
    /** Its original is in the pipeline's queue again. */
    | "sent"
    /** Its execution goes on already, or has completed. */
    | "settled"
    | "refused";
  readonly reason?: string;
}

/** Asks for the redrive, or sends the original to `queue`. */
export const returnLetter = (
  letter: Letter,
  { queue, reason }: { readonly queue: string; readonly reason: string },
) =>
  along(letter, {
    redrive: (executionId) => redrive(executionId, { reason }),
    send: (body) =>
      MessageQueue.use((messages) => messages.send(queue, body)).pipe(retry({ baseMs: 50 })),
  });

/** What `returnLetter` would come to; costs reads only. */
export const checkLetter = (letter: Letter) =>
  along(letter, {
    redrive: (executionId) => planRedrive(executionId, ""),
    send: () => Effect.void,
  });

interface Steps<E, R, F, S> {
  readonly redrive: (executionId: string) => Effect.Effect<unknown, E, R>;
  readonly send: (body: string) => Effect.Effect<void, F, S>;
}

const along = <E extends { readonly _tag: string; readonly message: string }, R, F, S>(
  letter: Letter,
  steps: Steps<E, R, F, S>,
) => {
  const send = (way: WayBack): Effect.Effect<Returned, F, S> =>
    way._tag === "Send"
      ? Effect.as(steps.send(way.body), { outcome: "sent" })
      : Effect.succeed({
          outcome: "refused",
          reason: way._tag === "None" ? way.reason : "no way back",
        });
  const way = wayBackOf(letter);
  if (way._tag !== "Redrive") return send(way);
  return steps.redrive(way.executionId).pipe(
    Effect.as<Returned>({ outcome: "redriven" }),
    Effect.catch((error): Effect.Effect<Returned, E | F, S> => {
      if (error._tag === "NotFailed") {
        return Effect.succeed({ outcome: "settled", reason: error.message });
      }
      if (error._tag === "ExecutionCompensated") {
        return Effect.succeed({ outcome: "refused", reason: error.message });
      }
      // The letter is all that is left of it.
      return error._tag === "ExecutionUnknown" ? send(sendAgain(letter)) : Effect.fail(error);
    }),
  );
};
