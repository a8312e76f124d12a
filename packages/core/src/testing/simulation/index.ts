/**
 * A seeded world for the engine: faulty stores, queues and processes around the product's own code.
 */
export {
  type FaultName,
  faultNames,
  type FaultPlan,
  Faults,
  isFaultName,
  swarmRateMax,
} from "./Faults.ts";
export { Prng } from "./Prng.ts";
export { type Caller, leaseMs, request } from "./request.ts";
export { SimulatedBus } from "./SimulatedBus.ts";
export { SimulatedExecutions } from "./SimulatedExecutions.ts";
export { type FunctionHost, SimulatedFunction } from "./SimulatedFunction.ts";
export { SimulatedHeads } from "./SimulatedHeads.ts";
export { SimulatedJournal } from "./SimulatedJournal.ts";
export { SimulatedLargeValues } from "./SimulatedLargeValues.ts";
export { SimulatedObjectStore, type StoredVersion } from "./SimulatedObjectStore.ts";
export { SimulatedProcess } from "./SimulatedProcess.ts";
export { SimulatedQueues } from "./SimulatedQueues.ts";
export { schedulePrecisionMs, SimulatedSchedules } from "./SimulatedSchedules.ts";
export { SimulatedTasks } from "./SimulatedTasks.ts";
export { World, worldEpochMs } from "./World.ts";
