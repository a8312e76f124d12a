/**
 * `import { Effect } from "effect"` as `import * as Effect from "effect/Effect"`. Of a module that a barrel exports as a
 * name esbuild keeps everything (0.28.2); of one that is imported itself, what is used.
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

export const importModules = async (text) => {
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
