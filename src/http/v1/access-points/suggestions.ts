/** GET /v1/access-points/suggestions: what an operator may confirm for its SIMs, with sources, doubts and what was seen in use. */
import Type from "typebox";
import { PDN_PROTOCOLS, USES } from "../../../kernel/settings/access-point.ts";
import type { NetworkSuggestions, SimGroup, Suggestion } from "../../../kernel/settings/suggest.ts";
import { useWords } from "../../../kernel/settings/use-record.ts";
import { passwordFor } from "../../redact.ts";
import { ok, route } from "../../route.ts";
import { integerOrNull, named, text, textOrNull, words, wordsOrNull } from "../../schema.ts";

/** What tells the SIMs apart that an access point is asked or confirmed for. */
export const groupSigns = {
  spn: Type.Optional(text("Service provider name that the SIMs show.", 40)),
  gid1: Type.Optional(Type.String({ pattern: "^[0-9A-Fa-f]{1,40}$", description: "Hexadecimal prefix." })),
  imsiPrefix: Type.Optional(
    Type.String({ pattern: "^[0-9xX]{1,15}$", description: "Leading digits of the IMSI; x for any." }),
  ),
};
export const homeNetwork = Type.String({
  pattern: "^[0-9]{3}[-/]?[0-9]{2,3}$",
  description: "MCC and MNC; 262-01 is not 262-001.",
  examples: ["262-01"],
});

const Suggested = named(
  "SuggestedAccessPoint",
  Type.Object({
    id: Type.String({ description: "By which it is confirmed." }),
    use: words(USES),
    apn: Type.String(),
    name: Type.String(),
    provider: textOrNull(),
    protocol: wordsOrNull(PDN_PROTOCOLS),
    authType: textOrNull(),
    user: textOrNull(),
    password: textOrNull({ description: "*** unless the role is admin; those shipped are public." }),
    mmsc: textOrNull(),
    mmsProxy: textOrNull(),
    mmsPort: integerOrNull(),
    proxy: textOrNull(),
    port: integerOrNull(),
    source: Type.Object({ name: Type.String(), version: Type.String(), licence: Type.String() }),
    agreeing: Type.Array(Type.String(), { description: "Other sets that name the same access point." }),
    match: Type.String({ description: "The criterion that let it in." }),
    matchValue: Type.String(),
    doubtful: textOrNull({ description: "Why nobody should confirm it without a look." }),
    seen: textOrNull({ description: "What was seen of it in use by the operator's own SIMs." }),
    subscribers: Type.Integer({ description: "SIMs that were seen to use it; an estimate from 10 on." }),
    failedSubscribers: Type.Integer({ description: "SIMs for which it failed." }),
  }),
);
const Networks = named(
  "AccessPointSuggestions",
  Type.Object({
    networks: Type.Array(
      Type.Object({
        mcc: Type.String(),
        mnc: Type.String(),
        network: Type.String(),
        formerly: Type.Array(Type.String(), { description: "Names that the network had before." }),
        suggestions: Type.Array(Suggested, { description: "By use, then best first." }),
        hosts: Type.Array(Suggested, {
          description:
            "The host's own, for an operator that does not run the network: confirmed only with `host` in `accept`.",
        }),
        refused: Type.Union([Type.Null(), Type.Object({ code: Type.String(), reason: Type.String() })]),
        virtualOperators: Type.Array(
          Type.Object({
            name: Type.String(),
            spns: Type.Array(Type.String()),
            gid1Prefixes: Type.Array(Type.String()),
            imsiPrefixes: Type.Array(Type.String()),
          }),
          { description: "Known on the network, with what tells their SIMs." },
        ),
      }),
    ),
  }),
);

export const suggestAccessPoints = route({
  method: "GET",
  path: "/v1/access-points/suggestions",
  summary: "What is known for the operator's networks, best first, to be confirmed",
  description:
    "For all of its networks, or for one, with what tells its SIMs apart. What its own SIMs were seen to use stands first, doubtful rows and what failed for them last. A network that hosts the operator has its rows apart, in `hosts`.",
  tag: "settings",
  roles: ["admin", "engineer", "care"],
  errors: [],
  status: 200,
  query: { network: Type.Optional(homeNetwork), ...groupSigns },
  answer: Networks,
  async handle({ settings }, { query: { network, ...signs }, caller }) {
    const group = network === undefined ? undefined : groupOf(network, signs);
    const networks = await settings.suggest(caller.operatorId, group);
    return ok({ networks: networks.map((one) => written(one, caller.role === "admin")) });
  },
});

export function groupOf(network: string, signs: Omit<SimGroup, "mcc" | "mnc">): SimGroup {
  const digits = network.replace(/\D/g, "");
  return { mcc: digits.slice(0, 3), mnc: digits.slice(3), ...signs };
}

const written = (
  { group, network, formerly, suggestions, hosts, refused, virtualOperators }: NetworkSuggestions,
  seesSecrets: boolean,
) => ({
  mcc: group.mcc,
  mnc: group.mnc,
  network,
  formerly: [...formerly],
  suggestions: suggestions.map((one) => writtenOne(one, seesSecrets)),
  hosts: hosts.map((one) => writtenOne(one, seesSecrets)),
  refused: refused ?? null,
  virtualOperators: virtualOperators.map(({ name, spns, gid1Prefixes, imsiPrefixes }) => ({
    ...{ name, spns: [...spns], gid1Prefixes: [...gid1Prefixes], imsiPrefixes: [...imsiPrefixes] },
  })),
});

function writtenOne(
  { accessPointId, owner: _, homepage: __, record, doubtful, ...one }: Suggestion,
  seesSecrets: boolean,
) {
  return {
    ...one,
    password: passwordFor(one.password, seesSecrets),
    agreeing: [...one.agreeing],
    id: accessPointId,
    doubtful: doubtful ?? null,
    seen: useWords(record) ?? null,
    subscribers: record?.subscribers ?? 0,
    failedSubscribers: record?.failedSubscribers ?? 0,
  };
}
