// SPDX-License-Identifier: Apache-2.0
//
// Turns a core module into a component with jco, for regenerate.sh: either with the WASI command
// adapter, or by embedding a WIT world first. jco's own `embed` cannot read a folder of WIT
// packages, so the packages that jco ships are handed over as one nested source text.
//
// usage: node component.mjs NODE_MODULES command IN OUT
//        node component.mjs NODE_MODULES world IN OUT WORLD.wit
import { readFile, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [modules, kind, input, output, worldFile] = process.argv.slice(2);
const scope = join(modules, "@bytecodealliance");
const load = (file) => import(pathToFileURL(join(scope, file)).href);
const { componentEmbed, componentNew } = await load("jco-transpile/dist/wasm-tools.js");

async function nestedPackages() {
  const folder = join(scope, "jco/lib/wit/builtin/0.2.12");
  const texts = [];
  for (const name of (await readdir(folder)).sort()) {
    const text = await readFile(join(folder, name, "package.wit"), "utf8");
    texts.push(text.replace(/^package ([^;]+);/m, "package $1 {") + "\n}\n");
  }
  return texts.join("\n");
}

let binary = await readFile(input);
let adapters = [];
if (kind === "command") {
  const adapter = await readFile(join(scope, "jco/lib/wasi_snapshot_preview1.command.wasm"));
  adapters = [["wasi_snapshot_preview1", adapter]];
} else {
  const witSource = (await readFile(worldFile, "utf8")) + (await nestedPackages());
  binary = await componentEmbed({ binary, witSource });
}
await writeFile(output, await componentNew(binary, adapters));
