/** All rules over the graph of a stage. */
import type { Rule } from "./Rule.ts";
import { containerRules } from "./rules/containers.ts";
import { datasetRules } from "./rules/datasets.ts";
import { directoryRules } from "./rules/directory.ts";
import { eventRules } from "./rules/events.ts";
import { functionRules } from "./rules/functions.ts";
import { operationRules } from "./rules/operations.ts";
import { queueRules } from "./rules/queues.ts";
import { removalRules } from "./rules/removal.ts";
import { roleRules } from "./rules/roles.ts";
import { storageRules } from "./rules/storage.ts";

export const rules: ReadonlyArray<Rule> = [
  ...eventRules,
  ...queueRules,
  ...functionRules,
  ...roleRules,
  ...storageRules,
  ...operationRules,
  ...removalRules,
  ...containerRules,
  ...directoryRules,
  ...datasetRules,
];
