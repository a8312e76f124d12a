/**
 * Reads ends as they lie in a history: results and exits that are JSON already, of schemas that nobody here knows.
 */
import { Predicate } from "effect";

/** Whether the stored result (of an activity, a workflow) or exit (of a deferred) is a failure of whatever kind. */
export const isFailure = (stored: unknown): boolean =>
  memberOf(memberOf(stored, "exit") ?? stored, "_tag") === "Failure";

/** Whether it is a success; what cannot be read is neither. */
export const isSuccess = (stored: unknown): boolean =>
  memberOf(memberOf(stored, "exit") ?? stored, "_tag") === "Success";

/** The cause in a stored result or exit; a parked execution's lies in its `Suspended` result. */
export const causeOf = (stored: unknown): unknown =>
  memberOf(memberOf(stored, "exit") ?? stored, "cause");

/** A failure as people read it. */
export interface ToldFailure {
  /** Of a typed failure its `_tag`, of a defect the error's name. */
  readonly tag: string;
  /** The failure's message where it carries one, else its fields. */
  readonly message: string;
}

/** The failures in an encoded cause, in their order; none only for an empty cause. */
export const describeCause = (cause: unknown): ReadonlyArray<ToldFailure> =>
  (Array.isArray(cause) ? cause : [cause])
    .filter((reason) => reason !== undefined)
    .map((reason: unknown) => {
      if (memberOf(reason, "_tag") === "Interrupt") return { tag: "Interrupted", message: "" };
      const error = memberOf(reason, "error") ?? memberOf(reason, "defect") ?? reason;
      const tag = memberOf(error, "_tag") ?? memberOf(error, "name");
      const message = memberOf(error, "message");
      return {
        tag: typeof tag === "string" ? tag : "failure",
        message: typeof message === "string" && message !== "" ? message : describeFields(error),
      };
    });

const describeFields = (error: unknown): string =>
  Predicate.isObject(error)
    ? Object.entries(error)
        .filter(([name]) => name !== "_tag" && name !== "name" && name !== "message")
        .map(([name, value]) => `${name}: ${JSON.stringify(value)}`)
        .join(", ")
    : typeof error === "string"
      ? error
      : JSON.stringify(error);

/** A member of a JSON value that may have none. */
export const memberOf = (value: unknown, name: string): unknown =>
  Predicate.hasProperty(value, name) ? value[name] : undefined;
