/**
 * What the outside world saw: every effect of every activity, those of dead and fenced processes included.
 */
import type { Caller } from "@millrace/core/testing/simulation";
import { request } from "@millrace/core/testing/simulation";
import { Context, type Effect, Exit, Layer, Schema } from "effect";

/** One effect that happened outside. */
export interface Deed {
  readonly executionId: string;
  readonly activity: string;
  /** The key that the activity sent along. */
  readonly idempotencyKey: string;
  /** What this effect answered; different each time it happens. */
  readonly token: string;
  /** Tokens of earlier activities that this one was based on, by name. */
  readonly basedOn: Readonly<Record<string, string>>;
  readonly process: string;
  readonly atMs: number;
}

/** The outside did not answer. */
export class OutsideUnavailable extends Schema.TaggedError<OutsideUnavailable>()(
  "OutsideUnavailable",
  { reason: Schema.String },
) {
  readonly failureClass = "transient";
}

export class Outside extends Context.Service<
  Outside,
  {
    /** Does something that cannot be undone, and answers with a token. */
    readonly act: (
      deed: Pick<Deed, "executionId" | "activity" | "idempotencyKey" | "basedOn">,
    ) => Effect.Effect<string, OutsideUnavailable>;
  }
>()("millrace/test/simulation/Outside") {}

export class Ledger {
  readonly deeds: Array<Deed> = [];

  layerFor(caller: Caller): Layer.Layer<Outside> {
    const { process } = caller;
    return Layer.succeed(Outside, {
      act: (deed) =>
        request(caller, {
          name: `act ${deed.executionId.slice(0, 8)} ${deed.activity}`,
          apply: () => {
            const token = `${deed.activity}-${this.deeds.length}`;
            this.deeds.push({ ...deed, token, process: process.name, atMs: process.world.nowMs });
            return Exit.succeed(token);
          },
          unavailable: (reason) => new OutsideUnavailable({ reason }),
          refusal: "slow-down",
        }),
    });
  }
}
