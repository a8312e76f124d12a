/**
 * Object tags and their rules.
 *
 * Source: docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html
 */
import { Effect, Schema } from "effect";
import type { AwsError } from "../AwsError.ts";
import { malformedXml, s3Error } from "./s3Error.ts";
import { childrenOf, element, parseXml, textOf, type Xml } from "./xml.ts";

export const Tag = Schema.Struct({ key: Schema.String, value: Schema.String });
export type Tag = typeof Tag.Type;

const tagsMax = 10;
const tagKeyCharactersMax = 128;
const tagValueCharactersMax = 256;
const allowed = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u;

const characters = (text: string): number => Array.from(text).length;

/** Refuses tags that S3 would refuse. */
export const checkTags = Effect.fnUntraced(function* (
  tags: ReadonlyArray<Tag>,
): Effect.fn.Return<ReadonlyArray<Tag>, AwsError> {
  if (tags.length > tagsMax) {
    return yield* s3Error(400, "BadRequest", "Object tags cannot be greater than 10");
  }
  const seen = new Set<string>();
  for (const { key, value } of tags) {
    if (key === "" || characters(key) > tagKeyCharactersMax || !allowed.test(key)) {
      return yield* s3Error(400, "InvalidTag", "The TagKey you have provided is invalid", {
        TagKey: key,
      });
    }
    if (characters(value) > tagValueCharactersMax || !allowed.test(value)) {
      return yield* s3Error(400, "InvalidTag", "The TagValue you have provided is invalid", {
        TagKey: key,
        TagValue: value,
      });
    }
    if (key.toLowerCase().startsWith("aws:")) {
      return yield* s3Error(400, "InvalidTag", "System tags cannot be added/updated by requester");
    }
    if (seen.has(key)) {
      return yield* s3Error(400, "InvalidTag", "Cannot provide multiple Tags with the same key", {
        TagKey: key,
      });
    }
    seen.add(key);
  }
  return tags;
});

/** Reads a `<Tagging>` document. */
export const parseTagging = Effect.fnUntraced(function* (
  text: string,
): Effect.fn.Return<ReadonlyArray<Tag>, AwsError> {
  const root = yield* parseXml(text, "Tagging");
  const set = childrenOf(root, "TagSet")[0];
  if (set === undefined) return yield* malformedXml();
  const tags: Array<Tag> = [];
  for (const node of childrenOf(set, "Tag")) {
    const key = textOf(node, "Key");
    const value = textOf(node, "Value");
    if (key === undefined || value === undefined) return yield* malformedXml();
    tags.push({ key, value });
  }
  return yield* checkTags(tags);
});

export const taggingXml = (tags: ReadonlyArray<Tag>): Xml =>
  element(
    "Tagging",
    element(
      "TagSet",
      ...tags.map(({ key, value }) => element("Tag", element("Key", key), element("Value", value))),
    ),
  );
