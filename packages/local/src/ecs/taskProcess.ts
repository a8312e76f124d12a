/**
 * The process of one task: runs the container's entry point as it is. Started as a child process with an IPC channel,
 * whose end is the end of the task: it does not outlive the machine that it runs on.
 */
import { pathToFileURL } from "node:url";

const file = process.argv[2];
if (file === undefined) throw new TypeError("usage: taskProcess <module>");
process.on("disconnect", () => process.exit(137));
// A channel alone is no reason to go on.
process.channel?.unref();
await import(pathToFileURL(file).href);
