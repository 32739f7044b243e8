/** What a server says of itself in the file `postmaster.pid` of its data folder. */
import { readFileSync } from "node:fs";
import { join } from "node:path";

export type Postmaster = { readonly pid: number; readonly socketFolder: string; readonly ready: boolean };

/** Line by line: process number, data folder, start, port, socket folder, address, shared memory, status. */
export function readPostmaster(data: string): Postmaster | undefined {
  let text: string;
  try {
    text = readFileSync(join(data, "postmaster.pid"), "utf8");
  } catch {
    return undefined;
  }
  const lines = text.split("\n");
  const pid = Number(lines[0]);
  if (!Number.isInteger(pid) || pid <= 1) return undefined;
  return { pid, socketFolder: lines[4]?.trim() ?? "", ready: lines[7]?.trim() === "ready" };
}
