/**
 * The one failure of reading an event pattern.
 */
import { Schema } from "effect";

/**
 * A pattern that EventBridge would refuse, with the place and the reason.
 *
 * Shape:  `path` is the dotted path of the field, empty at the top, e.g. `detail.object.key`
 */
export class InvalidEventPattern extends Schema.TaggedError<InvalidEventPattern>()(
  "InvalidEventPattern",
  { path: Schema.String, reason: Schema.String },
) {
  override get message(): string {
    return this.path === "" ? this.reason : `${this.path}: ${this.reason}`;
  }
}
