/**
 * A writer token for appends from outside a run: what for, and 128 random bits from the service that a simulation seeds.
 */
import { Effect, Random } from "effect";

export const makeWriter = (purpose: string): Effect.Effect<string> =>
  Effect.map(
    Effect.replicateEffect(Random.nextIntBetween(0, 2 ** 32), 4),
    (words) => `${purpose}/${words.map((word) => word.toString(16).padStart(8, "0")).join("")}`,
  );
