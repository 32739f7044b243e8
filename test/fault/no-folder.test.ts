/** A server that cannot have its data folder ends with the code that says "start me again". */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "vitest";
import { whenDone } from "../fixture/when-done.ts";

const BIN = join(import.meta.dirname, "..", "..", "bin", "turnup.js");

test("a server whose data folder cannot be made ends with 75 and says which", async () => {
  const folder = mkdtempSync(join(tmpdir(), "turnup-none-"));
  whenDone(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, "file"), "");
  const child = spawn(process.execPath, [BIN, "serve"], {
    env: { PATH: process.env.PATH ?? "", TURNUP_DATA_FOLDER: join(folder, "file", "data") },
    stdio: ["ignore", "ignore", "pipe"],
  });
  const said: string[] = [];
  child.stderr.on("data", (chunk: Buffer) => said.push(chunk.toString()));
  const [code] = (await once(child, "close")) as [number | null];
  assert.equal(code, 75);
  assert.match(said.join(""), /^data_folder_unusable: .*file\/data/m);
});
