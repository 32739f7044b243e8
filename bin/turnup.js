#!/usr/bin/env node
// Starts the CLI: the released bundle where there is one, else the TypeScript sources of this checkout.
import { existsSync } from "node:fs";

const sources = new URL("../src/app/cli.ts", import.meta.url);
if (existsSync(sources)) {
  const { register } = await import("tsx/esm/api");
  register();
  await import(sources.href);
} else {
  await import("../dist/cli.js");
}
