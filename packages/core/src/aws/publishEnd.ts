/**
 * What SNS's client is asked for, apart from EventBridgeLifecycle: loaded when the first execution ends.
 *
 * Source: SNS API reference 2010-03-31, Publish
 */
import { PublishCommand, SNSClient, type SNSClientConfig } from "@aws-sdk/client-sns";

/** A client that somebody closes. */
export const openSns = (config: SNSClientConfig): SNSClient => new SNSClient(config);

export interface EndNotice {
  readonly topicArn: string;
  readonly pipeline: string;
  readonly outcome: string;
  /** The event as JSON. */
  readonly message: string;
}

/** Tells the topic's subscribers of an end, with attributes for their filter policies. */
export const publishEnd = (
  client: SNSClient,
  { message, outcome, pipeline, topicArn }: EndNotice,
): Promise<unknown> =>
  client.send(
    new PublishCommand({
      TopicArn: topicArn,
      Subject: `millrace ${pipeline}: ${outcome}`,
      Message: message,
      MessageAttributes: {
        outcome: { DataType: "String", StringValue: outcome },
        pipeline: { DataType: "String", StringValue: pipeline },
      },
    }),
  );
