/**
 * Restate under the load: its server from npm on the loopback interface, in a directory that is thrown away.
 *
 * Usage: node bench/peers/restate.mjs streaming|request-response [runs]
 *
 * `streaming` keeps one connection open per run, as a long-lived process would; `request-response` is what a Lambda
 * function gets: each suspension ends the request, and the next one brings the history again.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import http2 from "node:http2";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import * as restate from "@restatedev/restate-sdk";
import * as clients from "@restatedev/restate-sdk-clients";
import { measure } from "../engine/measure.ts";
import { enterBody, runStep, stepsPerSuspension, waitMs } from "../engine/Subject.ts";
import { freePort } from "./freePort.mjs";

const [mode = "streaming", runs = "3"] = process.argv.slice(2);
const streaming = mode === "streaming";
const startMsMax = 30_000;

const job = restate.workflow({
  name: "job",
  handlers: {
    run: async (context, { id, kind, steps }) => {
      enterBody(id);
      const step = (index) => context.run(`s${index}`, async () => runStep(id, index));
      if (kind === "fan") {
        const all = Array.from({ length: steps }, (_, index) => step(index));
        return (await restate.RestatePromise.all(all)).length;
      }
      let sum = 0;
      for (let index = 0; index < steps; index++) {
        sum += await step(index);
        if (kind === "suspending" && (index + 1) % stepsPerSuspension === 0) {
          await context.sleep(waitMs);
        }
      }
      if (kind === "resume") {
        await context.sleep(waitMs);
        sum += await step(steps);
      }
      return sum;
    },
  },
});

const ports = {
  service: await freePort(),
  ingress: await freePort(),
  admin: await freePort(),
  node: await freePort(),
};
const service = http2.createServer(
  restate.createEndpointHandler({ services: [job], bidirectional: streaming }),
);
await new Promise((resolve) => service.listen(ports.service, "127.0.0.1", resolve));

const directory = mkdtempSync(join(tmpdir(), "millrace-bench-restate-"));
const serverPackage = `@restatedev/restate-server-${process.platform}-${process.arch}/package.json`;
const server = spawn(
  join(dirname(createRequire(import.meta.url).resolve(serverPackage)), "bin", "restate-server"),
  ["--no-logo"],
  {
    cwd: directory,
    stdio: ["ignore", "ignore", "inherit"],
    env: {
      ...process.env,
      RESTATE_BASE_DIR: directory,
      RESTATE_NODE_NAME: "bench",
      RESTATE_BIND_IP: "127.0.0.1",
      RESTATE_ADVERTISED_HOST: "127.0.0.1",
      RESTATE_LISTEN_MODE: "tcp",
      RESTATE_BIND_PORT: String(ports.node),
      RESTATE_ADMIN__BIND_PORT: String(ports.admin),
      RESTATE_INGRESS__BIND_PORT: String(ports.ingress),
      RESTATE_DEFAULT_NUM_PARTITIONS: "4",
      RESTATE_ROCKSDB_TOTAL_MEMORY_SIZE: "512 MiB",
      RESTATE_DISABLE_TELEMETRY: "true",
      DO_NOT_TRACK: "1",
      RESTATE_LOG_FILTER: "error",
    },
  },
);
process.on("exit", () => server.kill("SIGKILL"));

const isOk = async (url, init) => {
  try {
    return (await fetch(url, init)).ok;
  } catch {
    return false;
  }
};
const untilOk = async (url, init) => {
  for (const began = Date.now(); !(await isOk(url, init)); await sleep(200)) {
    if (Date.now() - began > startMsMax) throw new Error(`restate-server: no answer from ${url}`);
  }
};
await untilOk(`http://127.0.0.1:${ports.admin}/health`);
await untilOk(`http://127.0.0.1:${ports.ingress}/restate/health`);
await untilOk(`http://127.0.0.1:${ports.admin}/deployments`, {
  method: "POST",
  headers: { "content-type": "application/json" },
  body: JSON.stringify({ uri: `http://127.0.0.1:${ports.service}`, force: true }),
});
const ingress = clients.connect({ url: `http://127.0.0.1:${ports.ingress}` });

const figures = await measure(
  {
    engine: `restate-${mode}`,
    version: "restate-server 1.7.12, restate-sdk 1.17.2",
    durability: "RocksDB WAL, fsync on (default), one replica",
    // Request and response bring the whole history again for each step: 10,000 steps would take hours.
    leavesOut: streaming ? [] : ["suspending", "steps10000"],
    processIds: () => [server.pid],
    run: (payload) => ingress.workflowClient({ name: "job" }, payload.id).run(payload),
    close: async () => {
      server.kill("SIGTERM");
      await Promise.race([new Promise((resolve) => server.once("exit", resolve)), sleep(3_000)]);
      rmSync(directory, { recursive: true, force: true });
    },
  },
  Number(runs),
);
process.stdout.write(`${JSON.stringify(figures)}\n`, () => process.exit(0));
