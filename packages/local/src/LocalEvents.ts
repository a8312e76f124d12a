/**
 * The way from a service of the embedded AWS to its default event bus.
 *
 * S3 and ECS publish here; EventBridge implements it (rules, targets, archive). A publisher never fails because a target is
 * missing or full: as on AWS, the bus has taken the event and delivery is its own business.
 *
 * Source: docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html
 */
import { Context, type Effect } from "effect";

export class LocalEvents extends Context.Service<
  LocalEvents,
  {
    /** Publishes an AWS service event; `id`, `account`, `region`, `time` and `version` are filled in by the bus. */
    readonly publish: (event: {
      readonly source: "aws.ecs" | "aws.s3";
      readonly "detail-type": string;
      readonly resources: ReadonlyArray<string>;
      readonly detail: Readonly<Record<string, unknown>>;
    }) => Effect.Effect<void>;
  }
>()("@millrace/local/LocalEvents") {}
