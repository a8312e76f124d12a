/** The stages that are looked at: production, one that a team shares, and a personal one with `sst dev`. */
import { type Graph, synthesize } from "./Graph.ts";

export const stages = [
  { stage: "prod", dev: false },
  { stage: "dev", dev: false },
  { stage: "ann", dev: true },
] as const;

/** The graphs of all of them. */
export const synthesizeStages = (): Promise<ReadonlyArray<Graph>> =>
  Promise.all(stages.map(({ dev, stage }) => synthesize(stage, { dev })));
