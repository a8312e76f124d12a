/**
 * XML for S3: writing by nested elements that are escaped by construction, reading into a plain tree.
 *
 * Reading keeps every value a string (a key `007` stays `007`) and knows no entities beyond XML's own five and
 * character references.
 */
import { Effect, Schema } from "effect";
import { XMLParser, XMLValidator } from "fast-xml-parser";
import type { AwsError } from "../AwsError.ts";
import { escapeXml } from "../http/wireError.ts";
import { malformedXml } from "./s3Error.ts";

/** An already escaped piece of XML. */
export interface Xml {
  readonly xml: string;
}

export const s3Namespace = "http://s3.amazonaws.com/doc/2006-03-01/";

/** `<name>children</name>`; a string or number child is text and gets escaped, `undefined` children vanish. */
export const element = (
  name: string,
  ...children: ReadonlyArray<Xml | string | number | boolean | undefined>
): Xml => ({
  xml: `<${name}>${children
    .map((child) =>
      child === undefined ? "" : typeof child === "object" ? child.xml : escapeXml(String(child)),
    )
    .join("")}</${name}>`,
});

/** An element that is left out when its value is missing. */
export const optionalElement = (
  name: string,
  value: string | number | undefined,
): Xml | undefined => (value === undefined ? undefined : element(name, value));

/** A document; with a namespace the root carries S3's. */
export const xmlDocument = (root: Xml, namespace?: string): string => {
  const body =
    namespace === undefined ? root.xml : root.xml.replace(/^<(\w+)/u, `<$1 xmlns="${namespace}"`);
  return `<?xml version="1.0" encoding="UTF-8"?>\n${body}`;
};

/** An element of a parsed document: child elements by name, text of leaves. */
export interface XmlNode {
  readonly text: string;
  readonly children: ReadonlyArray<readonly [name: string, node: XmlNode]>;
}

/** All children with that name. */
export const childrenOf = (node: XmlNode, name: string): ReadonlyArray<XmlNode> =>
  node.children.filter(([child]) => child === name).map(([, child]) => child);

/** The text of the first child with that name. */
export const textOf = (node: XmlNode, name: string): string | undefined =>
  childrenOf(node, name)[0]?.text;

const parser = new XMLParser({
  preserveOrder: true,
  ignoreAttributes: true,
  ignoreDeclaration: true,
  ignorePiTags: true,
  removeNSPrefix: true,
  parseTagValue: false,
  trimValues: false,
  processEntities: true,
  htmlEntities: true,
});

const decodeNodes = Schema.decodeUnknownEffect(
  Schema.Array(Schema.Record(Schema.String, Schema.Unknown)),
);

const toNode = (content: unknown): Effect.Effect<XmlNode, Schema.SchemaError> =>
  Effect.gen(function* () {
    const entries = yield* decodeNodes(content);
    const children: Array<readonly [string, XmlNode]> = [];
    let text = "";
    for (const entry of entries) {
      for (const [name, value] of Object.entries(entry)) {
        if (name === "#text") text += String(value);
        else children.push([name, yield* toNode(value)]);
      }
    }
    return { text, children };
  });

/** Reads a document whose root must be `rootName`; anything else is MalformedXML. */
export const parseXml = (text: string, rootName: string): Effect.Effect<XmlNode, AwsError> =>
  Effect.gen(function* () {
    if (/<!DOCTYPE/iu.test(text) || XMLValidator.validate(text) !== true) {
      return yield* malformedXml();
    }
    const tree = yield* Effect.try({
      try: (): unknown => parser.parse(text),
      catch: malformedXml,
    });
    const root = yield* Effect.mapError(toNode(tree), malformedXml);
    const found = childrenOf(root, rootName)[0];
    return found === undefined ? yield* malformedXml() : found;
  });
