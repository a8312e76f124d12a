/**
 * A process that puts events as fast as it can and prints the id of each one that was taken, until it is killed.
 * Its only argument is the directory of its state.
 */
import * as NodeServices from "@effect/platform-node/NodeServices";
import { Effect, Layer } from "effect";
import { writeSync } from "node:fs";
import { EventBridge } from "../src/eventbridge/EventBridge.ts";
import { LocalState } from "../src/LocalState.ts";
import { Sns } from "../src/sns/Sns.ts";
import { Sqs } from "../src/sqs/Sqs.ts";

const [directory = ""] = process.argv.slice(2);

const services = EventBridge.layer.pipe(
  Layer.provideMerge(Sns.layer),
  Layer.provideMerge(Sqs.layer),
  Layer.provide(LocalState.layerDirectory(directory)),
  Layer.provide(NodeServices.layer),
);

const program = Effect.gen(function* () {
  const sqs = yield* Sqs;
  const { operations } = yield* EventBridge;
  const run = (name: string, input: unknown) => operations[name]?.(input) ?? Effect.die(name);
  yield* sqs.operations["CreateQueue"]?.({ QueueName: "q" }) ?? Effect.void;
  yield* run("PutRule", { Name: "r", EventPattern: '{"source":["acme"]}' });
  const Arn = "arn:aws:sqs:us-east-1:000000000000:q";
  yield* run("PutTargets", { Rule: "r", Targets: [{ Id: "1", Arn }] });
  const Entries = [{ Source: "acme", DetailType: "Made", Detail: "{}" }];
  while (true) {
    const answer = yield* run("PutEvents", { Entries });
    // Synchronous, so that what is printed is not lost with the process.
    writeSync(1, `${JSON.stringify(answer)}\n`);
  }
});

await Effect.runPromise(program.pipe(Effect.provide(services)));
