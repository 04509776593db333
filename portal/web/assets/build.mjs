// Builds the page assets: portal.scss, portal.js and the fonts they name become files with a hash of their
// content in their names, listed in manifest.json. Usage: node portal/web/assets/build.mjs FOLDER
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { compile } from "sass";

const sources = dirname(fileURLToPath(import.meta.url));
const root = resolve(sources, "../../..");
const packages = join(root, "node_modules");
const output = resolve(process.argv[2] ?? join(sources, "../static"));

/** Shows warnings about our own styles; what the packages deprecate in one another is theirs to mend. */
const logger = {
  warn(message, { stack = "" }) {
    if (!stack.includes("node_modules")) {
      process.stderr.write(`${message}\n${stack}\n`);
    }
  },
};

/** Lets esbuild read Sass. */
const sass = {
  name: "sass",
  setup({ onLoad }) {
    onLoad({ filter: /\.scss$/ }, ({ path }) => {
      const { css } = compile(path, { loadPaths: [root, packages], quietDeps: true, charset: false, logger });
      return { contents: css, loader: "css", resolveDir: packages };
    });
  },
};

await mkdir(output, { recursive: true });
const { metafile } = await build({
  absWorkingDir: root,
  nodePaths: [packages],
  entryPoints: ["portal.scss", "portal.js", "favicon.svg"].map((name) => join(sources, name)),
  entryNames: "[name]-[hash]",
  assetNames: "[name]-[hash]",
  outdir: output,
  bundle: true,
  format: "esm",
  target: ["chrome90", "firefox90", "safari15"],
  minify: true,
  legalComments: "none",
  metafile: true,
  logLevel: "warning",
  loader: { ".svg": "copy", ".woff2": "file", ".woff": "file" },
  plugins: [sass],
});

const manifest = {};
for (const [file, { entryPoint, inputs }] of Object.entries(metafile.outputs)) {
  const source = entryPoint ?? Object.keys(inputs)[0];
  manifest[basename(source).replace(/\.scss$/, ".css")] = basename(file);
}
const sorted = Object.fromEntries(Object.entries(manifest).sort(([a], [b]) => a.localeCompare(b)));
await writeFile(join(output, "manifest.json"), `${JSON.stringify(sorted, null, 2)}\n`);

// What others made and these files contain, with their terms; the font's licence asks that it travels along.
const carried = ["govuk-frontend", "@ministryofjustice/frontend", "@fontsource/atkinson-hyperlegible"];
const terms = await Promise.all(
  carried.map(async (name) => {
    const { version, license } = JSON.parse(await readFile(join(packages, name, "package.json"), "utf8"));
    return `${name} ${version}, ${license}`;
  }),
);
const font = await readFile(join(packages, "@fontsource/atkinson-hyperlegible/LICENSE"), "utf8");
await writeFile(join(output, "licences.txt"), `${terms.join("\n")}\n\n${font}`);
