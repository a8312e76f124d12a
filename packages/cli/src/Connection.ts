/**
 * Where a command finds the AWS that it is to speak to: the local mode that runs in this folder, or the environment.
 *
 * `millrace dev` leaves its connection in `.millrace/connection.json` while it runs.
 */
import { type AwsConnection, localAccount } from "@millrace/local";
import { Config, Effect, FileSystem, Option, Path, Schema } from "effect";

/** Folder of everything that local mode keeps, in the working directory. */
export const stateDirectory = ".millrace";

const ConnectionFile = Schema.fromJsonString(
  Schema.Struct({
    endpoint: Schema.String,
    region: Schema.String,
    accessKeyId: Schema.String,
    secretAccessKey: Schema.String,
    pid: Schema.Int,
  }),
);

/** Nothing to speak to. */
export class NotConnected extends Schema.TaggedError<NotConnected>()("NotConnected", {
  file: Schema.String,
}) {
  override get message(): string {
    return `no local mode runs here (${this.file} is not there): start one with \`millrace dev\`, or set AWS_ENDPOINT_URL`;
  }
}

/** Two local modes over one state would take each other's messages. */
export class AlreadyRunning extends Schema.TaggedError<AlreadyRunning>()("AlreadyRunning", {
  endpoint: Schema.String,
  pid: Schema.Int,
  file: Schema.String,
}) {
  override get message(): string {
    return `a local mode runs here already, at ${this.endpoint} (process ${this.pid}): stop it first; if it is no local mode any more, remove ${this.file}`;
  }
}

const connectionFile = Effect.map(Path.Path, (path) =>
  path.join(stateDirectory, "connection.json"),
);

/** The connection in the file, while the process that left it lives: one that was killed leaves the file behind. */
const readAnnounced = Effect.fnUntraced(function* (file: string) {
  const fs = yield* FileSystem.FileSystem;
  const announced = yield* Schema.decodeEffect(ConnectionFile)(yield* fs.readFileString(file));
  yield* Effect.try(() => process.kill(announced.pid, 0));
  return announced;
});

/** Fails when a local mode runs in this folder. */
export const refuseSecond = Effect.gen(function* () {
  const file = yield* connectionFile;
  const running = yield* Effect.option(readAnnounced(file));
  if (Option.isNone(running)) return;
  const { endpoint, pid } = running.value;
  return yield* new AlreadyRunning({ endpoint, pid, file });
});

/** Leaves the connection for other commands until the scope closes. */
export const announceConnection = Effect.fnUntraced(function* (connection: AwsConnection) {
  const fs = yield* FileSystem.FileSystem;
  const file = yield* connectionFile;
  yield* fs.makeDirectory(stateDirectory, { recursive: true });
  yield* Effect.acquireRelease(
    fs.writeFileString(
      file,
      Schema.encodeSync(ConnectionFile)({ ...connection, pid: process.pid }),
    ),
    () => Effect.ignore(fs.remove(file)),
  );
});

/** The connection of the running local mode, else that of AWS_ENDPOINT_URL. */
export const findConnection = Effect.gen(function* () {
  const file = yield* connectionFile;
  const endpoint = yield* Config.option(Config.String("AWS_ENDPOINT_URL"));
  if (Option.isSome(endpoint)) {
    const { accessKeyId, region, secretAccessKey } = localAccount;
    const connection: AwsConnection = {
      endpoint: endpoint.value,
      region: yield* Config.String("AWS_REGION").pipe(Config.withDefault(region)),
      accessKeyId: yield* Config.String("AWS_ACCESS_KEY_ID").pipe(Config.withDefault(accessKeyId)),
      secretAccessKey: yield* Config.String("AWS_SECRET_ACCESS_KEY").pipe(
        Config.withDefault(secretAccessKey),
      ),
    };
    return connection;
  }
  return yield* Effect.mapError(readAnnounced(file), () => new NotConnected({ file }));
});
