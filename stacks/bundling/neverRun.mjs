/**
 * Modules of AWS's clients that no function runs, and what stands in their place. The clients refer to them whatever they
 * are asked; whoever came to need one would be told so.
 */
const refuse = (what) =>
  `throw new Error(${JSON.stringify(`${what} is not in a function's bundle: see stacks/bundling/neverRun.mjs`)});`;

/** Only SelectObjectContent has one, of what the clients of our functions could be asked. */
export const eventStreams = () => `
export const eventStreamSerdeProvider = () => undefined;
export const resolveEventStreamSerdeConfig = (config) => config;
export class EventStreamSerde { constructor() { ${refuse("a stream of events")} } }
`;

/** DynamoDB's client makes one, and has no operation that looks into it. */
export const endpointCache = () => `
export class EndpointCache {
  get() { ${refuse("the discovery of endpoints")} }
  getEndpoint() { ${refuse("the discovery of endpoints")} }
}
`;

/** A hash in JavaScript, for where Node has none. */
export const scriptedHash = (_, path) => {
  const name = /(\w+)\.js$/.exec(path)[1];
  return `export class ${name} { constructor() { ${refuse(name)} } }`;
};
