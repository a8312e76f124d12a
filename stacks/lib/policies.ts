/**
 * Statements of policies on resources: who may send there, on whose behalf, and never without TLS.
 */
import { account } from "../stage";

type Text = $util.Input<string>;

/** Refuses whoever comes without TLS; `*` stands for everybody here, and only refuses. */
export const denyInsecureTransport = (action: string, resource: Text) => ({
  Sid: "TlsOnly",
  Effect: "Deny",
  Principal: "*",
  Action: action,
  Resource: resource,
  Condition: { Bool: { "aws:SecureTransport": "false" } },
});

/**
 * Lets a rule of this account send to a queue. Without the conditions any account's rule could make EventBridge send
 * here (the confused deputy).
 */
export const allowRule = (queueArn: Text, ruleArn: Text) => ({
  Effect: "Allow",
  Principal: { Service: "events.amazonaws.com" },
  Action: "sqs:SendMessage",
  Resource: queueArn,
  Condition: {
    ArnEquals: { "aws:SourceArn": ruleArn },
    StringEquals: { "aws:SourceAccount": account },
  },
});

/** The trust of a role that only this service takes. */
export const trustOf = (service: string, condition?: object) =>
  $jsonStringify({
    Version: "2012-10-17",
    Statement: [
      {
        Effect: "Allow",
        Principal: { Service: service },
        Action: "sts:AssumeRole",
        ...(condition && { Condition: condition }),
      },
    ],
  });

/** A role's rights, in the terms of IAM. */
export const rights = (statements: ReadonlyArray<Right>) =>
  $jsonStringify({
    Version: "2012-10-17",
    Statement: statements.map(({ actions, conditions, resources }) => ({
      Effect: "Allow",
      Action: actions,
      Resource: resources,
      ...(conditions && {
        Condition: Object.fromEntries(
          conditions.map(({ test, values, variable }) => [test, { [variable]: values }]),
        ),
      }),
    })),
  });

/** What a function or a task may do, in SST's terms. */
export interface Right {
  actions: Array<string>;
  resources: Array<Text>;
  conditions?: Array<{ test: string; variable: string; values: Array<Text> }>;
}
