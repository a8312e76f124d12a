/** Why a file is left to the stream engine: the two would not be sure to give the same rows. */
import { Schema } from "effect";

export class NotForDuckDb extends Schema.TaggedError<NotForDuckDb>()("NotForDuckDb", {
  reason: Schema.String,
}) {
  readonly failureClass = "permanent";
  override get message(): string {
    return `the stream engine takes this file, as ${this.reason}`;
  }
}
