/**
 * Pulumi's mock of its engine, which also remembers what mocks are not told: a resource's parent, and whether it is kept
 * on removal. It names resources as the real engine does, because SST takes types out of the names.
 *
 * Plain JavaScript: the names of the mock are private to TypeScript.
 */
import { createRequire } from "node:module";

/**
 * Records the program that is loaded from `main`, with the instance of Pulumi that the program has.
 *
 * @param {string} main path of a file beside the program
 */
export const recorderFor = async (main, { app, stage }, mocks) => {
  const require = createRequire(main);
  const pulumi = require("@pulumi/pulumi");
  const { MockMonitor } = require("@pulumi/pulumi/runtime/mocks");
  const settings = require("@pulumi/pulumi/runtime/settings");
  const resources = [];

  class Recorder extends MockMonitor {
    newUrn(parent, type, name) {
      const within = parent && !parent.includes("::pulumi:pulumi:Stack::");
      const types = within ? `${parent.split("::")[2]}$${type}` : type;
      return `urn:pulumi:${stage}::${app}::${types}::${name}`;
    }

    async registerResource(request, callback) {
      await super.registerResource(request, (error, response) => {
        if (response) resources.push(this.remember(request, response.getUrn()));
        callback(error, response);
      });
    }

    remember(request, urn) {
      const { id, state } = this.resources.get(urn);
      return {
        urn,
        type: request.getType(),
        name: request.getName(),
        custom: request.getCustom(),
        parent: request.getParent() || undefined,
        protect: request.getProtect(),
        retainOnDelete: request.getRetainondelete(),
        inputs: request.getObject().toJavaScript(),
        state,
        ...(request.getCustom() && { id }),
      };
    }

    registerResourceOutputs(request, callback) {
      super.registerResourceOutputs(request, (error, response) => {
        const known = resources.find(({ urn }) => urn === request.getUrn());
        if (known) known.state = request.getOutputs().toJavaScript();
        callback(error, response);
      });
    }
  }

  await pulumi.runtime.setMocks(mocks, app, stage, false);
  settings.setMockOptions(new Recorder(mocks), app, stage, false);
  return {
    resources,
    /** Runs the program to its end, late resources included; answers with its outputs. */
    run: async (program) => {
      const outputs = await pulumi.runtime.runInPulumiStack(program);
      const known = await new Promise((resolve) => pulumi.output(outputs).apply(resolve));
      await settings.waitForRPCs(true);
      return known;
    },
  };
};

/** The mark by which Pulumi tells a secret, an asset or an output value from any other object. */
const signature = "4dabf18193072939515e22adb298388d";

/** Plain values: secrets are taken out of their wrapping. */
export const plain = (value) => {
  if (Array.isArray(value)) return value.map(plain);
  if (value === null || typeof value !== "object") return value;
  if (Object.hasOwn(value, signature) && Object.hasOwn(value, "value")) return plain(value.value);
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, plain(one)]));
};
