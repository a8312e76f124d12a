/**
 * The questions that are asked of the logs again and again, saved in CloudWatch Logs Insights (requirement D1.15).
 */
import { pipelines } from "./pipelines";
import { named } from "./stage";
import { reconciler } from "./reconciler";
import { sweeper } from "./sweeper";
import { uploads } from "./uploads";

const pipelineLogs = Object.values(pipelines).map(({ log }) => log.name);

const queries = {
  errors: `fields @timestamp, @log, message, annotations.executionId, @message
| filter level = "ERROR" or @message like /Task timed out|Runtime exited/
| sort @timestamp desc
| limit 200`,
  durations: `filter @type = "REPORT"
| stats count() as invocations, avg(@duration) as averageMs, pct(@duration, 95) as p95Ms, max(@duration) as longestMs by @log`,
  "cold-starts": `filter @type = "REPORT"
| stats count() as invocations, count(@initDuration) as cold, avg(@initDuration) as coldMs, avg(@duration) as averageMs by @log`,
  "files-per-hour": `filter message = "message handled" and annotations.outcome like /completed|failed/
| stats count() as files by bin(1h), annotations.pipeline`,
  slowest: `filter @type = "REPORT"
| fields @requestId, @log, @duration, @maxMemoryUsed
| sort @duration desc
| limit 10`,
  "one-object": `fields @timestamp, @log, message, annotations.outcome, annotations.executionId
| filter @message like "PUT-THE-KEY-HERE"
| sort @timestamp asc`,
  "one-execution": `fields @timestamp, @log, message, annotations.outcome
| filter annotations.executionId = "PUT-THE-ID-HERE"
| sort @timestamp asc`,
  duplicates: `filter annotations.outcome = "joined"
| stats count() as duplicates by bin(1h), annotations.pipeline`,
  memory: `filter @type = "REPORT"
| stats max(@maxMemoryUsed / 1000 / 1000) as usedMb, max(@memorySize / 1000 / 1000) as allottedMb by @log`,
};

for (const [name, queryString] of Object.entries(queries)) {
  new aws.cloudwatch.QueryDefinition(`Query-${name}`, {
    name: `${named("")}/${name}`.replace("-/", "/"),
    logGroupNames: [...pipelineLogs, sweeper.log.name, reconciler.log.name, uploads.log.name],
    queryString,
  });
}
