export * as SqliteIdempotency from "./SqliteIdempotency.ts";
export * as SqliteJournal from "./SqliteJournal.ts";
export * as SqliteLargeValues from "./SqliteLargeValues.ts";
export { OpenExecutions } from "../OpenExecutions.ts";
