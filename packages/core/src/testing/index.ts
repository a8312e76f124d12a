export { idempotencyContract } from "./idempotencyContract.ts";
export { journalContract } from "./journalContract.ts";
