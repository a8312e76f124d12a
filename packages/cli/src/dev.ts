/**
 * `millrace dev`: the embedded AWS and the workers, until stopped.
 */
import {
  EmbeddedAws,
  HostEvents,
  type HostEvent,
  layerLocalMode,
  localBuckets,
  UploadApi,
} from "@millrace/local";
import { Console, Effect, FileSystem, Option, Path, PubSub } from "effect";
import { Command, Flag } from "effect/cli";
import { announceConnection, refuseSecond, stateDirectory } from "./Connection.ts";
import { jsonFlag } from "./jsonFlag.ts";

export const dev = Command.make(
  "dev",
  {
    port: Flag.Int("port").pipe(
      Flag.withDescription("Port on 127.0.0.1; 0 takes a free one"),
      Flag.filter(
        (port) => port >= 0 && port <= 65_535,
        (port) => `--port must be between 0 and 65535, not ${port}`,
      ),
      Flag.withDefault(0),
    ),
    clean: Flag.Boolean("clean").pipe(
      Flag.withDescription("Forget the state of earlier runs first"),
      Flag.withDefault(false),
    ),
    noWorkers: Flag.Boolean("no-workers").pipe(
      Flag.withDescription("Only the bare AWS: nothing takes messages from the queues"),
      Flag.withDefault(false),
    ),
    concurrency: Flag.Int("concurrency").pipe(
      Flag.withDescription("Processes at work for one pipeline at the same time"),
      Flag.filter(
        (processes) => processes > 0,
        (processes) => `--concurrency must be at least 1, not ${processes}; see --no-workers`,
      ),
      Flag.withDefault(2),
    ),
    metrics: Flag.Boolean("metrics").pipe(
      Flag.withDescription("Print the functions' lines of metrics, too"),
      Flag.withDefault(false),
    ),
    json: jsonFlag,
  },
  Effect.fnUntraced(function* ({ clean, concurrency, json, metrics, noWorkers, port }) {
    const fs = yield* FileSystem.FileSystem;
    const path = yield* Path.Path;
    const directory = path.join(stateDirectory, "aws");
    yield* refuseSecond;
    if (clean) yield* fs.remove(directory, { recursive: true, force: true });
    const local = layerLocalMode({
      directory,
      port,
      workers: !noWorkers,
      concurrencyMax: concurrency,
    });
    return yield* Effect.gen(function* () {
      const connection = yield* EmbeddedAws;
      const events = yield* HostEvents;
      const subscription = yield* PubSub.subscribe(events);
      const uploads = Option.getOrUndefined((yield* UploadApi).url);
      yield* announceConnection(connection);
      yield* Console.log(
        json
          ? JSON.stringify({ ...connection, ...(uploads !== undefined && { uploads }) })
          : welcome(connection, uploads),
      );
      return yield* Effect.forever(
        Effect.flatMap(PubSub.take(subscription), (event) =>
          isMetrics(event) && !metrics ? Effect.void : Console.log(renderEvent(event, json)),
        ),
      );
    }).pipe(Effect.scoped, Effect.provide(local));
  }),
).pipe(
  Command.withDescription(
    "Run the embedded AWS and the workers on this machine, until stopped. Exit codes: 0 stopped; 1 a local mode runs here already, or its port or state cannot be used; 2 wrong usage",
  ),
  Command.withShortDescription(
    "Run the embedded AWS and the workers on this machine, until stopped",
  ),
  Command.withExamples([
    { command: "millrace dev", description: "State persists under .millrace/" },
    { command: "millrace dev --clean --port 4566", description: "Afresh, on a fixed port" },
    { command: "millrace dev --no-workers --json", description: "The bare AWS, for a test" },
  ]),
);

const welcome = (connection: EmbeddedAws["Service"], uploads: string | undefined): string =>
  `The embedded AWS listens at ${connection.endpoint}

  export AWS_ENDPOINT_URL=${connection.endpoint}
  export AWS_REGION=${connection.region}
  export AWS_ACCESS_KEY_ID=${connection.accessKeyId}
  export AWS_SECRET_ACCESS_KEY=${connection.secretAccessKey}

${uploads === undefined ? "" : `The upload API: POST ${uploads}/uploads (docs/uploads.md)\n`}Upload with \`millrace upload <files>\` (bucket ${localBuckets.raw}), then \`millrace ls\` and \`millrace show\`.
Stop with Ctrl-C; the state persists under ${stateDirectory}/.
`;

/** A function's line of metrics: for CloudWatch, not for people. */
export const isMetrics = (event: HostEvent): boolean =>
  event._tag === "Line" && event.line.startsWith('{"_aws":');

const renderEvent = (event: HostEvent, json: boolean): string => {
  if (json) return JSON.stringify(event);
  switch (event._tag) {
    case "EnvironmentStarted":
      return `${event.function}: process ${event.pid} started`;
    case "InvocationStarted":
      return `${event.function}: ${event.messages} message(s) to process ${event.pid}`;
    case "InvocationEnded":
      return `${event.function}: done${event.failures > 0 ? `, ${event.failures} will come back` : ""}`;
    case "InvocationFailed":
      return `${event.function}: ${event.reason}`;
    case "Line":
      return `${event.function} | ${event.line}`;
  }
};
