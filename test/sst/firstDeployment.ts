/**
 * SST's dev asks itself for its first deployment while its deployer is still starting. On a busy machine the request now
 * and then comes before the deployer listens: it is lost, and SST waits for ever. Its log tells, because the request then
 * stands above the first wait; asking again, at the address that SST leaves for its own clients, helps.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

const read = (path: string): string => (existsSync(path) ? readFileSync(path, "utf8") : "");

/** What SST has logged in a project. */
export const readLog = (folder: string): string => read(join(folder, ".sst", "log", "sst.log"));

/** What became of the first request for a deployment; undefined while that is open. */
export const firstRequest = (folder: string): "heard" | "lost" | undefined => {
  const log = readLog(folder);
  const requested = log.indexOf('msg="deploy requested"');
  const waiting = log.indexOf('msg="waiting for trigger"');
  if (requested < 0 || waiting < 0) return undefined;
  return requested < waiting ? "lost" : "heard";
};

/** Asks the `sst dev` of a stage for a deployment. */
export const requestDeployment = async (folder: string, stage: string): Promise<void> => {
  const address = read(join(folder, ".sst", `${stage}.server`)).trim();
  await fetch(`${address}/api/deploy`, { method: "POST" });
};
