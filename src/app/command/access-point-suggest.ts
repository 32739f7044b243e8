/** `turnup access-point suggest`, `confirm`, `test`, `retire`: which access points an operator's SIMs get, through the API. */
import { USES } from "../../kernel/settings/access-point.ts";
import { ACCEPTED_RISKS } from "../../kernel/settings/confirm-suggestions.ts";
import { isOneOf } from "../../term/narrow.ts";
import { API_OPTIONS, apiOf } from "../terminal/api.ts";
import { type Command, type CommandContext, UsageError } from "../terminal/command.ts";
import { tableOf } from "../terminal/table.ts";

const SIGN_OPTIONS = [
  { flags: "--network <plmn>", about: "MCC-MNC; needed only where there are several" },
  { flags: "--spn <name>", about: "service provider name that the SIMs show" },
  { flags: "--gid1 <hex>", about: "group identifier level 1 of the SIMs, or its begin" },
  { flags: "--imsi-prefix <digits>", about: "leading digits of the SIMs' IMSI; x for any" },
];

type Suggested = {
  readonly id: string;
  readonly use: string;
  readonly apn: string;
  readonly source: { readonly name: string; readonly version: string };
  readonly agreeing: readonly string[];
  readonly doubtful: string | null;
  readonly seen: string | null;
};
type Network = {
  readonly mcc: string;
  readonly mnc: string;
  readonly network: string;
  readonly formerly: readonly string[];
  readonly suggestions: readonly Suggested[];
  readonly hosts: readonly Suggested[];
  readonly refused: { readonly reason: string } | null;
  readonly virtualOperators: readonly { readonly name: string }[];
};
type Own = {
  readonly id: string;
  readonly apn: string;
  readonly uses: readonly string[];
  readonly criteria: Readonly<Record<string, unknown>>;
};

