/**
 * What SST's bundler (esbuild) is told about three kinds of file, so that a function's bundle holds what it runs and
 * little else. Nothing changes what the code does; docs/benchmarks.md has what each is worth.
 *
 * Plain JavaScript, because SST runs it in a Node of its own. SST 4.17 passes no path to filters, so each look at a path
 * is in the callback; an error is told in SST's way, because it would wait for ever for an answer that is not given.
 */
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

/** Effect's modules by the name under which a barrel of theirs exports them. */
const readBarrel = async (specifier) => {
  const file = fileURLToPath(import.meta.resolve(specifier));
  const exported = /^export \* as (\w+) from "\.\/([\w/]+)\.js";?$/gm;
  const found = (await readFile(file, "utf8")).matchAll(exported);
  return new Map([...found].map(([, name, module]) => [name, `effect/${module}`]));
};

const barrels = new Map();
const barrelOf = async (specifier) => {
  if (!barrels.has(specifier)) barrels.set(specifier, await readBarrel(specifier));
  const folder = specifier.slice("effect".length);
  return new Map(
    [...barrels.get(specifier)].map(([name, module]) => [
      name,
      module.replace("effect", `effect${folder}`),
    ]),
  );
};

const imports = /^import \{([^}]*)\} from "(effect(?:\/[a-z]+)?)";$/gm;

/**
 * `import { Effect } from "effect"` as `import * as Effect from "effect/Effect"`. Of a module that a barrel exports as a
 * name esbuild keeps everything (0.28.2); of one that is imported itself, what is used.
 */
const importModules = async (text) => {
  const specifiers = new Set([...text.matchAll(imports)].map(([, , specifier]) => specifier));
  const modules = new Map();
  for (const specifier of specifiers) modules.set(specifier, await barrelOf(specifier));
  return text.replaceAll(imports, (whole, names, specifier) => {
    const statements = names
      .split(",")
      .map((name) => name.trim())
      .filter((name) => name !== "" && !name.startsWith("type "))
      .map((name) => {
        const [imported, , local = imported] = name.split(/\s+/);
        const module = modules.get(specifier).get(imported);
        return module === undefined
          ? `import { ${name} } from "${specifier}";`
          : `import * as ${local} from "${module}";`;
      });
    // As many lines as before, for stack traces.
    return statements.join(" ") + "\n".repeat(whole.split("\n").length - 1);
  });
};

const constants = /^const (\w+) = ("[^"\\]*");$/gm;

/**
 * `{ [_key]: ... }` as `{ "key": ... }`. AWS's clients describe every operation of a service in such tables, and a key
 * that has to be computed makes esbuild keep the table of an operation that nobody calls.
 */
const writeKeysOut = (text) => {
  const values = new Map([...text.matchAll(constants)].map(([, name, value]) => [name, value]));
  return text.replaceAll(/\[(\w+)\]:/g, (whole, name) => {
    const value = values.get(name);
    return value === undefined ? whole : `${value}:`;
  });
};

/** AWS's clients read their own version from package.json, and nothing else of it. */
const versionOnly = (text) => JSON.stringify({ version: JSON.parse(text).version });

const rules = [
  [/\/packages\/\w+\/src\/.*\.ts$/, importModules, "ts"],
  [/\/@aws-sdk\/[^/]+\/.*\/schemas_\d+\.js$/, writeKeysOut, "js"],
  [/\/@aws-sdk\/[^/]+\/package\.json$/, versionOnly, "json"],
];

const load = async ({ path }) => {
  const rule = rules.find(([files]) => files.test(path));
  if (rule === undefined) return undefined;
  const [, rewrite, loader] = rule;
  try {
    return { contents: await rewrite(await readFile(path, "utf8")), loader };
  } catch (cause) {
    return { error: `${path} cannot be rewritten for its bundle: ${String(cause)}` };
  }
};

export default [
  {
    name: "millrace-smaller-bundles",
    setup: (build) => build.onLoad({ filter: /./ }, load),
  },
];
