/**
 * Which created objects start a pipeline: one EventBridge rule outside, the same test again inside the function.
 *
 * A prefix and a suffix are both demanded (requirement D1.2), because a trigger without one of them sooner or later
 * meets its own output.
 */
import type { ObjectCreated } from "./ObjectEvent.ts";

/**
 * Plain data, so that the topology can be read without running anything.
 *
 * Shape:  `prefix` and `suffixes` are never empty; suffixes are compared in lower and in upper case
 */
export interface Trigger {
  /** Logical name of the bucket, e.g. `raw`; its real name is the stage's affair. */
  readonly bucket: string;
  readonly prefix: string;
  readonly suffixes: readonly [string, ...ReadonlyArray<string>];
  /** @default 0: an empty file is an upload too, and its owner wants to hear that it was empty */
  readonly sizeBytesMin?: number;
  readonly sizeBytesMax?: number;
}

/** The pattern of the trigger's rule, for a bucket of the given real name. */
export const toEventPattern = (trigger: Trigger, bucketName: string): string => {
  const sizes = sizeBounds(trigger);
  return JSON.stringify({
    source: ["aws.s3"],
    "detail-type": ["Object Created"],
    detail: {
      bucket: { name: [bucketName] },
      object: {
        key: spellings(trigger.suffixes).map((suffix) => ({
          wildcard: `${escapeWildcard(trigger.prefix)}*${escapeWildcard(suffix)}`,
        })),
        ...(sizes.length > 0 && { size: [{ numeric: sizes }] }),
      },
    },
  });
};

/** The bounds in the pattern language, which takes no range of a single number. */
const sizeBounds = ({ sizeBytesMax, sizeBytesMin }: Trigger): ReadonlyArray<string | number> => {
  if (sizeBytesMin !== undefined && sizeBytesMin === sizeBytesMax) return ["=", sizeBytesMin];
  return [
    ...(sizeBytesMin === undefined ? [] : [">=", sizeBytesMin]),
    ...(sizeBytesMax === undefined ? [] : ["<=", sizeBytesMax]),
  ];
};

/** Why the object does not start the pipeline, or nothing when it does. */
export const refusalOf = (
  trigger: Trigger,
  bucketName: string,
  object: ObjectCreated,
): string | undefined => {
  if (object.bucket !== bucketName) return `bucket ${object.bucket} is not the trigger's`;
  if (object.key.endsWith("/") && object.sizeBytes === 0) return "a folder marker";
  if (!object.key.startsWith(trigger.prefix))
    return `the key does not begin with ${trigger.prefix}`;
  // Behind the prefix, as the rule's wildcard demands it: the two may not share characters.
  const rest = object.key.slice(trigger.prefix.length);
  if (!spellings(trigger.suffixes).some((suffix) => rest.endsWith(suffix))) {
    return `the key does not end with ${trigger.suffixes.join(" or ")}`;
  }
  if (object.sizeBytes < (trigger.sizeBytesMin ?? 0)) return "smaller than the trigger's minimum";
  if (object.sizeBytes > (trigger.sizeBytesMax ?? Number.POSITIVE_INFINITY)) {
    return "larger than the trigger's maximum";
  }
  return undefined;
};

const spellings = (suffixes: ReadonlyArray<string>): ReadonlyArray<string> => [
  ...new Set(suffixes.flatMap((suffix) => [suffix.toLowerCase(), suffix.toUpperCase()])),
];

const escapeWildcard = (text: string): string => text.replaceAll(/[\\*]/g, String.raw`\$&`);
