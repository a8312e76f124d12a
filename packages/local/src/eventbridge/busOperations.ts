/**
 * The wire operations on event buses.
 *
 * Source: EventBridge API reference 2015-10-07
 */
import { Clock, Effect, Schema } from "effect";
import type { JsonOperations } from "../http/AwsRequest.ts";
import { alreadyExists, eventOperation, invalidEvent, limitExceeded } from "./EventErrors.ts";
import { busArn, busName, defaultBus, wireTime } from "./EventNames.ts";
import type { Bus, EventState } from "./EventState.ts";
import { pageOf, Paging } from "./paging.ts";

const busesMax = 100;
const optional = Schema.optionalKey(Schema.String);

export const busOperations = (state: EventState): JsonOperations => ({
  CreateEventBus: eventOperation(
    "CreateEventBus",
    Schema.Struct({ Name: Schema.String, Description: optional }),
    Effect.fnUntraced(function* ({ Name, Description }) {
      if (!/^[.\-_A-Za-z0-9]{1,256}$/.test(Name)) {
        return yield* invalidEvent(
          `Parameter Name ${Name} is not valid: letters, digits, . - _ only.`,
        );
      }
      if (Name === defaultBus || state.buses.get(Name) !== undefined) {
        return yield* alreadyExists(`Event bus ${Name} already exists.`);
      }
      if (state.buses.all().length + 1 >= busesMax) {
        return yield* limitExceeded(`The account already has ${busesMax} event buses.`);
      }
      const nowMs = yield* Clock.currentTimeMillis;
      const described = Description === undefined ? {} : { description: Description };
      state.buses.put(Name, { name: Name, createdMs: nowMs, modifiedMs: nowMs, ...described });
      return {
        EventBusArn: busArn(Name),
        ...(Description === undefined ? {} : { Description }),
      };
    }),
  ),
  DescribeEventBus: eventOperation(
    "DescribeEventBus",
    Schema.Struct({ Name: optional }),
    ({ Name }) => Effect.map(state.needBus(Name), (name) => wireBus(name, state.buses.get(name))),
  ),
  ListEventBuses: eventOperation(
    "ListEventBuses",
    Schema.Struct({ NamePrefix: optional, ...Paging }),
    Effect.fnUntraced(function* ({ NamePrefix = "", ...paging }) {
      const names = [defaultBus, ...state.buses.all().map(({ name }) => name)].toSorted(
        (left, right) => (left < right ? -1 : 1),
      );
      const page = yield* pageOf(
        names.filter((name) => name.startsWith(NamePrefix)),
        (name) => name,
        paging,
      );
      return {
        EventBuses: page.items.map((name) => wireBus(name, state.buses.get(name))),
        ...page.next,
      };
    }),
  ),
  DeleteEventBus: eventOperation(
    "DeleteEventBus",
    Schema.Struct({ Name: Schema.String }),
    Effect.fnUntraced(function* ({ Name }) {
      const name = busName(Name);
      if (name === defaultBus) return yield* invalidEvent("Cannot delete event bus default.");
      if (state.rulesOf(name).length > 0) {
        return yield* invalidEvent("Event bus can't be deleted since it has rules.");
      }
      state.buses.delete(name);
    }),
  ),
});

/** The default bus has no birthday: it was there before everything else. */
const wireBus = (name: string, bus: Bus | undefined) => ({
  Name: name,
  Arn: busArn(name),
  ...(bus?.description === undefined ? {} : { Description: bus.description }),
  ...(bus === undefined
    ? {}
    : { CreationTime: wireTime(bus.createdMs), LastModifiedTime: wireTime(bus.modifiedMs) }),
});
