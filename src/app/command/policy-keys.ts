/** `turnup policy keys`: every key of a policy with what it does, and the table of them for the handbook. */
import { readFileSync, writeFileSync } from "node:fs";
import { policyKeys } from "../../http/v1/policy/policy-keys.ts";
import { TurnupError } from "../../term/error.ts";
import { messageOf } from "../../term/narrow.ts";
import { policyTable, withPolicyTable } from "../config/policy-table.ts";
import type { Command } from "../terminal/command.ts";

export const policyKeysCommand: Command = {
  name: "policy keys",
  summary: "List every key of a policy: what it does, what it may hold, its unit, how it ships",
  description: "Needs no server and no database. Without --json it is the table of docs/policy.md.",
  options: [{ flags: "--update <file>", about: "write the table between the marks of a document" }],
  examples: ["turnup policy keys", "turnup policy keys --json", "turnup policy keys --update docs/policy.md"],
  async run(context) {
    const update = context.option("update");
    if (update !== undefined) updateTable(update);
    else if (context.json) for (const key of policyKeys()) await context.printJson(key);
    else await context.print(policyTable());
    return "ok";
  },
};

function updateTable(file: string): void {
  try {
    writeFileSync(file, withPolicyTable(readFileSync(file, "utf8")));
  } catch (cause) {
    throw new TurnupError("file_unreadable", `${file} cannot be updated: ${messageOf(cause)}.`, { cause });
  }
}
