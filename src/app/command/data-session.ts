/** `turnup data-session list`, `disconnect`, `change`: data sessions of a SIM, ended or changed by their gateways, through the API. */
import type { SessionAnswer, SessionsAsked } from "../../kernel/detection/live-session.ts";
import { API_OPTIONS, apiOf } from "../terminal/api.ts";
import { type Command, type CommandContext, type Outcome, UsageError } from "../terminal/command.ts";
import { tableOf, timeOf } from "../terminal/table.ts";

const NUMBER = [
  { usage: "<number>", about: "phone number in E.164, or IMSI: 14 or 15 digits without + are an IMSI" },
] as const;
const REASON = { flags: "--reason <text>", about: "why; it stands in the audit", needed: true } as const;

/** Times as the API writes them. */
type Written<Row> = { readonly [Key in keyof Row]: Row[Key] extends Date ? string : Row[Key] };
type SessionRow = Pick<Written<SessionAnswer>, "gateway" | "apn" | "since" | "heardAt">;
type Asked = Pick<SessionsAsked, "outcome"> & { readonly sessions: readonly Written<SessionAnswer>[] };

export const dataSessionListCommand: Command = {
  name: "data-session list",
  summary: "List the data sessions of a SIM that may be ended here",
  args: NUMBER,
  options: API_OPTIONS,
  examples: ["turnup data-session list +447700900123"],
  async run(context) {
    const query = new URLSearchParams({ number: context.args[0] ?? "" });
    const { rows } = await apiOf(context).ask<{ readonly rows: readonly SessionRow[] }>(
      "GET",
      `/v1/data-sessions?${query}`,
    );
    if (context.json) for (const row of rows) await context.printJson(row);
    else if (rows.length === 0) context.note("no gateway that can be asked has told of one");
    else
      for (const line of tableOf(
        ["GATEWAY", "APN", "SINCE", "HEARD"],
        rows.map(({ gateway, apn, since, heardAt }) => [gateway, apn ?? "", timeOf(since), timeOf(heardAt)]),
      ))
        await context.print(line);
    return "ok";
  },
};

export const dataSessionDisconnectCommand: Command = {
  name: "data-session disconnect",
  summary: "Have the data sessions of a SIM ended by their gateways",
  description:
    "By Disconnect-Request (RFC 5176), at gateways that have disconnect in radius.clients_file. The handset opens new ones when it wants to.",
  args: NUMBER,
  options: [REASON, ...API_OPTIONS],
  examples: ['turnup data-session disconnect 234150000000001 --reason "to fetch its settings anew"'],
  run: (context) => tell(context, "disconnect", {}),
};

export const dataSessionChangeCommand: Command = {
  name: "data-session change",
  summary: "Have the data sessions of a SIM treated otherwise by their gateways from now on",
  description: "By CoA-Request (RFC 5176), at gateways that have disconnect in radius.clients_file.",
  args: NUMBER,
  options: [
    REASON,
    { flags: "--filter-id <name>", about: "a set of rules that the gateway knows by this name" },
    { flags: "--session-timeout <seconds>", about: "after which it ends the session" },
    ...API_OPTIONS,
  ],
  examples: ['turnup data-session change +447700900123 --filter-id slow --reason "out of volume"'],
  run(context) {
    const [filterId, timeout] = [context.option("filter-id"), context.option("session-timeout")];
    if (timeout !== undefined && !/^[1-9]\d{0,8}$/.test(timeout))
      throw new UsageError("--session-timeout is a number of seconds.");
    return tell(context, "change", {
      ...(filterId !== undefined && { filterId }),
      ...(timeout !== undefined && { sessionTimeoutSeconds: Number(timeout) }),
    });
  },
};

/** A session that may go on is no success: a script must see it. */
async function tell(context: CommandContext, kind: "disconnect" | "change", more: object): Promise<Outcome> {
  const asked = { number: context.args[0] ?? "", reason: context.option("reason") ?? "", ...more };
  const { outcome, sessions } = await apiOf(context).ask<Asked>("POST", `/v1/data-sessions/${kind}`, asked);
  if (context.json) await context.printJson({ outcome, sessions });
  else if (outcome === "none") context.note("no gateway that can be asked has told of a session of this SIM");
  else
    for (const { gateway, apn, outcome: became, cause, next } of sessions)
      await context.print(
        [
          `${gateway} ${apn ?? "(no access point told)"}: ${became}`,
          cause ? `Error-Cause ${cause.code}${cause.name === null ? "" : ` ${cause.name}`}` : undefined,
          next === null ? undefined : `Next: ${next}`,
        ]
          .filter((part) => part !== undefined)
          .join("; "),
      );
  return outcome === "nak" ? "failed" : "ok";
}
