#!/usr/bin/env node
// Starts the CLI: the released bundle where there is one, else one of this checkout's sources, else the sources themselves.
import { existsSync } from "node:fs";
import { pathToFileURL } from "node:url";

const sources = new URL("../src/app/terminal/cli.ts", import.meta.url);
if (existsSync(sources)) await import((await bundle()) ?? (await transformed()));
else await import("../dist/cli.js");

/** None where esbuild is not installed, the folder may not be written, or a source does not compile. */
async function bundle() {
  try {
    const { bundleOfCheckout } = await import("./bundle.js");
    return pathToFileURL(await bundleOfCheckout()).href;
  } catch {
    return undefined;
  }
}

/** Each module as it is loaded. */
async function transformed() {
  const { register } = await import("tsx/esm/api");
  register();
  return sources.href;
}
