/**
 * Local mode: the embedded AWS, everything of the topology in it, and the functions at work on their queues.
 *
 * No layer is swapped: the functions are the modules that Lambda runs, in processes of their own, and speak to the
 * embedded AWS through the same clients.
 */
import { taskContainer, variables } from "@millrace/functions/Environment";
import {
  type PipelineBase,
  type Topology,
  topology as productTopology,
  visibilityTimeouts,
} from "@millrace/workflows/topology";
import { Context, Effect, Layer, Option, PubSub } from "effect";
import { fileURLToPath } from "node:url";
import { connectionVariables, EmbeddedAws, layerEmbeddedAws } from "./EmbeddedAws.ts";
import { Ecs } from "./ecs/Ecs.ts";
import { runAsyncInvocations } from "./host/AsyncInvocations.ts";
import { runMapping } from "./host/EventSourceMapping.ts";
import type { HostEvent } from "./host/HostEvent.ts";
import {
  localQueues,
  localReconcilerVariables,
  localScheduled,
  localSweeperVariables,
  localUploadVariables,
  localTask,
  localVariables,
} from "./host/LocalResources.ts";
import { type LocalTimes, provision } from "./host/provision.ts";
import { serveUploadApi, UploadApi } from "./host/UploadApi.ts";
import { LocalFunctions } from "./LocalFunctions.ts";
import { LocalState } from "./LocalState.ts";

export interface LocalModeOptions {
  /** Where the state persists; without it the state is gone at the end. */
  readonly directory?: string | undefined;
  /** @default 0: a free one */
  readonly port?: number | undefined;
  /** @default true */
  readonly workers?: boolean | undefined;
  /** Processes at work for one pipeline at the same time. @default 2 */
  readonly concurrencyMax?: number | undefined;
  /** Further environment variables of the functions. */
  readonly variables?: Readonly<Record<string, string>> | undefined;
  /** The demo shortens them, so that a killed worker's message is back within seconds. @default the topology's */
  readonly timesOf?: ((pipeline: PipelineBase) => LocalTimes) | undefined;
  /** What is made and run. @default the product's */
  readonly topology?: Topology | undefined;
  /** The module of a function, by the name that the topology gives it. @default that of packages/functions */
  readonly moduleOf?: ((handler: string) => string) | undefined;
}

/** What happens in the host, as it happens: invocations, processes, and what the functions print. */
export class HostEvents extends Context.Service<HostEvents, PubSub.PubSub<HostEvent>>()(
  "@millrace/local/HostEvents",
) {}

/** A pipeline's times in AWS. */
export const topologyTimes = ({ compute }: PipelineBase): LocalTimes => ({
  timeoutSeconds: compute.timeoutSeconds,
  visibilitySeconds: compute.timeoutSeconds * visibilityTimeouts,
});

/** Starts everything, and stops it with the scope. */
export const layerLocalMode = (options: LocalModeOptions = {}) => {
  const { moduleOf = productModule, timesOf = topologyTimes, topology = productTopology } = options;
  const { reconciler, sweeper } = topology;
  const hosts = options.workers !== false;
  const host = Layer.effect(
    UploadApi,
    Effect.gen(function* () {
      const connection = yield* EmbeddedAws;
      const events = yield* HostEvents;
      yield* provision(connection, { ...topology, timesOf, sweeps: hosts });
      if (!hosts) return { url: Option.none() };
      const common = { ...connectionVariables(connection), ...options.variables };
      const scheduled = [
        { ...sweeper, variables: localSweeperVariables(connection.endpoint, topology) },
        { ...reconciler, variables: localReconcilerVariables },
      ];
      for (const one of scheduled) {
        yield* Effect.forkScoped(
          runAsyncInvocations(
            {
              name: localScheduled(one),
              file: moduleOf(one.handler),
              timeoutSeconds: one.compute.timeoutSeconds,
              variables: { ...one.variables, ...common },
            },
            events,
          ),
        );
      }
      yield* runPipelines(options, common);
      const uploads = {
        name: "uploads",
        file: moduleOf("uploads"),
        timeoutSeconds: uploadSeconds,
        variables: { ...localUploadVariables, ...common },
      };
      return { url: Option.some(yield* serveUploadApi(uploads, events)) };
    }),
  );
  return host.pipe(
    Layer.provideMerge(Layer.effect(HostEvents, PubSub.unbounded<HostEvent>())),
    Layer.provideMerge(layerEmbeddedAws(options.port ?? 0)),
    Layer.provideMerge(
      LocalFunctions.layer(hosts ? [sweeper, reconciler].map(localScheduled) : []),
    ),
    Layer.provide(
      options.directory === undefined
        ? LocalState.layerTemporary
        : LocalState.layerDirectory(options.directory),
    ),
  );
};

/** The entry point of the containers, by the name of its module. */
const taskModule = "task";

/** From SIGTERM to SIGKILL, in seconds: shorter than in AWS, because nobody wants to wait on his own machine. */
const stopTimeoutSeconds = 30;

/** Says what a task of the pipeline runs, where it has any. */
const defineTask = Effect.fnUntraced(function* (
  pipeline: PipelineBase,
  { file, variables: told }: { readonly file: string; readonly variables: Record<string, string> },
) {
  const { name, task } = pipeline;
  if (!task) return;
  const ecs = yield* Ecs;
  const events = yield* HostEvents;
  yield* ecs.define(localTask(pipeline), {
    file,
    environment: { ...told, MILLRACE_PIPELINE: name },
    container: taskContainer,
    cpuUnits: task.cpuUnits,
    memoryMb: task.memoryMb,
    stopTimeoutSeconds,
    sizeVariables: { cpuUnits: variables.taskCpuUnits, memoryMb: variables.taskMemoryMb },
    onLine: (line, pid) => {
      PubSub.publishUnsafe(events, { _tag: "Line", function: `${name} task`, pid, line });
    },
  });
});

/** Longest answer of the upload API, in seconds, as in stacks/uploads.ts. */
const uploadSeconds = 10;

/** Every pipeline's function at work on its queue, and its task where it has one. */
const runPipelines = Effect.fnUntraced(function* (
  { concurrencyMax = 2, ...options }: LocalModeOptions,
  common: Readonly<Record<string, string>>,
) {
  const { moduleOf = productModule, timesOf = topologyTimes, topology = productTopology } = options;
  const connection = yield* EmbeddedAws;
  const events = yield* HostEvents;
  for (const pipeline of [...topology.pipelines, ...topology.chains]) {
    yield* defineTask(pipeline, {
      file: moduleOf(taskModule),
      variables: { ...localVariables(connection.endpoint, pipeline), ...common },
    });
    yield* Effect.forkScoped(
      runMapping(
        {
          function: {
            name: pipeline.name,
            file: moduleOf(pipeline.handler),
            timeoutSeconds: timesOf(pipeline).timeoutSeconds,
            variables: { ...localVariables(connection.endpoint, pipeline), ...common },
          },
          queueName: localQueues(pipeline).queue,
          batchSize: pipeline.compute.batchSize,
          concurrencyMax: Math.min(concurrencyMax, pipeline.compute.concurrencyMax),
        },
        events,
      ),
    );
  }
});

/** The file of a function of the product, by the name that the topology gives it. */
const productModule = (handler: string): string =>
  fileURLToPath(import.meta.resolve(`@millrace/functions/${handler}`));
