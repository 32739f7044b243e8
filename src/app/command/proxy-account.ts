/** `turnup proxy-account ...`: accounts of devices at the operator's proxies, and how far each proxy was told of them. */
import { accountNotFound } from "../../http/v1/proxy-accounts.ts";
import type {
  ProxyAccounts,
  ProxyAccountView,
  ToldProxy,
  WantedProxyAccount,
} from "../../kernel/account/proxy-accounts.ts";
import { isUuid } from "../../store/database/uuid.ts";
import { createProxyAccounts } from "../../store/operator/proxy-accounts.ts";
import { parseImei } from "../../term/imei.ts";
import { parseImsi } from "../../term/imsi.ts";
import { parseMsisdn } from "../../term/msisdn.ts";
import { CLI_ACTOR, OPERATOR_OPTIONS, type OperatorStore, withOperator } from "../server/operator-store.ts";
import { type Command, type CommandContext, UsageError } from "../terminal/command.ts";
import { tableOf, timeOf } from "../terminal/table.ts";
import { limitOf } from "./orders.ts";

const IMEI_ARGUMENT = [{ usage: "<imei>", about: "15 digits of the device" }] as const;

const accountsOf = ({ store, newId, clock }: OperatorStore): ProxyAccounts =>
  createProxyAccounts({ database: store.database, sealer: store.sealer, newId, clock });

export const proxyAccountPutCommand: Command = {
  name: "proxy-account put",
  summary: "Open a device's account at every proxy, or say which SIM is in the device now",
  description:
    "What is left out stays as it is. Servers that run tell their proxies within a second; `show` says which know it.",
  args: IMEI_ARGUMENT,
  options: [
    { flags: "--imsi <imsi>", about: "14 or 15 digits of the SIM" },
    { flags: "--msisdn <number>", about: "phone number, E.164" },
    ...OPERATOR_OPTIONS,
  ],
  examples: ["turnup proxy-account put 356938035643809 --imsi 001010000000099 --msisdn +491701234567"],
  async run(context) {
    const [imsi, msisdn] = [context.option("imsi"), context.option("msisdn")];
    return put(context, {
      ...(imsi !== undefined && { imsi: parseImsi(imsi) }),
      ...(msisdn !== undefined && { msisdn: parseMsisdn(msisdn) }),
    });
  },
};

export const proxyAccountBlockCommand: Command = {
  name: "proxy-account block",
  summary: "Block a device: it is refused from its next message on, at every proxy",
  args: IMEI_ARGUMENT,
  options: OPERATOR_OPTIONS,
  examples: ["turnup proxy-account block 356938035643809"],
  run: (context) => put(context, { isBlocked: true }),
};

export const proxyAccountReleaseCommand: Command = {
  name: "proxy-account release",
  summary: "Let a blocked device in again",
  args: IMEI_ARGUMENT,
  options: OPERATOR_OPTIONS,
  examples: ["turnup proxy-account release 356938035643809"],
  run: (context) => put(context, { isBlocked: false }),
};

const put = (context: CommandContext, wanted: Omit<WantedProxyAccount, "imei">) =>
  withOperator(context, async (opened) => {
    const imei = parseImei(context.args[0] ?? "");
    await accountsOf(opened).put(opened.operator.id, { imei, ...wanted }, CLI_ACTOR);
    return await show(context, opened);
  });

export const proxyAccountCloseCommand: Command = {
  name: "proxy-account close",
  summary: "Close a device's account at every proxy: its certificates open nothing any more",
  args: IMEI_ARGUMENT,
  options: OPERATOR_OPTIONS,
  examples: ["turnup proxy-account close 356938035643809"],
  run: (context) =>
    withOperator(context, async (opened) => {
      const imei = parseImei(context.args[0] ?? "");
      if (!(await accountsOf(opened).close(opened.operator.id, imei, CLI_ACTOR))) throw accountNotFound();
      return await show(context, opened);
    }),
};

export const proxyAccountShowCommand: Command = {
  name: "proxy-account show",
  summary: "Show how a device's account stands, and which proxies know it",
  args: IMEI_ARGUMENT,
  options: OPERATOR_OPTIONS,
  examples: ["turnup proxy-account show 356938035643809", "turnup proxy-account show 356938035643809 --json"],
  run: (context) => withOperator(context, (opened) => show(context, opened)),
};

async function show(context: CommandContext, opened: OperatorStore): Promise<"ok"> {
  const accounts = accountsOf(opened);
  const found = await accounts.find(opened.operator.id, parseImei(context.args[0] ?? ""));
  if (!found) throw accountNotFound();
  const proxies = (await accounts.proxies(opened.operator.id)).map((proxy) => toldOf(proxy, found));
  if (context.json) {
    await context.printJson({ ...found, proxies });
    return "ok";
  }
  for (const line of tableOf(HEADS, [cellsOf(found)])) await context.print(line);
  if (proxies.length === 0) context.note("no server has looked for its proxies yet");
  for (const { proxy, isTold, outcome } of proxies)
    await context.print(
      `${proxy}: ${isTold ? "knows it" : `does not know it yet (${outcome ?? "not tried"})`}`,
    );
  return "ok";
}

const toldOf = ({ proxy, version, outcome }: ToldProxy, account: ProxyAccountView) => ({
  proxy,
  isTold: version >= account.version,
  outcome,
});

const HEADS = ["IMEI", "IMSI", "NUMBER", "STANDS", "CHANGED", "BY", "ID"];
const cellsOf = (one: ProxyAccountView): readonly string[] => [
  one.imeiMasked,
  one.imsiMasked ?? "-",
  one.msisdnMasked ?? "-",
  one.standing,
  timeOf(one.changedAt),
  one.changedBy,
  one.id,
];

export const proxyAccountListCommand: Command = {
  name: "proxy-account list",
  summary: "List accounts of devices at the proxies, newest first, and how far each proxy was told",
  options: [
    { flags: "--limit <count>", about: "accounts of one page, 1 to 1000 (default 20)" },
    { flags: "--cursor <id>", about: "go on after this one: the last of the page before" },
    ...OPERATOR_OPTIONS,
  ],
  examples: ["turnup proxy-account list", "turnup proxy-account list --json"],
  async run(context) {
    const cursor = context.option("cursor");
    if (cursor !== undefined && !isUuid(cursor)) throw new UsageError("--cursor is the id of an account.");
    const page = { limit: limitOf(context.option("limit")), cursor };
    return await withOperator(context, async (opened) => {
      const accounts = accountsOf(opened);
      const { rows, nextCursor } = await accounts.list(opened.operator.id, page);
      const proxies = await accounts.proxies(opened.operator.id);
      if (context.json) {
        await context.printJson({ rows, nextCursor, proxies });
        return "ok";
      }
      if (rows.length === 0) context.note("there are no accounts");
      else for (const line of tableOf(HEADS, rows.map(cellsOf))) await context.print(line);
      for (const { proxy, version, listVersion, outcome } of proxies)
        await context.print(
          `${proxy}: ${version === listVersion ? "knows all" : `knows ${version} of ${listVersion} changes (${outcome ?? "not tried"})`}`,
        );
      if (nextCursor) context.note(`there are more: add --cursor ${nextCursor}`);
      return "ok";
    });
  },
};
