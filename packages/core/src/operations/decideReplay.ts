/**
 * What an archived event calls for, given where its execution stands; pure.
 *
 * The three modes are asked for one by one because their costs differ: `join` may start what was lost and touches
 * nothing that exists, `failed` repeats failures and starts nothing, `rerun` does everything again beside the old.
 */
import { Schema } from "effect";
import type { Standing } from "./standingOf.ts";

export const ReplayMode = Schema.Literals(["join", "rerun", "failed"]);
export type ReplayMode = typeof ReplayMode.Type;

/** `none`: the execution stays as it is. */
export type ReplayAction = "start" | "redrive" | "rerun" | "none";

const actions: Readonly<Record<ReplayMode, Readonly<Record<Standing, ReplayAction>>>> = {
  join: { missing: "start", underWay: "none", finished: "none", failed: "none" },
  failed: { missing: "none", underWay: "none", finished: "none", failed: "redrive" },
  rerun: { missing: "start", underWay: "none", finished: "rerun", failed: "rerun" },
};

/** The action for one execution. */
export const decideReplay = (mode: ReplayMode, standing: Standing): ReplayAction =>
  actions[mode][standing];
