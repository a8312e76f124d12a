export * as Engine from "./Engine.ts";
export { Durability } from "./Durability.ts";
export { ExecutionRunner } from "./ExecutionRunner.ts";
export { Journal } from "./Journal.ts";
export { ProcessDeadline } from "./LiveExecution.ts";
export { Wakes } from "./Wakes.ts";
