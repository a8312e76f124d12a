/**
 * Writes, reads and bytes of one execution, counted where the SDK sends them, and what a million of them cost.
 *
 *   npm run bench -- writes [--json]
 *
 * One line per shape of workflow, then the price of the ten-step one beside Step Functions and Lambda durable
 * functions. Prices and their sources: packages/cli/src/cost/prices.ts. The formula is printed with the figures.
 */
import { Effect } from "effect";
import { parseArgs } from "node:util";
import { cost, prices, pricesDate } from "../packages/cli/src/cost/prices.ts";
import type { Counts } from "./writes/Counts.ts";
import { countShapes } from "./writes/countShape.ts";
import { shapes } from "./writes/workflows.ts";

const { values } = parseArgs({ options: { json: { type: "boolean", default: false } } });

const million = 1_000_000;

/** What the price assumes beside the counts; each is named in the output. */
const assumed = {
  /** Work of one activity, in milliseconds of the function's time. */
  workMsPerStep: 10,
  /** One answer of DynamoDB or SQS, in milliseconds. */
  requestMs: 6,
  memoryGb: 0.5,
  /** Requests to SQS per message: one send, and its part of a batch of ten received and deleted. */
  sqsRequestsPerMessage: 1.2,
};

const formula = [
  "journal = journalWriteUnits x WRU + journalReadUnits x RRU",
  "index   = indexWriteUnits x WRU",
  `lambda  = invocations x request + GB x (steps x ${assumed.workMsPerStep} ms + (journal and index requests + messagesSent) x ${assumed.requestMs} ms) x GB-second, with ${assumed.memoryGb} GB`,
  `queue   = (messagesSent + 1) x ${assumed.sqsRequestsPerMessage} x request`,
  "event   = 1 x S3 event through EventBridge",
];

const round = (usd: number): number => Number(usd.toFixed(2));

/** USD per million executions. */
const priceOf = (counts: Counts, steps: number) => {
  const requests =
    counts.journalWrites +
    counts.journalReads +
    counts.indexWrites +
    counts.indexReads +
    counts.messagesSent;
  const lambdaMs = steps * assumed.workMsPerStep + requests * assumed.requestMs;
  const journal =
    cost(prices.dynamoWriteUnit, counts.journalWriteUnits * million) +
    cost(prices.dynamoReadUnit, counts.journalReadUnits * million);
  const index = cost(prices.dynamoWriteUnit, counts.indexWriteUnits * million);
  const lambda =
    cost(prices.lambdaRequest, counts.invocations * million) +
    cost(prices.lambdaGbSecond, (assumed.memoryGb * lambdaMs * million) / 1_000);
  const queue = cost(
    prices.sqsRequest,
    (counts.messagesSent + 1) * assumed.sqsRequestsPerMessage * million,
  );
  const event = cost(prices.eventBridgeEvent, million);
  return {
    journal: round(journal),
    index: round(index),
    lambda: round(lambda),
    queue: round(queue),
    event: round(event),
    engine: round(journal + lambda),
    all: round(journal + index + lambda + queue + event),
  };
};

/** The same ten steps elsewhere, per million executions; what they read and write beside is left out. */
const elsewhere = (steps: number) => {
  const work = cost(
    prices.lambdaGbSecond,
    (assumed.memoryGb * steps * assumed.workMsPerStep * million) / 1_000,
  );
  const gbWritten = (steps * 1_024 * million) / 1e9;
  return {
    // One transition per step, the start and the end; each step is a Lambda function's request.
    stepFunctionsStandard: round(
      cost(prices.stepFunctionsTransition, (steps + 2) * million) +
        cost(prices.lambdaRequest, steps * million) +
        work,
    ),
    // One operation per step and one for the execution, 1 KB each.
    lambdaDurableFunctions: round(
      cost(prices.lambdaDurableOperation, (steps + 1) * million) +
        cost(prices.lambdaDurableGbWritten, gbWritten) +
        cost(prices.lambdaRequest, million) +
        work,
    ),
  };
};

const counted = await Effect.runPromise(countShapes);
const lines = shapes.flatMap(({ name, steps }, index) => {
  const counts = counted[index];
  return counts ? [{ shape: name, steps, ...counts, usdPerMillion: priceOf(counts, steps) }] : [];
});
const [ten] = lines;
const comparison = {
  comparison: "USD per million executions of ten steps",
  millrace: ten?.usdPerMillion.all,
  millraceEngine: ten?.usdPerMillion.engine,
  ...elsewhere(10),
  assumed,
  formula,
  pricesDate,
  prices,
};

if (values.json) {
  for (const line of [...lines, comparison]) process.stdout.write(`${JSON.stringify(line)}\n`);
} else {
  for (const { shape, usdPerMillion: usd, ...counts } of lines) {
    process.stdout.write(
      `${shape}\n  ${counts.journalWrites} journal writes (${counts.journalWriteUnits} units, ${counts.journalBytesWritten} bytes), ${counts.journalReads} reads (${counts.journalReadUnits} units), ${counts.indexWrites} index writes, ${counts.messagesSent} messages sent, ${counts.invocations} invocations\n  USD per million: journal ${usd.journal}, index ${usd.index}, lambda ${usd.lambda}, queue ${usd.queue}, event ${usd.event}: ${usd.all}\n`,
    );
  }
  const { lambdaDurableFunctions, millrace, millraceEngine, stepFunctionsStandard } = comparison;
  process.stdout
    .write(`\n${formula.join("\n")}\nprices of ${pricesDate}: packages/cli/src/cost/prices.ts\n
ten steps, USD per million executions: Millrace ${millrace} with everything around it (journal and Lambda alone ${millraceEngine}), Lambda durable functions ${lambdaDurableFunctions}, Step Functions Standard ${stepFunctionsStandard}\n`);
}
