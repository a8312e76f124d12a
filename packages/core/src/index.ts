export * as EventPattern from "./EventPattern.ts";
