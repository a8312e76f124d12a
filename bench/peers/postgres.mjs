/**
 * PostgreSQL for the peers that need one: the server given by `PG`, or one of its own from the `initdb` and `postgres`
 * of this machine, in a directory that is thrown away. Flush and synchronous commit stay on, as they are by default.
 */
import { spawn, spawnSync } from "node:child_process";
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "./freePort.mjs";

const startMsMax = 30_000;

/** Debian and its kin keep the server's programs off the path. */
const findProgram = (name) => {
  const debian = "/usr/lib/postgresql";
  const versions = existsSync(debian) ? readdirSync(debian) : [];
  const folders = [
    ...(process.env.PATH ?? "").split(":"),
    ...versions.map((version) => join(debian, version, "bin")),
  ];
  return folders.map((folder) => join(folder, name)).find((file) => existsSync(file));
};

/** PostgreSQL refuses to run as root: then as the user `nobody`. */
const nobody = 65_534;
const account = process.getuid?.() === 0 ? { uid: nobody, gid: nobody } : {};

/** @returns {Promise<{ url: string, processIds: () => number[], close: () => Promise<void> } | undefined>} */
export const startPostgres = async () => {
  if (process.env.PG) return { url: process.env.PG, processIds: () => [], close: async () => {} };
  const initdb = findProgram("initdb");
  const postgres = findProgram("postgres");
  if (!initdb || !postgres) return undefined;
  const directory = mkdtempSync(join(tmpdir(), "millrace-bench-postgres-"));
  if (account.uid) chownSync(directory, account.uid, account.gid);
  const data = join(directory, "data");
  const made = spawnSync(initdb, ["-A", "trust", "-U", "postgres", "-D", data], {
    ...account,
    cwd: directory,
    stdio: ["ignore", "ignore", "inherit"],
  });
  if (made.status !== 0) throw new Error(`${initdb} failed`);
  const port = await freePort();
  const server = spawn(
    postgres,
    ["-D", data, "-p", String(port), "-h", "127.0.0.1", "-k", directory],
    { ...account, cwd: directory, stdio: "ignore" },
  );
  const close = async () => {
    server.kill("SIGINT");
    await Promise.race([new Promise((resolve) => server.once("exit", resolve)), sleep(5_000)]);
    rmSync(directory, { recursive: true, force: true });
  };
  process.on("exit", () => server.kill("SIGKILL"));
  const url = `postgres://postgres@127.0.0.1:${port}/bench`;
  const { default: pg } = await import("pg");
  for (const began = Date.now(); ; await sleep(200)) {
    const client = new pg.Client(url.replace(/bench$/, "postgres"));
    try {
      await client.connect();
      await client.query("create database bench");
      await client.end();
      break;
    } catch (error) {
      if (Date.now() - began > startMsMax) throw error;
    }
  }
  return { url, processIds: () => backendsOf(server.pid), close };
};

/** The server's processes: backends live as long as their connections. */
const backendsOf = (pid) => {
  const { stdout } = spawnSync("ps", ["-o", "pid=", "--ppid", String(pid)]);
  const children = String(stdout).split("\n").map(Number);
  return [pid, ...children.filter((child) => child > 0)];
};
