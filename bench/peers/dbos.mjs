/**
 * DBOS under the load, on PostgreSQL.
 *
 * Usage: [PG=postgres://...] node bench/peers/dbos.mjs [runs]
 */
import { DBOS } from "@dbos-inc/dbos-sdk";
import { measure } from "../engine/measure.ts";
import { enterBody, runStep } from "../engine/Subject.ts";
import { startPostgres } from "./postgres.mjs";

const [runs = "3"] = process.argv.slice(2);

const job = DBOS.registerWorkflow(
  async ({ id, kind, steps }) => {
    enterBody(id);
    const step = (index) => DBOS.runStep(async () => runStep(id, index), { name: `s${index}` });
    if (kind === "fan") {
      return (await Promise.all(Array.from({ length: steps }, (_, index) => step(index)))).length;
    }
    let sum = 0;
    for (let index = 0; index < steps; index++) sum += await step(index);
    return sum;
  },
  { name: "job" },
);

const postgres = await startPostgres();
if (postgres) {
  DBOS.setConfig({
    name: "millrace-bench",
    systemDatabaseUrl: postgres.url,
    systemDatabasePoolSize: 20,
    logLevel: "error",
  });
  await DBOS.launch();
  const figures = await measure(
    {
      engine: "dbos",
      version: "@dbos-inc/dbos-sdk 5.3.0",
      durability: "PostgreSQL, fsync and synchronous_commit on",
      // Its process keeps a sleeping workflow in memory: there is no resume to measure.
      leavesOut: ["resume", "suspending"],
      processIds: postgres.processIds,
      run: async (payload) =>
        (await DBOS.startWorkflow(job, { workflowID: payload.id })(payload)).getResult(),
      close: async () => {
        await DBOS.shutdown();
        await postgres.close();
      },
    },
    Number(runs),
  );
  process.stdout.write(`${JSON.stringify(figures)}\n`, () => process.exit(0));
} else {
  process.stderr.write(
    "dbos: no PostgreSQL: neither PG=postgres://... nor initdb and postgres on this machine\n",
  );
  process.exitCode = 3;
}
