/**
 * An unmodified Scheduler client over fresh services that share one state, and calls that tests repeat.
 */
import * as Sdk from "@aws-sdk/client-scheduler";
import { Clock, Effect, Layer } from "effect";
import { TestClock } from "effect/testing";
import { LocalFunctions } from "../src/LocalFunctions.ts";
import { Scheduler } from "../src/scheduler/Scheduler.ts";
import { Sqs } from "../src/sqs/Sqs.ts";
import { call, clientConfiguration, freshState } from "./inProcess.ts";

/** Hosts one function: `worker`. */
export const services = Scheduler.layer.pipe(
  Layer.provideMerge(Sqs.layer),
  Layer.provideMerge(LocalFunctions.layer(["worker"])),
);

/** Each test has its own world. */
export const world = services.pipe(Layer.provide(freshState));

export const queueArn = (name: string) => `arn:aws:sqs:us-east-1:000000000000:${name}`;
export const lambdaArn = (name: string) => `arn:aws:lambda:us-east-1:000000000000:function:${name}`;
export const schedulerArn = (rest: string) => `arn:aws:scheduler:us-east-1:000000000000:${rest}`;
export const RoleArn = "arn:aws:iam::000000000000:role/scheduler";

/** A one-time expression so many milliseconds from now. */
export const atIn = (ms: number) =>
  Effect.map(
    Clock.currentTimeMillis,
    (nowMs) => `at(${new Date(nowMs + ms).toISOString().slice(0, 19)})`,
  );

/** A good request, with changes. */
const input = (more: Partial<Sdk.CreateScheduleCommandInput>) => ({
  Name: "s",
  ScheduleExpression: "rate(1 minute)",
  FlexibleTimeWindow: { Mode: "OFF" as const },
  Target: { Arn: queueArn("q"), RoleArn, Input: "hello" },
  ...more,
});

export const connect = Effect.gen(function* () {
  const sqs = yield* Sqs;
  const functions = yield* LocalFunctions;
  const client = new Sdk.SchedulerClient(yield* clientConfiguration((yield* Scheduler).handler));
  return {
    client,
    sqs,
    functions,
    createQueue: (QueueName: string) =>
      sqs.operations["CreateQueue"]?.({ QueueName }) ?? Effect.void,
    create: (more: Partial<Sdk.CreateScheduleCommandInput>) =>
      call(() => client.send(new Sdk.CreateScheduleCommand(input(more)))),
    update: (more: Partial<Sdk.CreateScheduleCommandInput>) =>
      call(() => client.send(new Sdk.UpdateScheduleCommand(input(more)))),
    get: (Name = "s", GroupName?: string) =>
      call(() => client.send(new Sdk.GetScheduleCommand({ Name, GroupName }))),
    remove: (Name = "s", GroupName?: string) =>
      call(() => client.send(new Sdk.DeleteScheduleCommand({ Name, GroupName }))),
    /** Lets time pass, then empties a queue. */
    drainAfter: Effect.fnUntraced(function* (ms: number, queue = "q") {
      yield* TestClock.adjust(ms);
      const received = yield* sqs.receive(queue, { max: 10 });
      for (const { receiptHandle } of received) yield* sqs.delete(queue, receiptHandle);
      return received;
    }),
  };
});
