/** What must not outlive a bench that was cut off: servers of others and their folders. Ours end when their parent is gone. */
import type { ChildProcess } from "node:child_process";
import { rmSync } from "node:fs";

const children = new Set<ChildProcess>();
const folders = new Set<string>();

export function ownChild(child: ChildProcess): ChildProcess {
  children.add(child);
  child.once("exit", () => children.delete(child));
  return child;
}

export function ownFolder(folder: string): string {
  folders.add(folder);
  return folder;
}

export function removeFolder(folder: string): void {
  folders.delete(folder);
  rmSync(folder, { recursive: true, force: true });
}

process.on("exit", () => {
  for (const child of children) child.kill("SIGTERM");
  for (const folder of folders) {
    try {
      rmSync(folder, { recursive: true, force: true });
    } catch {
      // somebody still writes there: what is left is in the folder for temporary files
    }
  }
});
