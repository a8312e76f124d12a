/**
 * Names and ARNs of ECS in the one account.
 */
import { localAccount } from "../LocalAccount.ts";

const arn = (rest: string): string =>
  `arn:aws:ecs:${localAccount.region}:${localAccount.accountId}:${rest}`;

export const clusterArn = (cluster: string): string => arn(`cluster/${cluster}`);

/** A definition has one revision here: the code that is there. */
export const definitionArn = (family: string): string => arn(`task-definition/${family}:1`);

export const taskArn = (cluster: string, id: string): string => arn(`task/${cluster}/${id}`);

export const containerArn = (cluster: string, id: string): string =>
  arn(`container/${cluster}/${id}/worker`);

/** What stands after the last slash; names are taken as they are. */
export const nameIn = (nameOrArn: string): string =>
  nameOrArn.slice(nameOrArn.lastIndexOf("/") + 1);

/** The family of `family`, `family:1` or the ARN of a definition. */
export const familyIn = (definition: string): string => nameIn(definition).replace(/:\d+$/, "");
