/**
 * Where the embedded AWS keeps what it knows: one SQLite database and one folder for object bodies.
 *
 * Every service creates its own tables (prefix `s3_`, `sqs_`, `events_`, `ecs_`, `glue_`, `scheduler_`, `sns_`, `ssm_`) when its layer is
 * built. With a
 * directory the state survives the process (WAL, so also a SIGKILL); without one it lives in memory and a temporary
 * folder that is removed with the scope.
 */
import { Context, Effect, FileSystem, Layer, Path } from "effect";
import { DatabaseSync } from "node:sqlite";

export class LocalState extends Context.Service<
  LocalState,
  {
    readonly database: DatabaseSync;
    /** An existing directory for files of the services; the S3 bodies live below `objects/`. */
    readonly directory: string;
  }
>()("@millrace/local/LocalState") {
  /** State kept under `directory` (created when missing), e.g. `.millrace/aws`. */
  static readonly layerDirectory = (directory: string) =>
    Layer.effect(
      LocalState,
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem;
        const path = yield* Path.Path;
        yield* fs.makeDirectory(directory, { recursive: true });
        return LocalState.of({
          database: yield* open(path.join(directory, "aws.sqlite")),
          directory,
        });
      }),
    );

  /** State that is gone when the scope closes: for tests. */
  static readonly layerTemporary = Layer.effect(
    LocalState,
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem;
      return LocalState.of({
        database: yield* open(":memory:"),
        directory: yield* fs.makeTempDirectoryScoped({ prefix: "millrace-" }),
      });
    }),
  );
}

const open = (file: string) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const database = new DatabaseSync(file);
      database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;");
      return database;
    }),
    (database) => Effect.sync(() => database.close()),
  );
