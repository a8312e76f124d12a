/**
 * What every output object carries: how many pipelines it has passed, so that a loop can be told from a chain (D1.3).
 */

/** User metadata of an output made from an uploaded object. */
export const outputMetadata = { "millrace-depth": "1" } as const;
