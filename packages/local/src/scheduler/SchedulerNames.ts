/**
 * Names and ARNs of schedules and schedule groups of the one local account.
 */
import { localAccount } from "../LocalAccount.ts";

const base = `arn:aws:scheduler:${localAccount.region}:${localAccount.accountId}:`;

export const defaultGroup = "default";
export const groupArn = (group: string): string => `${base}schedule-group/${group}`;
export const scheduleArn = (group: string, name: string): string =>
  `${base}schedule/${group}/${name}`;

/** Under this key a schedule is stored; lists are in its order. */
export const scheduleKey = (group: string, name: string): string => `${group}\n${name}`;
