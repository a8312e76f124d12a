/**
 * Files that appear whole or not at all: written under a temporary name beside their place, renamed when complete.
 */
import { Effect, FileSystem, Path } from "effect";

/** A file that is being written. */
export interface OutputFile {
  readonly write: (bytes: Uint8Array) => ReturnType<FileSystem.File["writeAll"]>;
  /** Moves it to its place, over what may lie there. */
  readonly commit: ReturnType<FileSystem.FileSystem["rename"]>;
}

/** Starts a file; unless committed it is gone when the scope ends. The target's folder must exist. */
export const openOutputFile = Effect.fnUntraced(function* (target: string) {
  const fileSystem = yield* FileSystem.FileSystem;
  const path = yield* Path.Path;
  // In the same folder, hence on the same disk: only then is the rename one step.
  const temporary = yield* fileSystem.makeTempFileScoped({
    directory: path.dirname(target),
    prefix: ".millrace-",
  });
  const file = yield* fileSystem.open(temporary, { flag: "w" });
  return {
    write: (bytes) => file.writeAll(bytes),
    commit: Effect.andThen(file.sync, fileSystem.rename(temporary, target)),
  } satisfies OutputFile;
});
