/**
 * Accounts of devices at the operator's proxies (US 6,647,260 column 6; R34): opened, blocked, released and closed while the proxies run.
 * What is said here counts at once at this server's own door for proxies; each proxy is told by a call of its own, made again
 * until it answers, and shown with what came of it.
 */
import Type from "typebox";
import type { ProxyAccountView, ToldProxy } from "../../kernel/account/proxy-accounts.ts";
import type { Role } from "../../kernel/account/role.ts";
import { TurnupError } from "../../term/error.ts";
import { parseImei } from "../../term/imei.ts";
import { ACCOUNT_STANDINGS } from "../../wire/message/account-api.ts";
import { answerPage, pageOf } from "../page.ts";
import type { HttpDeps } from "../ports.ts";
import { gone, ok, route } from "../route.ts";
import { instant, instantOrNull, named, page, pageQuery, text, textOrNull, words } from "../schema.ts";
import { IMEI_ERRORS, identifiersIn } from "./identifiers.ts";

const STAFF: readonly Role[] = ["admin", "engineer", "care"];
const WRITERS: readonly Role[] = ["admin", "engineer"];

const KnownProxy = named(
  "Proxy",
  Type.Object({
    proxy: Type.String({ description: "Its id, as in land.proxies_file." }),
    version: Type.Integer({
      description: "Of the operator's list, by the proxy's own word; 0 before its first.",
    }),
    listVersion: Type.Integer({ description: "Of the list now." }),
    isTold: Type.Boolean({ description: "Nothing is left to tell it." }),
    tries: Type.Integer({ description: "Since it answered last." }),
    outcome: textOrNull({ description: "Of the last try: `told`, or what went wrong." }),
    triedAt: instantOrNull(),
    answeredAt: instantOrNull(),
    nextTryAt: instant("When it is asked again, whether or not something changed."),
  }),
);
const Account = Type.Object({
  id: Type.String(),
  imeiMasked: Type.String(),
  imsiMasked: textOrNull(),
  msisdnMasked: textOrNull(),
  standing: words(ACCOUNT_STANDINGS, "`closed`: it has no account any more."),
  version: Type.Integer({ description: "Of the operator's list at its last change." }),
  changedAt: instant(),
  changedBy: Type.String({ description: "Label of the token, or `cli`." }),
});
const ProxyAccount = named("ProxyAccount", Account);
const ProxyAccountTold = named(
  "ProxyAccountTold",
  Type.Object({
    ...Account.properties,
    proxies: Type.Array(
      Type.Object({
        proxy: Type.String(),
        isTold: Type.Boolean({ description: "This proxy knows how the account stands." }),
        outcome: textOrNull({ description: "Of the last try." }),
      }),
    ),
  }),
);

const proxyBody = (proxy: ToldProxy) => ({ ...proxy, isTold: proxy.version === proxy.listVersion });

/** Those that this server knows now: others are gone, or another server's. */
async function knownProxies({ proxyAccounts }: HttpDeps, operatorId: string): Promise<ToldProxy[]> {
  const known = new Set(await proxyAccounts.known(operatorId));
  return (await proxyAccounts.proxies(operatorId)).filter(({ proxy }) => known.has(proxy));
}

const shared = { tag: "devices", status: 200 } as const;
const one = {
  ...shared,
  path: "/v1/proxy-accounts/:imei",
  params: { imei: text("15 digits.", 20) },
} as const;

const withProxies = async (deps: HttpDeps, operatorId: string, account: ProxyAccountView) => ({
  ...account,
  proxies: (await knownProxies(deps, operatorId)).map(({ proxy, version, outcome }) => ({
    proxy,
    isTold: version >= account.version,
    outcome,
  })),
});

export const listProxies = route({
  ...shared,
  method: "GET",
  path: "/v1/proxies",
  summary: "The operator's proxies, and how far each was told of the accounts of devices",
  roles: STAFF,
  errors: [],
  answer: Type.Object({ proxies: Type.Array(KnownProxy) }),
  handle: async (deps, { caller }) =>
    ok({ proxies: (await knownProxies(deps, caller.operatorId)).map(proxyBody) }),
});

export const listProxyAccounts = route({
  ...shared,
  method: "GET",
  path: "/v1/proxy-accounts",
  summary: "Accounts of devices at the operator's proxies, masked",
  roles: STAFF,
  errors: [],
  query: pageQuery,
  answer: page(ProxyAccount),
  async handle({ proxyAccounts }, { query, caller, request }) {
    return answerPage(await proxyAccounts.list(caller.operatorId, pageOf(query)), request);
  },
});

export const putProxyAccount = route({
  ...one,
  method: "PUT",
  summary:
    "Open a device's account at every proxy, or say how it stands: its SIM, its number, whether it is blocked",
  description:
    "What is left out stays as it is. A blocked device is refused from its next message on, at every proxy: by this server at once, by the proxy itself when it was told.",
  roles: STAFF,
  errors: [...IMEI_ERRORS, "imsi_malformed", "msisdn_malformed"],
  body: Type.Object(
    {
      imsi: Type.Optional(text("14 or 15 digits; the SIM in the handset.", 15)),
      msisdn: Type.Optional(text("E.164.", 20)),
      blocked: Type.Optional(Type.Boolean({ description: "Of a new account: false unless given." })),
    },
    { additionalProperties: false },
  ),
  answer: ProxyAccountTold,
  async handle(deps, { params, body, caller: { operatorId, label } }) {
    const wanted = {
      imei: parseImei(params.imei),
      ...identifiersIn({ imsi: body.imsi, msisdn: body.msisdn }),
      ...(body.blocked !== undefined && { isBlocked: body.blocked }),
    };
    return ok(await withProxies(deps, operatorId, await deps.proxyAccounts.put(operatorId, wanted, label)));
  },
});

export const getProxyAccount = route({
  ...one,
  method: "GET",
  summary: "One account, masked, and which proxies know how it stands",
  roles: STAFF,
  errors: [...IMEI_ERRORS, "account_not_found"],
  answer: ProxyAccountTold,
  async handle(deps, { params, caller: { operatorId } }) {
    const found = await deps.proxyAccounts.find(operatorId, parseImei(params.imei));
    if (!found) throw accountNotFound();
    return ok(await withProxies(deps, operatorId, found));
  },
});

export const closeProxyAccount = route({
  ...one,
  method: "DELETE",
  summary: "Close a device's account at every proxy: its certificates open nothing any more",
  roles: WRITERS,
  errors: [...IMEI_ERRORS, "account_not_found"],
  status: 204,
  async handle({ proxyAccounts }, { params, caller: { operatorId, label } }) {
    if (!(await proxyAccounts.close(operatorId, parseImei(params.imei), label))) throw accountNotFound();
    return gone();
  },
});

export const accountNotFound = (): TurnupError =>
  new TurnupError("account_not_found", "This device is not on the list for the proxies.", {
    nextStep: "GET /v1/proxy-accounts lists them; devices of a proxy's own file stand at that proxy alone.",
  });
