/**
 * Names and ARNs of buses, rules, archives and replays of the one local account.
 */
import { localAccount } from "../LocalAccount.ts";

const base = `arn:aws:events:${localAccount.region}:${localAccount.accountId}:`;

export const defaultBus = "default";
export const busArn = (bus: string): string => `${base}event-bus/${bus}`;
export const archiveArn = (archive: string): string => `${base}archive/${archive}`;
export const replayArn = (replay: string): string => `${base}replay/${replay}`;

/** A rule of the default bus has no bus in its ARN. */
export const ruleArn = (bus: string, rule: string): string =>
  bus === defaultBus ? `${base}rule/${rule}` : `${base}rule/${bus}/${rule}`;

/** A bus is named by its name or its ARN; without either it is the default one. */
export const busName = (reference: string | undefined): string =>
  nameIn(reference ?? defaultBus, busArn("")) ?? reference ?? defaultBus;

export const archiveName = (arn: string): string | undefined => nameIn(arn, archiveArn(""));

const nameIn = (arn: string, prefix: string): string | undefined =>
  arn.startsWith(prefix) ? arn.slice(prefix.length) : undefined;

/** Seconds since 1970, as the JSON protocol writes times. */
export const wireTime = (epochMs: number): number => Math.floor(epochMs / 1_000);
