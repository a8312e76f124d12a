/**
 * How functions are bundled: what a start does not need is not in what it loads, and what a function never runs is not
 * there at all (docs/benchmarks.md, "bundles").
 */

/**
 * Where AWS's clients look for credentials in other places than a function has them. A function's are in its
 * environment, where every client looks first; whoever has them elsewhere runs the sources and not a bundle. They are
 * imported only when it is their turn, so nobody misses what is not there.
 */
const otherCredentials = [
  "@aws-sdk/credential-provider-http",
  "@aws-sdk/credential-provider-ini",
  "@aws-sdk/credential-provider-process",
  "@aws-sdk/credential-provider-sso",
  "@aws-sdk/credential-provider-web-identity",
  "@smithy/credential-provider-imds",
];

/** An engine with native parts: containers have it, and a function whose topology names it among its native packages. */
const engine = "@duckdb/node-api";

/** Our own code around it, which is asked for where it is wanted, and whose absence is an answer (transformParts.ts). */
const engineCode = "*/duckActivity.ts";

/** Names browsers, in the half of AWS's clients that is for browsers. */
const neverUsed = ["bowser"];

const deployed = (nativePackages: ReadonlyArray<string>) => ({
  minify: true,
  // What is imported dynamically is a file of its own, read when it is needed.
  splitting: true,
  plugins: "stacks/bundling/plugin.mjs",
  esbuild: {
    external: [
      ...otherCredentials,
      ...neverUsed,
      engine,
      ...(nativePackages.includes(engine) ? [] : [engineCode]),
    ],
    // A sixteenth of a bundle are the names of its functions.
    keepNames: false,
  },
});

/** Of a function with these native packages. On a desk the same code is bundled as it is: quickly, and with its names. */
export const bundlingWith = (nativePackages: ReadonlyArray<string>) => ({
  ...($dev ? { minify: false, esbuild: { external: [engine] } } : deployed(nativePackages)),
  install: [...nativePackages],
});
