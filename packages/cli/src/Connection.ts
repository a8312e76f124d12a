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

const connectionFile = Effect.map(Path.Path, (path) =>
  path.join(stateDirectory, "connection.json"),
);

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
  const fs = yield* FileSystem.FileSystem;
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
  const text = yield* fs
    .readFileString(file)
    .pipe(Effect.mapError(() => new NotConnected({ file })));
  return yield* Effect.mapError(
    Schema.decodeEffect(ConnectionFile)(text),
    () => new NotConnected({ file }),
  );
});
