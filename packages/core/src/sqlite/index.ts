export * as SqliteJournal from "./SqliteJournal.ts";
