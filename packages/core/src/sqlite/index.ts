export * as SqliteJournal from "./SqliteJournal.ts";
export { OpenExecutions } from "../OpenExecutions.ts";
