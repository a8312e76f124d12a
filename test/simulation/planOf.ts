/**
 * Which faults a seed is put through, when nothing else is asked for: mostly swarms, some single faults, some none.
 */
import { type FaultPlan, faultNames, swarmRateMax } from "@millrace/core/testing/simulation";

export const planOf = (seed: number): FaultPlan => {
  const kind = seed % 10;
  const fault = faultNames[Math.floor(seed / 10) % faultNames.length];
  if (kind === 0) return { _tag: "None" };
  if (kind <= 2 && fault) return { _tag: "Single", fault };
  return { _tag: "Swarm", rateMax: swarmRateMax };
};

/** Faults as rare as they are on a good day: what the engine costs then is compared with what it costs without any. */
export const lowRates: FaultPlan = {
  _tag: "Swarm",
  rateMax: 0.01,
  // A replay of the archive is more work, not a fault; damage and wrong code do not happen on a good day.
  without: ["replay-storm", "damage", "changed-code"],
};
