/**
 * A folder for what does not fit into memory. It goes with the scope, and with it what lies in it.
 */
import { Effect } from "effect";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Makes one, and gives its path; `failed` is the error when there can be none. */
export const makeTemporaryFolder = <E>(prefix: string, failed: (cause: unknown) => E) =>
  Effect.acquireRelease(
    Effect.tryPromise({ try: () => mkdtemp(join(tmpdir(), prefix)), catch: failed }),
    (folder) => Effect.promise(() => rm(folder, { recursive: true, force: true })),
  );
