/**
 * The dataset that a pipeline's topology declares, in the stage's data catalog: the option `dataset` of its workflow.
 *
 * The table is named once, in the topology: the stacks give the function and the task the rights on exactly that table,
 * and tell them the database.
 */
import { GlueCatalog } from "@millrace/core/aws";
import type { DatasetTopology, PipelineBase } from "@millrace/workflows/topology";
import type { Dataset } from "@millrace/workflows";
import { Config, Effect, Layer } from "effect";
import { variables } from "./Environment.ts";

/** Its catalog dies of a missing variable, which it names: a function that is deployed by the stacks has it. */
export const datasetOf = ({
  dataset,
}: PipelineBase & { readonly dataset: DatasetTopology }): Dataset => ({
  table: dataset.table,
  catalog: Layer.unwrap(
    Effect.map(Config.String(variables.catalogDatabase), (database) =>
      GlueCatalog.layerGlue({ database }),
    ),
  ).pipe(Layer.orDie),
});
