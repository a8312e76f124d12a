/**
 * The wire operations on replays.
 *
 * Source: EventBridge API reference 2015-10-07, StartReplay
 */
import { Clock, Effect, Schema } from "effect";
import type { AwsError } from "../AwsError.ts";
import type { JsonOperations } from "../http/AwsRequest.ts";
import { needArchive } from "./archiveOperations.ts";
import {
  alreadyExists,
  eventOperation,
  illegalStatus,
  invalidEvent,
  limitExceeded,
  notFound,
} from "./EventErrors.ts";
import { archiveArn, archiveName, busArn, replayArn, ruleArn, wireTime } from "./EventNames.ts";
import { ReplayState, type EventState, type Replay } from "./EventState.ts";
import { checkOneFilter, pageOf, Paging } from "./paging.ts";
import { isActive } from "./replays.ts";

const activeMax = 10;
const optional = Schema.optionalKey(Schema.String);
const Named = Schema.Struct({ ReplayName: Schema.String });

const StartReplay = Schema.Struct({
  ReplayName: Schema.String,
  EventSourceArn: Schema.String,
  EventStartTime: Schema.Finite,
  EventEndTime: Schema.Finite,
  Destination: Schema.Struct({
    Arn: Schema.String,
    FilterArns: Schema.optionalKey(Schema.Array(Schema.String)),
  }),
  Description: optional,
});

export const replayOperations = (
  state: EventState,
  start: (replay: Replay) => Effect.Effect<void>,
): JsonOperations => ({
  StartReplay: eventOperation(
    "StartReplay",
    StartReplay,
    Effect.fnUntraced(function* (input) {
      const replay = yield* checkedReplay(state, input);
      yield* start(replay);
      return {
        ReplayArn: replayArn(replay.name),
        State: replay.state,
        ReplayStartTime: wireTime(replay.startedMs),
      };
    }),
  ),
  DescribeReplay: eventOperation("DescribeReplay", Named, ({ ReplayName }) =>
    Effect.map(needReplay(state, ReplayName), (replay) => ({
      ...wireReplay(replay),
      ReplayArn: replayArn(replay.name),
      Destination: { Arn: busArn(replay.bus), FilterArns: replay.filterArns },
      ...(replay.description === undefined ? {} : { Description: replay.description }),
    })),
  ),
  ListReplays: eventOperation(
    "ListReplays",
    Schema.Struct({
      NamePrefix: optional,
      State: Schema.optionalKey(ReplayState),
      EventSourceArn: optional,
      ...Paging,
    }),
    Effect.fnUntraced(function* ({ NamePrefix, State, EventSourceArn, ...paging }) {
      const filters = { NamePrefix, State, EventSourceArn };
      yield* checkOneFilter("ListReplays", filters);
      const found = state.replays
        .all()
        .filter(
          (replay) =>
            replay.name.startsWith(NamePrefix ?? "") &&
            (State === undefined || replay.state === State) &&
            (EventSourceArn === undefined || archiveArn(replay.archive) === EventSourceArn),
        );
      const page = yield* pageOf(found, ({ name }) => name, paging);
      return { Replays: page.items.map(wireReplay), ...page.next };
    }),
  ),
  CancelReplay: eventOperation(
    "CancelReplay",
    Named,
    Effect.fnUntraced(function* ({ ReplayName }) {
      const replay = yield* needReplay(state, ReplayName);
      if (replay.state !== "STARTING" && replay.state !== "RUNNING") {
        return yield* illegalStatus(
          `Replay ${ReplayName} is not in a valid state for this operation: it is ${replay.state}.`,
        );
      }
      state.replays.put(ReplayName, { ...replay, state: "CANCELLING" });
      return { ReplayArn: replayArn(ReplayName), State: "CANCELLING" };
    }),
  ),
});

const needReplay = (state: EventState, name: string): Effect.Effect<Replay, AwsError> => {
  const replay = state.replays.get(name);
  return replay === undefined
    ? Effect.fail(notFound(`Replay ${name} does not exist.`))
    : Effect.succeed(replay);
};

const checkedReplay = Effect.fnUntraced(function* (
  state: EventState,
  input: typeof StartReplay.Type,
): Effect.fn.Return<Replay, AwsError> {
  const { ReplayName: name, EventSourceArn, EventStartTime, EventEndTime, Description } = input;
  const { Arn, FilterArns = [] } = input.Destination;
  if (!/^[.\-_A-Za-z0-9]{1,64}$/.test(name)) {
    return yield* invalidEvent(
      `Parameter ReplayName ${name} is not valid: 1 to 64 of letters, digits, . - _`,
    );
  }
  const archive = yield* needArchive(state, archiveName(EventSourceArn) ?? EventSourceArn);
  if (state.replays.get(name) !== undefined) {
    return yield* alreadyExists(`Replay ${name} already exists.`);
  }
  if (Arn !== busArn(archive.bus)) {
    return yield* invalidEvent(
      "Parameter Destination.Arn is not valid. Reason: Cross event bus replay is not permitted.",
    );
  }
  if (EventEndTime <= EventStartTime) {
    return yield* invalidEvent(
      "Parameter EventEndTime is not valid. Reason: EventStartTime must be before EventEndTime.",
    );
  }
  const rules = new Set(state.rulesOf(archive.bus).map((rule) => ruleArn(rule.bus, rule.name)));
  const unknown = FilterArns.find((arn) => !rules.has(arn));
  if (unknown !== undefined) {
    return yield* invalidEvent(
      `Parameter Destination.FilterArns is not valid. Reason: ${unknown} is not a rule of the event bus.`,
    );
  }
  if (state.replays.all().filter(isActive).length >= activeMax) {
    return yield* limitExceeded(`There are already ${activeMax} active replays.`);
  }
  return {
    name,
    archive: archive.name,
    bus: archive.bus,
    ...(Description === undefined ? {} : { description: Description }),
    filterArns: FilterArns,
    startMs: EventStartTime * 1_000,
    endMs: EventEndTime * 1_000,
    state: "STARTING",
    startedMs: yield* Clock.currentTimeMillis,
  };
});

const wireReplay = (replay: Replay) => ({
  ReplayName: replay.name,
  EventSourceArn: archiveArn(replay.archive),
  State: replay.state,
  EventStartTime: replay.startMs / 1_000,
  EventEndTime: replay.endMs / 1_000,
  ReplayStartTime: wireTime(replay.startedMs),
  ...(replay.stateReason === undefined ? {} : { StateReason: replay.stateReason }),
  ...(replay.endedMs === undefined ? {} : { ReplayEndTime: wireTime(replay.endedMs) }),
  ...(replay.replayedMs === undefined
    ? {}
    : { EventLastReplayedTime: wireTime(replay.replayedMs) }),
});
