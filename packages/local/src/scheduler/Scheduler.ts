/**
 * EventBridge Scheduler of the embedded AWS: one-time and recurring schedules on queues and hosted functions, for
 * Scheduler clients (REST-JSON). All time comes from Effect's Clock.
 *
 * It fires on the second, where AWS fires within the minute. Tags, KMS keys and all other targets are refused by name.
 */
import { Context, Effect, Layer } from "effect";
import { makeDelivery } from "../delivery/makeDelivery.ts";
import type { AwsHandler } from "../http/AwsRequest.ts";
import { restProtocol, type RestRoute } from "../http/restProtocol.ts";
import { LocalFunctions } from "../LocalFunctions.ts";
import { LocalState } from "../LocalState.ts";
import { Sqs } from "../sqs/Sqs.ts";
import { makeFiring } from "./firing.ts";
import { groupOperations } from "./groupOperations.ts";
import { scheduleOperations } from "./scheduleOperations.ts";
import { scheduleRoute } from "./scheduleRoute.ts";
import { SchedulerState } from "./SchedulerState.ts";

export class Scheduler extends Context.Service<
  Scheduler,
  {
    /** Answers the requests of Scheduler clients. */
    readonly handler: AwsHandler;
  }
>()("@millrace/local/scheduler/Scheduler") {
  static readonly layer = Layer.effect(
    Scheduler,
    Effect.gen(function* () {
      const { database } = yield* LocalState;
      const targets = { sqs: yield* Sqs, functions: yield* LocalFunctions };
      const state = new SchedulerState(database);
      const delivery = makeDelivery(scheduleRoute(state, targets));
      const firing = makeFiring(state, delivery.wake);
      yield* Effect.forkScoped(delivery.run);
      yield* Effect.forkScoped(firing.run);
      return Scheduler.of({
        handler: restProtocol({
          service: "Scheduler",
          routes,
          operations: {
            ...scheduleOperations(state, firing.changed),
            ...groupOperations(state, firing.changed),
          },
        }),
      });
    }),
  );
}

/** The paths belong to S3 when a request is not signed for the scheduler. */
const schedule = "/schedules/{Name}";
const group = "/schedule-groups/{Name}";
const ofSchedule = { GroupName: "groupName" };
const token = { ClientToken: "clientToken" };
const paged = { MaxResults: "MaxResults", NamePrefix: "NamePrefix", NextToken: "NextToken" };

const routes: ReadonlyArray<RestRoute> = [
  { operation: "CreateSchedule", method: "POST", path: schedule },
  { operation: "UpdateSchedule", method: "PUT", path: schedule },
  { operation: "GetSchedule", method: "GET", path: schedule, query: ofSchedule },
  {
    operation: "DeleteSchedule",
    method: "DELETE",
    path: schedule,
    query: { ...ofSchedule, ...token },
  },
  {
    operation: "ListSchedules",
    method: "GET",
    path: "/schedules",
    query: { ...paged, GroupName: "ScheduleGroup", State: "State" },
  },
  { operation: "CreateScheduleGroup", method: "POST", path: group },
  { operation: "GetScheduleGroup", method: "GET", path: group },
  { operation: "DeleteScheduleGroup", method: "DELETE", path: group, query: token },
  { operation: "ListScheduleGroups", method: "GET", path: "/schedule-groups", query: paged },
];
