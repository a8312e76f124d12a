/**
 * The options that a script was started with. One that it does not know is told, with how it is used; the exit code is 2.
 */
import { parseArgs, type ParseArgsConfig } from "node:util";

/** Says why the script cannot do what it was asked, and ends it. */
export const refuseWith =
  (usage: string) =>
  (why: string): never => {
    process.stderr.write(`${why}\n\n${usage}`);
    process.exit(2);
  };

/** Reads them. */
export const readOptions = <O extends NonNullable<ParseArgsConfig["options"]>>(
  options: O,
  usage: string,
): ReturnType<typeof parseArgs<{ options: O }>>["values"] => {
  try {
    return parseArgs({ options }).values;
  } catch (error) {
    return refuseWith(usage)(error instanceof Error ? error.message : String(error));
  }
};
