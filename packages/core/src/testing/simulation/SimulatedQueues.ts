/**
 * Queues as SQS keeps them: at least once, in no order, hidden while they are handled, given up to a dead-letter queue
 * after too many receives.
 */
import { Exit, Layer } from "effect";
import { MessageQueue, QueueUnavailable } from "../../MessageQueue.ts";
import type { Faults } from "./Faults.ts";
import { type Caller, request } from "./request.ts";
import type { World } from "./World.ts";

export interface QueueMessage {
  readonly id: number;
  readonly body: string;
  receives: number;
  deleted: boolean;
}

export interface QueueSettings {
  readonly name: string;
  readonly visibilityMs: number;
  readonly receivesMax: number;
  readonly batchMax: number;
  /** Takes the messages of one invocation. */
  readonly consume: (batch: ReadonlyArray<QueueMessage>) => void;
}

/** How long a poller gathers a batch, in milliseconds. */
const gatherMs = 200;
/** A late message comes at most this much later, in milliseconds. */
const lateMsMax = 120_000;

/** A wake or a timer; what the bus delivers is not ours to lose. */
const isOwnMessage = (body: string): boolean =>
  body.includes(`"millrace":1`) && !body.includes(`"detail-type"`);

export class SimulatedQueues {
  /** Messages that the queue itself gave up, by queue. */
  readonly givenUp: Array<{ readonly queue: string; readonly message: QueueMessage }> = [];
  /** Texts in queues that nobody consumes: the pipelines' dead-letter queues. */
  readonly letters: Array<{ readonly queue: string; readonly body: string }> = [];
  readonly #settings = new Map<string, QueueSettings>();
  /** Until when nobody takes messages from a queue, by its name. */
  readonly #pausedUntilMs = new Map<string, number>();
  readonly #gathering = new Map<string, Array<QueueMessage>>();
  readonly #world: World;
  readonly #faults: Faults;
  #messages = 0;
  /** Messages that are neither deleted nor given up. */
  open = 0;

  constructor(world: World, faults: Faults) {
    this.#world = world;
    this.#faults = faults;
  }

  add(settings: QueueSettings): void {
    this.#settings.set(settings.name, settings);
  }

  /** Puts a message into a queue, as the platform does: it will be there. */
  put(queue: string, body: string, delayMs = 0): void {
    const settings = this.#settings.get(queue);
    if (!settings) {
      this.letters.push({ queue, body });
      return;
    }
    if (isOwnMessage(body) && this.#faults.strikes("lost-wake", 1.5)) return;
    this.#arrive(settings, body, delayMs);
    if (this.#faults.strikes("duplicate")) {
      this.#arrive(
        settings,
        body,
        delayMs + this.#world.prng.between(0, 3 * settings.visibilityMs),
      );
    }
  }

  /** Nobody takes messages from the queue until then; they wait, and are not counted as received. */
  pause(queue: string, untilMs: number): void {
    this.#world.mark(`queue ${queue} paused`);
    this.#pausedUntilMs.set(queue, untilMs);
  }

  /** Gives all given-up messages back to their queues, as an operator's redrive does. */
  redrive(): number {
    const messages = this.givenUp.splice(0);
    for (const { message, queue } of messages) this.put(queue, message.body);
    return messages.length;
  }

  delete(message: QueueMessage): void {
    if (!message.deleted) this.open--;
    message.deleted = true;
  }

  /** The queues as a process reaches them. */
  layerFor(caller: Caller): Layer.Layer<MessageQueue> {
    return Layer.succeed(MessageQueue, {
      send: (queue, body, options) =>
        request(caller, {
          name: `send to ${queue} ${body.slice(0, 40)}`,
          apply: () => {
            this.put(queue, body, Math.ceil((options?.delayMs ?? 0) / 1_000) * 1_000);
            return Exit.void;
          },
          unavailable: (reason) => new QueueUnavailable({ queue, cause: reason }),
          refusal: "send-fails",
          // Few letters are sent to the queues that nobody consumes.
          refusedMore: this.#settings.has(queue) ? 1 : 4,
        }),
    });
  }

  #arrive(settings: QueueSettings, body: string, delayMs: number): void {
    const message = { id: ++this.#messages, body, receives: 0, deleted: false };
    this.open++;
    const late = this.#faults.strikes("delay", 3) ? this.#world.prng.between(0, lateMsMax) : 0;
    this.#world.after(delayMs + late + this.#world.prng.between(1, 50), () =>
      this.#show(settings, message),
    );
  }

  #show(settings: QueueSettings, message: QueueMessage): void {
    if (message.deleted) return;
    const pausedUntilMs = this.#pausedUntilMs.get(settings.name) ?? 0;
    if (pausedUntilMs > this.#world.nowMs) {
      const pollsMs = this.#world.prng.between(0, gatherMs);
      return void this.#world.at(pausedUntilMs + pollsMs, () => this.#show(settings, message));
    }
    if (message.receives >= settings.receivesMax) {
      this.#world.mark(`gave up message ${message.id}`);
      this.delete(message);
      this.givenUp.push({ queue: settings.name, message });
      return;
    }
    message.receives++;
    this.#world.after(settings.visibilityMs, () => this.#show(settings, message));
    if (!this.#faults.isOn("batch")) return settings.consume([message]);
    const batch = this.#gathering.get(settings.name);
    if (batch && batch.length < settings.batchMax) return void batch.push(message);
    const gathered = [message];
    this.#gathering.set(settings.name, gathered);
    this.#world.after(gatherMs, () => {
      if (this.#gathering.get(settings.name) === gathered) this.#gathering.delete(settings.name);
      settings.consume(gathered);
    });
  }
}
