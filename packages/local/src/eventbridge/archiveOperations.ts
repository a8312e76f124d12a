/**
 * The wire operations on archives.
 *
 * Source: EventBridge API reference 2015-10-07
 */
import { Clock, Effect, Schema } from "effect";
import type { AwsError } from "../AwsError.ts";
import type { JsonOperations } from "../http/AwsRequest.ts";
import { transaction } from "../sqlite.ts";
import { alreadyExists, eventOperation, invalidEvent, notFound } from "./EventErrors.ts";
import { archiveArn, busArn, wireTime } from "./EventNames.ts";
import { compilePattern, type Archive, type EventState } from "./EventState.ts";
import { expireArchive } from "./ingest.ts";
import { checkOneFilter, pageOf, Paging } from "./paging.ts";

const optional = Schema.optionalKey(Schema.String);
const Changeable = {
  Description: optional,
  EventPattern: optional,
  RetentionDays: Schema.optionalKey(
    Schema.Int.pipe(Schema.check(Schema.isGreaterThanOrEqualTo(0))),
  ),
};

const CreateArchive = Schema.Struct({
  ArchiveName: Schema.String,
  EventSourceArn: Schema.String,
  ...Changeable,
});

const ArchiveState = Schema.Literals([
  "ENABLED",
  "DISABLED",
  "CREATING",
  "UPDATING",
  "CREATE_FAILED",
  "UPDATE_FAILED",
]);

export const archiveOperations = (state: EventState): JsonOperations => ({
  CreateArchive: eventOperation("CreateArchive", CreateArchive, (input) =>
    createArchive(state, input),
  ),
  DescribeArchive: eventOperation(
    "DescribeArchive",
    Schema.Struct({ ArchiveName: Schema.String }),
    Effect.fnUntraced(function* ({ ArchiveName }) {
      const archive = yield* needArchive(state, ArchiveName);
      expireArchive(state, archive, yield* Clock.currentTimeMillis);
      return {
        ...wireArchive(state, archive),
        ArchiveArn: archiveArn(archive.name),
        ...(archive.description === undefined ? {} : { Description: archive.description }),
        ...(archive.pattern === undefined ? {} : { EventPattern: archive.pattern }),
      };
    }),
  ),
  ListArchives: eventOperation(
    "ListArchives",
    Schema.Struct({
      NamePrefix: optional,
      EventSourceArn: optional,
      State: Schema.optionalKey(ArchiveState),
      ...Paging,
    }),
    Effect.fnUntraced(function* ({ NamePrefix, EventSourceArn, State, ...paging }) {
      const filters = { NamePrefix, EventSourceArn, State };
      yield* checkOneFilter("ListArchives", filters);
      const found = state.archives
        .all()
        .filter(
          ({ name, bus }) =>
            name.startsWith(NamePrefix ?? "") &&
            (EventSourceArn === undefined || busArn(bus) === EventSourceArn) &&
            (State ?? "ENABLED") === "ENABLED",
        );
      const page = yield* pageOf(found, ({ name }) => name, paging);
      return { Archives: page.items.map((archive) => wireArchive(state, archive)), ...page.next };
    }),
  ),
  UpdateArchive: eventOperation(
    "UpdateArchive",
    Schema.Struct({ ArchiveName: Schema.String, ...Changeable }),
    Effect.fnUntraced(function* (input) {
      const archive = yield* needArchive(state, input.ArchiveName);
      if (input.EventPattern !== undefined) yield* compilePattern(input.EventPattern);
      state.archives.put(archive.name, {
        ...archive,
        ...changes(input),
        retentionDays: input.RetentionDays ?? archive.retentionDays,
      });
      return wireState(archive);
    }),
  ),
  DeleteArchive: eventOperation(
    "DeleteArchive",
    Schema.Struct({ ArchiveName: Schema.String }),
    Effect.fnUntraced(function* ({ ArchiveName }) {
      const { name } = yield* needArchive(state, ArchiveName);
      transaction(state.database, () => {
        state.archived.clear(name);
        state.archives.delete(name);
      });
    }),
  ),
});

const createArchive = Effect.fnUntraced(function* (
  state: EventState,
  input: typeof CreateArchive.Type,
) {
  const { ArchiveName: name, EventSourceArn, EventPattern, RetentionDays = 0 } = input;
  if (!/^[.\-_A-Za-z0-9]{1,48}$/.test(name)) {
    return yield* invalidEvent(
      `Parameter ArchiveName ${name} is not valid: 1 to 48 of letters, digits, . - _`,
    );
  }
  const bus = yield* state.needBus(EventSourceArn);
  if (busArn(bus) !== EventSourceArn) {
    return yield* invalidEvent(
      `Parameter EventSourceArn ${EventSourceArn} is not the ARN of an event bus.`,
    );
  }
  if (EventPattern !== undefined) yield* compilePattern(EventPattern);
  if (state.archives.get(name) !== undefined) {
    return yield* alreadyExists(`Archive ${name} already exists.`);
  }
  const createdMs = yield* Clock.currentTimeMillis;
  const archive = { name, bus, ...changes(input), retentionDays: RetentionDays, createdMs };
  state.archives.put(name, archive);
  return wireState(archive);
});

const changes = (input: { readonly Description?: string; readonly EventPattern?: string }) => ({
  ...(input.Description === undefined ? {} : { description: input.Description }),
  ...(input.EventPattern === undefined ? {} : { pattern: input.EventPattern }),
});

export const needArchive = (state: EventState, name: string): Effect.Effect<Archive, AwsError> => {
  const archive = state.archives.get(name);
  return archive === undefined
    ? Effect.fail(notFound(`Archive ${name} does not exist.`))
    : Effect.succeed(archive);
};

const wireState = ({ name, createdMs }: Archive) => ({
  ArchiveArn: archiveArn(name),
  State: "ENABLED",
  CreationTime: wireTime(createdMs),
});

const wireArchive = (state: EventState, archive: Archive) => {
  const { count, bytes } = state.archived.size(archive.name);
  return {
    ArchiveName: archive.name,
    EventSourceArn: busArn(archive.bus),
    State: "ENABLED",
    RetentionDays: archive.retentionDays,
    SizeBytes: bytes,
    EventCount: count,
    CreationTime: wireTime(archive.createdMs),
  };
};