/** Signs as the API names them, those that were given. */
function signsOf(context: CommandContext): Record<string, string> {
  const given = [
    ["network", context.option("network")],
    ["spn", context.option("spn")],
    ["gid1", context.option("gid1")],
    ["imsiPrefix", context.option("imsi-prefix")],
  ] as const;
  return Object.fromEntries(given.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
}

/** @throws UsageError signs without their network: of several networks each has its own */
async function suggestionsFor(context: CommandContext): Promise<readonly Network[]> {
  const signs = signsOf(context);
  if (!signs.network && Object.keys(signs).length > 0)
    throw new UsageError("--spn, --gid1 and --imsi-prefix need --network.");
  const path = `/v1/access-points/suggestions?${new URLSearchParams(signs)}`;
  return (await apiOf(context).ask<{ readonly networks: readonly Network[] }>("GET", path)).networks;
}

export const accessPointSuggestCommand: Command = {
  name: "access-point suggest",
  summary: "Show which access points are known for the operator's SIMs, to be confirmed",
  description: [
    "Best first for each use, with the sources that name it, what is doubtful of it, and what the operator's own SIMs were seen to use.",
    "Of a virtual operator its host's stand apart: they are not for its SIMs unless the host says so. Nothing is sent by being shown.",
  ].join("\n"),
  options: [...SIGN_OPTIONS, ...API_OPTIONS],
  examples: ["turnup access-point suggest", "turnup access-point suggest --network 234-10 --spn giffgaff"],
  async run(context) {
    for (const one of await suggestionsFor(context)) {
      if (context.json) await context.printJson(one);
      else for (const line of linesOf(one)) await context.print(line);
    }
    return "ok";
  },
};

function* linesOf({
  mcc,
  mnc,
  network,
  formerly,
  suggestions,
  hosts,
  refused,
  virtualOperators,
}: Network): Generator<string> {
  yield `${network} (${mcc}-${mnc})${formerly.length > 0 ? `, formerly ${formerly.join(", ")}` : ""}`;
  if (refused) yield refused.reason;
  if (suggestions.length > 0) yield* rowsOf(suggestions);
  else if (!refused) yield "nothing is known for these SIMs";
  if (hosts.length > 0) {
    yield `of the host ${network}, for these SIMs only if it says so (confirm with --accept host):`;
    yield* rowsOf(hosts);
  }
  if (suggestions.length === 0 && virtualOperators.length > 0)
    yield `virtual operators known there: ${virtualOperators.map(({ name }) => name).join(", ")}`;
}

const rowsOf = (all: readonly Suggested[]): readonly string[] =>
  tableOf(
    ["ID", "USE", "APN", "SOURCE", "SEEN", "DOUBT"],
    all.map(({ id, use, apn, source, agreeing, seen, doubtful }) => [
      id,
      use,
      apn,
      `${source.name} ${source.version}${agreeing.length > 0 ? ` and ${agreeing.length} more` : ""}`,
      seen ?? "",
      doubtful ?? "",
    ]),
  );

export const accessPointConfirmCommand: Command = {
  name: "access-point confirm",
  summary: "Confirm suggested access points: they become the operator's own, and are sent",
  description: [
    "Each by its id of `access-point suggest`, with the same network and signs. What is the host's, doubtful or failed for the operator's",
    "own SIMs is confirmed only with that word in --accept. All of them or none.",
  ].join("\n"),
  args: [{ usage: "<id...>", about: "of suggestions" }],
  options: [
    ...SIGN_OPTIONS,
    {
      flags: "--uses <uses>",
      about: `roles, by comma: ${USES.slice(0, 3).join(", ")} ... (default: all suggested)`,
    },
    { flags: "--accept <words>", about: `by comma: ${ACCEPTED_RISKS.join(", ")}` },
    {
      flags: "--whole-network",
      about: "for every SIM of the network that the operator has, whatever its signs",
    },
    ...API_OPTIONS,
  ],
  examples: [
    "turnup access-point confirm lineage-411 --network 262-01",
    "turnup access-point confirm aosp-12 --network 234-10 --spn Lumo --uses internet --accept host",
  ],
  async run(context) {
    const uses = wordsIn(context, "uses", USES);
    const accept = wordsIn(context, "accept", ACCEPTED_RISKS);
    const network = context.option("network") ?? (await onlyNetwork(context));
    const body = {
      ...{ ...signsOf(context), network },
      accessPoints: context.args.map((id) => ({ id, ...(uses && { uses }) })),
      ...(accept && { accept }),
      ...(context.flag("whole-network") && { wholeNetwork: true }),
    };
    const path = "/v1/access-points/confirmations";
    const { accessPoints } = await apiOf(context).ask<{ readonly accessPoints: readonly Own[] }>(
      "POST",
      path,
      body,
    );
    for (const point of accessPoints) {
      if (context.json) await context.printJson(point);
      else
        await context.print(
          `${point.apn} is the operator's own now, for ${point.uses.join(", ")}: ${point.id}`,
        );
    }
    return "ok";
  },
};

async function onlyNetwork(context: CommandContext): Promise<string> {
  const [first, ...others] = await suggestionsFor(context);
  if (first && others.length === 0) return `${first.mcc}-${first.mnc}`;
  throw new UsageError("--network is needed, since the operator has several networks, or none.");
}

function wordsIn<Word extends string>(
  context: CommandContext,
  option: string,
  known: readonly Word[],
): Word[] | undefined {
  const given = context.option(option)?.split(/[,|\s]+/);
  return given?.map((one) => {
    if (isOneOf(known, one)) return one;
    throw new UsageError(`--${option} is of ${known.join(", ")}.`);
  });
}

type Tried = {
  readonly uses: readonly {
    readonly use: string;
    readonly chosen: { readonly apn: string } | null;
    readonly rule: string;
    readonly nextAction: string | null;
    readonly passedOver: readonly {
      readonly apn: string;
      readonly source: string;
      readonly reason: string;
    }[];
  }[];
  readonly unchecked: string | null;
  readonly device: {
    readonly make: string | null;
    readonly model: string | null;
    readonly form: string | null;
    readonly protocol: string;
  } | null;
};

export const accessPointTestCommand: Command = {
  name: "access-point test",
  summary:
    "Show which access points a SIM would get, by which rule, in which form, and why others are passed over",
  description: "Nothing is sent. A number of 14 or 15 digits is an IMSI, fewer or any with + a phone number.",
  args: [{ usage: "<sim>", about: "its IMSI, phone number, or id" }],
  options: [{ flags: "--imei <digits>", about: "a handset to try it in" }, ...API_OPTIONS],
  examples: ["turnup access-point test 262019876543210", "turnup access-point test +491701234567 --json"],
  async run(context) {
    const [sim = ""] = context.args;
    const imei = context.option("imei");
    const named = /^\d{14,15}$/.test(sim)
      ? { imsi: sim }
      : sim.includes("-")
        ? { subscriberId: sim }
        : { msisdn: sim };
    const body = { ...named, ...(imei !== undefined && { imei }) };
    const tried = await apiOf(context).ask<Tried>("POST", "/v1/access-points/test", body);
    if (context.json) await context.printJson(tried);
    else for (const line of triedLines(tried)) await context.print(line);
    return "ok";
  },
};

function* triedLines({ uses, unchecked, device }: Tried): Generator<string> {
  yield device
    ? `handset: ${[device.make, device.model].filter(Boolean).join(" ") || "of no list"}; form: ${device.form ?? device.protocol}`
    : "in no handset that is known";
  for (const { use, chosen, rule, nextAction, passedOver } of uses) {
    yield `${use}: ${chosen ? `${chosen.apn}, ${rule}` : `nothing: ${rule}`}`;
    if (nextAction) yield `  next: ${nextAction}`;
    for (const { apn, source, reason } of passedOver) yield `  not ${apn} (${source}): ${reason}`;
  }
  if (unchecked) yield `note: ${unchecked}`;
}

export const accessPointRetireCommand: Command = {
  name: "access-point retire",
  summary: "Retire an access point of the operator's own, once it is said for which uses none would be left",
  description: [
    "Where its SIMs would have no other of the operator's own for a use, nothing is retired without --yes, and the uses are told first.",
    "Orders that used it keep what they sent, and how many of them are under way is told; phones that have it keep it.",
  ].join("\n"),
  args: [{ usage: "<id>", about: "of the access point; `access-point list` names it" }],
  options: [
    { flags: "--yes", about: "also where it is the last of the operator's own for a use" },
    ...API_OPTIONS,
  ],
  examples: [
    "turnup access-point retire 01981f2e-7b30-7cc0-8f00-5b3e1f6d2a11",
    "turnup access-point retire 01981f2e-7b30-7cc0-8f00-5b3e1f6d2a11 --yes",
  ],
  async run(context) {
    const [id = ""] = context.args;
    const api = apiOf(context);
    const { accessPoints } = await api.ask<{ readonly accessPoints: readonly Own[] }>(
      "GET",
      "/v1/access-points",
    );
    const gone = accessPoints.find((one) => one.id === id);
    const without = gone ? usesLeftWithout(gone, accessPoints) : [];
    const told = `no other access point of the operator's own is there for these SIMs for ${without.join(", ")}`;
    if (without.length > 0 && !context.flag("yes"))
      throw new UsageError(`${gone?.apn} is kept: ${told}. Add another first, or retire it with --yes.`);
    const path = `/v1/access-points/${encodeURIComponent(id)}`;
    const { ordersUnderWay } = await api.ask<{ readonly ordersUnderWay: number }>("GET", path);
    await api.ask("DELETE", path);
    if (context.json) await context.printJson({ retired: id, usesWithoutOwn: without, ordersUnderWay });
    else {
      await context.print(`retired${gone ? ` ${gone.apn}` : ""}`);
      if (ordersUnderWay > 0)
        await context.print(`${ordersUnderWay} orders under way have sent its APN, and keep it`);
      if (without.length > 0) await context.print(told);
    }
    return "ok";
  },
};

/** For which uses the SIMs of an access point would have none of the operator's own: another serves them all if it asks no more. */
function usesLeftWithout(gone: Own, all: readonly Own[]): readonly string[] {
  const { wholeNetwork: isForAll, ...wanted } = gone.criteria;
  const areHosted = isForAll === true || hasSigns(wanted);
  const servesAll = ({ criteria: { wholeNetwork, ...asked } }: Own): boolean =>
    (wholeNetwork === true || hasSigns(asked) || !areHosted) &&
    Object.entries(asked).every(([name, value]) => JSON.stringify(wanted[name]) === JSON.stringify(value));
  const left = all.filter((one) => one.id !== gone.id && servesAll(one));
  return gone.uses.filter((use) => !left.some(({ uses }) => uses.includes(use)));
}

const hasSigns = (criteria: Own["criteria"]): boolean =>
  ["spn", "gid1", "imsiPrefix"].some((name) => criteria[name] !== undefined);
