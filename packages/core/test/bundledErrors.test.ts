/**
 * Goal: an error of AWS is in a function's bundle what it is in the sources: by its name, by its class where the sources
 * ask for that, and by what is done about it.
 * Method: each error that a client knows, as its service sends it, to the same code as it stands and as a bundle.
 */
import { assert, describe, it } from "@effect/vitest";
import { awsFailure } from "@millrace/core/aws";
import { Predicate, Schema } from "effect";
import { build, type Plugin } from "esbuild";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll } from "vitest";
import { type Ask, asks, askStream } from "./askServices.ts";

const root = join(import.meta.dirname, "..", "..", "..");
const folder = mkdtempSync(join(tmpdir(), "millrace-errors-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const clientOf = async (service: string): Promise<Readonly<Record<string, unknown>>> =>
  import(`@aws-sdk/client-${service}`);

/** An error, as its client's table describes it. */
const isDescription = Schema.is(
  Schema.TupleWithRest(
    Schema.Tuple([
      Schema.Literal(-3),
      Schema.String,
      Schema.String,
      Schema.Struct({
        error: Schema.Literals(["client", "server"]),
        httpError: Schema.optionalKey(Schema.Int),
        awsQueryError: Schema.optionalKey(Schema.Tuple([Schema.String, Schema.Int])),
      }),
    ]),
    [Schema.Unknown],
  ),
);

interface Sent {
  readonly name: string;
  /** Its name in services that once spoke another protocol. */
  readonly wireName: string;
  readonly statusCode: number;
}

const errorsOf = async (service: string): Promise<ReadonlyArray<Sent>> =>
  Object.values(await clientOf(service))
    .filter((one) => isDescription(one))
    .map(([, , name, { awsQueryError, error, httpError }]) => ({
      name,
      wireName: awsQueryError?.[0] ?? name,
      statusCode: httpError ?? (error === "client" ? 400 : 500),
    }));

const bodyOf = (service: string, { name, wireName }: Sent): string => {
  switch (service) {
    case "s3":
      return `<Error><Code>${name}</Code><Message>told</Message></Error>`;
    case "sns":
      return `<ErrorResponse><Error><Type>Sender</Type><Code>${wireName}</Code><Message>told</Message></Error></ErrorResponse>`;
    default:
      return JSON.stringify({ __type: `com.amazonaws.${service}#${name}`, message: "told" });
  }
};

/** What the code is rejected with when the service sends the error. */
const rejection = (ask: Ask, service: string, sent: Sent): Promise<unknown> =>
  ask({
    region: "eu-west-1",
    endpoint: "http://127.0.0.1:1",
    credentials: { accessKeyId: "test", secretAccessKey: "test" },
    maxAttempts: 1,
    requestHandler: {
      handle: () =>
        Promise.resolve({
          response: {
            statusCode: sent.statusCode,
            headers: {
              "x-amzn-errortype": sent.name,
              ...(service === "sqs" && { "x-amzn-query-error": `${sent.wireName};Sender` }),
            },
            body: new TextEncoder().encode(bodyOf(service, sent)),
          },
        }),
    },
  }).then(
    () => Promise.reject(new Error("the request succeeded")),
    (error: unknown) => error,
  );

/** All that is asked about an error, but its class. */
const told = (error: unknown) => {
  assert(Predicate.hasProperty(error, "name") && error instanceof Error);
  return {
    name: error.name,
    message: error.message,
    fault: Predicate.hasProperty(error, "$fault") && error.$fault,
    retryable: Predicate.hasProperty(error, "$retryable") && error.$retryable,
    failureClass: awsFailure(error).failureClass,
  };
};

const isErrorClass = (value: unknown): boolean =>
  typeof value === "function" && value.prototype instanceof Error;

/** The classes of AWS's errors that the sources import, by client. */
const importedClasses = async () => {
  const found: Array<{ readonly client: string; readonly name: string }> = [];
  const imports = /^import \{([^}]*)\} from "@aws-sdk\/client-([\w-]+)"/gm;
  for (const part of ["core", "functions", "workflows"]) {
    const sources = join(root, "packages", part, "src");
    for (const file of readdirSync(sources, { recursive: true, encoding: "utf8" })) {
      if (!file.endsWith(".ts")) continue;
      const text = readFileSync(join(sources, file), "utf8");
      for (const [, names = "", client = ""] of text.matchAll(imports)) {
        const exported = await clientOf(client);
        const classes = names.split(",").map((name) => name.trim());
        for (const name of classes) if (isErrorClass(exported[name])) found.push({ client, name });
      }
    }
  }
  return found;
};

interface Bundled {
  readonly asks: Readonly<Record<string, Ask>>;
  readonly askStream: Ask;
  readonly classes: Readonly<Record<string, new (...values: never) => unknown>>;
}

let classes: Awaited<ReturnType<typeof importedClasses>>;
let bundled: Bundled;
beforeAll(async () => {
  classes = await importedClasses();
  const plugin = pathToFileURL(join(root, "stacks", "bundling", "plugin.mjs")).href;
  const { default: plugins }: { readonly default: Array<Plugin> } = await import(plugin);
  const names = new Set(classes.map(({ client, name }) => `${client} ${name}`));
  const kept = [...names].map((one) => one.split(" "));
  const outfile = join(folder, "bundle.mjs");
  await build({
    stdin: {
      contents: [
        `export * from "./askServices.ts";`,
        ...kept.map(([client, name]) => `import { ${name} } from "@aws-sdk/client-${client}";`),
        `export const classes = { ${kept.map(([, name]) => name).join(", ")} };`,
      ].join("\n"),
      resolveDir: import.meta.dirname,
    },
    outfile,
    plugins,
    bundle: true,
    minify: true,
    platform: "node",
    format: "esm",
    target: "es2024",
    mainFields: ["module", "main"],
    external: ["@aws-sdk/credential-provider-*", "@smithy/credential-provider-imds", "bowser"],
    banner: {
      js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);',
    },
  });
  bundled = await import(pathToFileURL(outfile).href);
});

describe("in a bundle", () => {
  it.each(Object.entries(asks))(
    "the errors of %s are told apart as before",
    async (service, ask) => {
      const errors = await errorsOf(service);
      assert.isAbove(errors.length, 3);
      const bundledAsk = bundled.asks[service];
      assert(bundledAsk !== undefined);
      for (const sent of errors) {
        const before = told(await rejection(ask, service, sent));
        const { name, ...after } = told(await rejection(bundledAsk, service, sent));
        const { name: nameBefore, ...same } = before;
        assert.deepStrictEqual(after, same, sent.name);
        assert.strictEqual(nameBefore, sent.name);
        // A service's older name for it is the one that comes.
        assert.include([sent.name, sent.wireName], name);
      }
    },
  );

  it("whoever asks for the class of an error gets it", async () => {
    const names = new Set(classes.map(({ name }) => name));
    assert.deepStrictEqual([...names], ["ConditionalCheckFailedException"]);
    for (const { client, name } of classes) {
      const errorClass = bundled.classes[name];
      const ask = bundled.asks[client];
      assert(errorClass !== undefined && ask !== undefined);
      const sent = { name, wireName: name, statusCode: 400 };
      assert.instanceOf(await rejection(ask, client, sent), errorClass);
    }
  });

  it("an operation that needs what is left out says so", async () => {
    const ok = { name: "", wireName: "", statusCode: 200 };
    const error = await rejection(bundled.askStream, "s3", ok);
    assert.include(told(error).message, "a stream of events is not in a function's bundle");
    assert.notInclude(told(await rejection(askStream, "s3", ok)).message, "bundle");
  });
});
