/**
 * Timers beyond 15 minutes: a group in which functions make one-time schedules, and the role by which those send.
 */
import { trustOf, rights } from "./lib/policies";
import { account, named, region } from "./stage";

export const scheduleGroup = new aws.scheduler.ScheduleGroup("Timers", { name: named("timers") });

/** One schedule of the group, whatever its name. */
export const schedulesArn = $interpolate`arn:aws:scheduler:${region}:${account}:schedule/${scheduleGroup.name}/*`;

/** A role for the scheduler: for this group's schedules only, and to do only this. */
export const makeSchedulerRole = (
  name: string,
  group: $util.Input<string>,
  allowed: Parameters<typeof rights>[0],
) =>
  new aws.iam.Role(name, {
    assumeRolePolicy: trustOf("scheduler.amazonaws.com", {
      StringEquals: { "aws:SourceAccount": account },
      ArnEquals: { "aws:SourceArn": group },
    }),
    inlinePolicies: [{ name: "send", policy: rights(allowed) }],
  });
