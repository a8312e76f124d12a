/**
 * All commands, and how each of them ends.
 */
import { Cause, Exit } from "effect";
import { CliError, Command } from "effect/cli";
import { StageFlag } from "./StageFlag.ts";

/** One module per command; only the one that is asked for is loaded, because each brings its own heavy libraries. */
const commands = {
  demo: async () => (await import("./demo/demo.ts")).demo,
  dev: async () => (await import("./dev.ts")).dev,
  upload: async () => (await import("./upload.ts")).upload,
  ls: async () => (await import("./ls.ts")).ls,
  show: async () => (await import("./show.ts")).show,
  where: async () => (await import("./where.ts")).where,
  redrive: async () => (await import("./redrive.ts")).redrive,
  dlq: async () => (await import("./dlq/dlq.ts")).dlq,
  replay: async () => (await import("./replay/replay.ts")).replay,
  backfill: async () => (await import("./backfill/backfill.ts")).backfill,
  reconcile: async () => (await import("./reconcile.ts")).reconcile,
  signal: async () => (await import("./signal.ts")).signal,
  cancel: async () => (await import("./cancel.ts")).cancel,
  pause: async () => (await import("./pause.ts")).pause,
  resume: async () => (await import("./pause.ts")).resume,
  fork: async () => (await import("./fork.ts")).fork,
  export: async () => (await import("./export.ts")).exportCommand,
  import: async () => (await import("./import.ts")).importCommand,
  "check-replay": async () => (await import("./checkReplay.ts")).checkReplayCommand,
  cost: async () => (await import("./cost.ts")).cost,
  infer: async () => (await import("./infer.ts")).infer,
  transform: async () => (await import("./transform.ts")).transform,
  images: async () => (await import("./images.ts")).images,
  renditions: async () => (await import("./renditions.ts")).renditions,
};

const isCommand = (name: string): name is keyof typeof commands => Object.hasOwn(commands, name);

/** The command tree: with that command alone where there is one of the name, with all of them otherwise. */
export const loadMillrace = async (name: string) => {
  const loaded = await Promise.all(
    isCommand(name) ? [commands[name]()] : Object.values(commands).map((load) => load()),
  );
  return Command.make("millrace").pipe(
    Command.withDescription(
      "Durable pipelines: files in, results out, nothing lost and nothing done twice",
    ),
    Command.withSubcommands(loaded),
    Command.withGlobalFlags([StageFlag]),
  );
};

/** What the process answers with: 0 done, 1 it failed, 2 wrong usage; whoever was stopped in its work says so itself. */
export const exitCodeOf = (exit: Exit.Exit<unknown, unknown>): number => {
  if (Exit.isSuccess(exit)) return 0;
  // A command that was stopped in its work says so itself; `dev` is stopped when it has done its work.
  if (Cause.hasInterruptsOnly(exit.cause)) return Number(process.exitCode ?? 0);
  const error = Cause.squash(exit.cause);
  return CliError.isCliError(error) && error._tag !== "UserError" ? 2 : 1;
};
