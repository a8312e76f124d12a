/**
 * The classes of failure, which decide what is retried and what is dead-lettered.
 *
 * A tagged error declares its class once, where it is defined (`readonly failureClass = "transient"`); an error that
 * declares none is a defect: nobody has thought about it, so nothing is assumed about it.
 */
import { Effect, Predicate, Schema } from "effect";
import { maskText } from "./Mask.ts";

/**
 * - `transient`: the same request may succeed later (a 503, a lost connection).
 * - `throttled`: it will succeed when asked more slowly; the error may carry `retryAfterMs`.
 * - `timeout`: it took too long; once more may help, twice the same timeout will not.
 * - `permanent`: it can never succeed with this input (a broken file, an object that is gone).
 * - `defect`: a bug or an undeclared failure.
 */
export type FailureClass = "transient" | "throttled" | "timeout" | "permanent" | "defect";

/** The classes as data: for errors that carry the class of what caused them. */
const FailureClassSchema = Schema.Literals([
  "transient",
  "throttled",
  "timeout",
  "permanent",
  "defect",
]);

/**
 * The fields of an error that passes on what another system said: it has the class of its cause.
 *
 * Without a class it is transient, as are those that were recorded before they carried one.
 */
export const causeFields = {
  cause: Schema.Defect(),
  failureClass: FailureClassSchema.pipe(
    Schema.withDecodingDefaultKey(Effect.succeed("transient" as const)),
    Schema.withConstructorDefault(Effect.succeed("transient" as const)),
  ),
  retryAfterMs: Schema.optionalKey(Schema.Finite),
};

/** What to do about an error with `causeFields`, as the end of its message. */
export const adviceOn = (error: {
  readonly failureClass: FailureClass;
  readonly cause: unknown;
}): string =>
  isRetryable(error)
    ? "try again later"
    : `asking again will not help (${describeFailure(error.cause).message})`;

const declared: ReadonlySet<unknown> = new Set<FailureClass>([
  "transient",
  "throttled",
  "timeout",
  "permanent",
]);

const isFailureClass = (value: unknown): value is FailureClass => declared.has(value);

/** The declared class of an error. */
export const failureClassOf = (error: unknown): FailureClass =>
  Predicate.hasProperty(error, "failureClass") && isFailureClass(error.failureClass)
    ? error.failureClass
    : "defect";

/** Whether trying again can help at all. */
export const isRetryable = (error: unknown): boolean => {
  const failureClass = failureClassOf(error);
  return failureClass !== "permanent" && failureClass !== "defect";
};

/** The pause that a throttled failure asks for, in milliseconds; 0 when it asks for none. */
export const retryAfterMsOf = (error: unknown): number =>
  failureClassOf(error) === "throttled" &&
  Predicate.hasProperty(error, "retryAfterMs") &&
  typeof error.retryAfterMs === "number" &&
  error.retryAfterMs > 0
    ? error.retryAfterMs
    : 0;

/** What to tell a person about an error of unknown type: its tag and its message, masked. */
export const describeFailure = (
  error: unknown,
): { readonly tag: string; readonly message: string } => ({
  tag:
    Predicate.hasProperty(error, "_tag") && typeof error._tag === "string" ? error._tag : "Defect",
  message: maskText(error instanceof Error ? error.message : String(error)),
});
