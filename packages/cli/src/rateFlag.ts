/** The flags of every command that changes many things: how fast, and whether at all. */
import { Operations } from "@millrace/core";
import { Flag } from "effect/cli";

/** A tenth of what one pipeline's function takes at its usual concurrency: new uploads keep their place. */
const defaultPerSecond = 20;

/** Actions a second. */
export const rateFlag = Flag.String("rate").pipe(
  Flag.withDescription(`How many at most: 50/s, 600/m; by default ${defaultPerSecond}/s`),
  Flag.filterMap(Operations.parseRate, () => "a rate like 50/s, 600/m or 0.5/s"),
  Flag.withDefault(defaultPerSecond),
);

/** Counts, and changes nothing. */
export const dryRunFlag = Flag.Boolean("dry-run").pipe(
  Flag.withDescription("Count what would be done, and change nothing"),
  Flag.withDefault(false),
);
