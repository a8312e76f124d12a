/**
 * One short name for failures that are the same but for their input: what "all executions that failed like this one"
 * means.
 *
 * Shape:  12 hex characters of SHA-256 over workflow, error tag, failed activity and the message without its variables
 */
import { createHash } from "node:crypto";
import { canonicalJson } from "./CanonicalJson.ts";

/** What a fingerprint is taken of. */
export interface FailureTraits {
  readonly workflow: string;
  readonly tag: string;
  /** The step that failed last; absent when the body itself failed. */
  readonly activity: string | undefined;
  readonly message: string;
}

/** The message with what differs from one input to the next replaced: quoted values, ids, numbers. */
export const normalizeMessage = (message: string): string =>
  message
    .replaceAll(/"(?:[^"\\]|\\.)*"|'[^'\n]*'|`[^`\n]*`/g, "“”")
    .replaceAll(/\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/gi, "#")
    // An id: at least eight hex digits, a figure among them, or it may be a word.
    .replaceAll(/\b(?=[a-f]*\d)[0-9a-f]{8,}\b/gi, "#")
    .replaceAll(/\d+(?:[.,:]\d+)*/g, "#")
    .replaceAll(/\s+/g, " ")
    .trim();

/** The fingerprint of a failure. */
export const errorFingerprint = ({ activity, message, tag, workflow }: FailureTraits): string =>
  createHash("sha256")
    .update(canonicalJson([workflow, tag, activity ?? null, normalizeMessage(message)]))
    .digest("hex")
    .slice(0, 12);
