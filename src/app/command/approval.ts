/** `turnup approval list`, `show`, `approve`, `refuse`: what waits for a person to agree to it, through the API. */
import type { ApprovalView } from "../../kernel/jobs/approval.ts";
import { isObject } from "../../term/narrow.ts";
import { API_OPTIONS, apiOf } from "../terminal/api.ts";
import type { Command, CommandContext } from "../terminal/command.ts";
import { tableOf, timeOf } from "../terminal/table.ts";
import { limitOf } from "./orders.ts";

const EXAMPLE_ID = "01981f2e-7b30-7cc0-8f00-5b3e1f6d2a11";

export const approvalListCommand: Command = {
  name: "approval list",
  summary: "List what waits for a person to agree to it",
  options: [
    ...API_OPTIONS,
    { flags: "--all", about: "those too that were decided" },
    { flags: "--limit <count>", about: "rows of one page, 1 to 1000 (default 20)" },
  ],
  examples: ["turnup approval list", "turnup approval list --all --json"],
  async run(context) {
    const query = new URLSearchParams({ limit: String(limitOf(context.option("limit"))) });
    if (!context.flag("all")) query.set("state", "waiting");
    const path = `/v1/approvals?${query}`;
    const { rows: found } = await apiOf(context).ask<{ readonly rows: readonly ApprovalView[] }>("GET", path);
    if (context.json) for (const row of found) await context.printJson(row);
    else if (found.length === 0) context.note("nothing waits for a person");
    else
      for (const line of tableOf(
        ["APPROVAL", "KIND", "STATE", "BY", "UNTIL", "WHAT"],
        found.map((one) => [
          one.id,
          one.kind,
          one.state,
          one.askedByPerson ?? one.askedBy,
          timeOf(one.expiresAt),
          one.title,
        ]),
      ))
        await context.print(line);
    return "ok";
  },
};

export const approvalShowCommand: Command = {
  name: "approval show",
  summary: "Show what an approval would do, who asked for it and why",
  args: [{ usage: "<id>", about: "of the approval" }],
  options: API_OPTIONS,
  examples: [`turnup approval show ${EXAMPLE_ID}`],
  async run(context) {
    await print(context, await apiOf(context).ask<ApprovalView>("GET", pathOf(context)));
    return "ok";
  },
};

const pathOf = ({ args }: CommandContext): string => `/v1/approvals/${encodeURIComponent(args[0] ?? "")}`;

async function print(context: CommandContext, one: ApprovalView): Promise<void> {
  if (context.json) return void (await context.printJson(one));
  await context.print(`approval ${one.id}: ${one.kind}, ${one.state}`);
  await context.print(`${one.title} ${one.reason}`);
  if (isObject(one.summary))
    for (const [name, value] of Object.entries(one.summary))
      await context.print(`  ${name}: ${typeof value === "object" ? JSON.stringify(value) : String(value)}`);
  const who = one.secondPerson ? "another person than who asked" : "a person";
  await context.print(
    `asked for by ${one.askedByPerson ?? one.askedBy} at ${timeOf(one.askedAt)}; digest ${one.digest}`,
  );
  if (one.state === "waiting")
    await context.print(`waits for ${who} of role ${one.roles.join(" or ")} until ${timeOf(one.expiresAt)}`);
  else await context.print(`${one.state} by ${one.decidedByPerson ?? one.decidedBy}: ${one.decisionReason}`);
}

const decisionCommand = (word: "approve" | "refuse", summary: string, description: string): Command => ({
  name: `approval ${word}`,
  summary,
  description,
  args: [{ usage: "<id>", about: "of the approval" }],
  options: [
    ...API_OPTIONS,
    { flags: "--reason <text>", about: "why; it stands in the audit", needed: true },
    {
      flags: "--digest <sha256>",
      about: "of what you looked at: nothing is done where it is about something else by now",
    },
  ],
  examples: [`turnup approval ${word} ${EXAMPLE_ID} --reason "looked at what it changes"`],
  async run(context) {
    const digest = context.option("digest");
    const decision = {
      outcome: word === "approve" ? "approved" : "refused",
      reason: context.option("reason") ?? "",
      ...(digest !== undefined && { digest }),
    };
    await print(context, await apiOf(context).ask<ApprovalView>("POST", pathOf(context), decision));
    return "ok";
  },
});

export const approvalApproveCommand = decisionCommand(
  "approve",
  "Approve what waits for a person: it is carried out at once",
  "Who approves is the person of the token. Where a second person is needed, that is another one than who asked, under a token that\nneither made for the other.",
);
export const approvalRefuseCommand = decisionCommand(
  "refuse",
  "Refuse what waits for a person",
  "Whoever asked for it may refuse it too, which takes it back.",
);
