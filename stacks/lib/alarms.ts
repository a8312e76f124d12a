/**
 * An alarm: what it watches, and in its text what has happened and what to do.
 */
import { operationsTopic } from "../topics";
import { named } from "../stage";

type Text = $util.Input<string>;

/** A number that CloudWatch keeps. */
export interface Watched {
  readonly namespace: string;
  readonly metric: string;
  readonly dimensions: Readonly<Record<string, Text>>;
  /** `p95` and the like, or one of CloudWatch's own. */
  readonly statistic: string;
}

interface AlarmSettings {
  /** What has happened. */
  readonly happened: string;
  /** The command, or where to look. */
  readonly todo: string;
  /** Heading in docs/operations.md. */
  readonly section: string;
  /** It goes off when the value is above this. */
  readonly above: number;
  readonly periodSeconds: number;
  /** Periods in a row. @default 1 */
  readonly periods?: number;
  /** What silence means. @default that nothing is wrong */
  readonly silence?: "breaching" | "notBreaching";
}

const common = (name: string, settings: AlarmSettings) => {
  const { above, happened, periods = 1, section, silence = "notBreaching", todo } = settings;
  const actions = operationsTopic ? [operationsTopic.arn] : [];
  return {
    name: named(name),
    alarmDescription: `${happened}. Do: ${todo}. See docs/operations.md#${section}`,
    comparisonOperator: "GreaterThanThreshold",
    threshold: above,
    evaluationPeriods: periods,
    datapointsToAlarm: periods,
    treatMissingData: silence,
    alarmActions: actions,
    okActions: actions,
  };
};

const isPercentile = (statistic: string): boolean => /^p\d/.test(statistic);

/** Watches one number. */
export const alarmOn = (name: string, watched: Watched, settings: AlarmSettings) =>
  new aws.cloudwatch.MetricAlarm(`Alarm-${name}`, {
    ...common(name, settings),
    namespace: watched.namespace,
    metricName: watched.metric,
    dimensions: { ...watched.dimensions },
    period: settings.periodSeconds,
    ...(isPercentile(watched.statistic)
      ? { extendedStatistic: watched.statistic }
      : { statistic: watched.statistic }),
  });

/** Watches what is computed of several numbers, by CloudWatch's metric math. */
export const alarmOnExpression = (
  name: string,
  expression: string,
  numbers: Readonly<Record<string, Watched>>,
  settings: AlarmSettings,
) =>
  new aws.cloudwatch.MetricAlarm(`Alarm-${name}`, {
    ...common(name, settings),
    metricQueries: [
      { id: "watched", expression, label: name, returnData: true },
      ...Object.entries(numbers).map(([id, { dimensions, metric, namespace, statistic }]) => ({
        id,
        metric: {
          namespace,
          metricName: metric,
          dimensions: { ...dimensions },
          stat: statistic,
          period: settings.periodSeconds,
        },
      })),
    ],
  });
