/**
 * A made-up virtual operator, so that a first start shows the whole road: its access points, what it agreed with
 * manufacturers, and tokens for those who speak to it. Made once; what somebody changed since stays changed.
 */

import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { hashToken, tokenOf } from "../../kernel/account/token.ts";
import { DEFAULT_KEY_TERMS, type Relation } from "../../kernel/operator/operator-terms.ts";
import type { AccessPoint } from "../../kernel/settings/access-point.ts";
import { uuidv7 } from "../../store/database/uuid.ts";
import { ensureOperator, type Operator } from "../../store/operator/operators.ts";
import { hoursAfter } from "../../term/moment.ts";
import type { Server } from "../server/server.ts";
import { putStarterCatalog } from "./starter-catalog.ts";
import { ensureTrialVendor } from "./trial-vendor.ts";
import type { WorldAddresses } from "./world.ts";
import { WORLD } from "./world-facts.ts";

const ACTOR = "first start";
const SOURCE = { name: "the operator's own", version: "1", licence: "own" };
/** Tokens of one start end with the day: a token on a screen is soon everybody's. */
const TOKEN_HOURS = 24;
/** A link on a screen is used in minutes, or not at all. */
export const SIGN_IN_LINK_HOURS = 1;
const LINK_OCTETS = 32;

export type Demo = {
  readonly operator: Operator;
  readonly adminToken: string;
  readonly probeToken: string;
  readonly makerToken: string;
  readonly adminTokenId: string;
};

export async function setUpDemo(
  server: Pick<Server, "registry"> & {
    readonly store: Pick<Server["store"], "database">;
  },
  world: WorldAddresses,
  keyServerMakes: readonly string[],
  /** Puts the starter catalog on offer; `folder` is the world's, where the made-up vendor has its key. */
  road?: { readonly catalog: Server["deps"]["catalog"]; readonly folder: string },
): Promise<Demo> {
  const { registry, store } = server;
  const operator = await ensureOperator(store.database, {
    id: uuidv7(),
    slug: "meridian",
    name: "Meridian",
    kind: "mvno",
    homePlmns: [`${WORLD.network.mcc}-${WORLD.network.mnc}`],
  });
  if ((await registry.accessPoints.list(operator.id)).length === 0) {
    for (const point of accessPoints()) await registry.accessPoints.add(operator.id, point, ACTOR);
  }
  // The simulated manufacturer listens elsewhere at each start: its address is told anew.
  for (const make of keyServerMakes)
    await registry.relations.put(operator.id, makerRelation(make, world), () => true, ACTOR);
  if (!(await registry.relations.find(operator.id, "*"))) {
    await registry.relations.put(operator.id, ownRelation(), () => true, ACTOR);
  }
  if (world.road && road) await offer(road.catalog, operator.id, world.road.origins, road.folder);
  const token = async (role: "admin" | "probe" | "maker", id = uuidv7()): Promise<string> => {
    const text = tokenOf(randomBytes(32));
    const expiresAt = new Date(Date.now() + TOKEN_HOURS * 3_600_000);
    await registry.tokens.create(
      operator.id,
      { id, hash: hashToken(text), role, label: `start ${role}`, expiresAt },
      ACTOR,
    );
    return text;
  };
  const adminId = uuidv7();
  return {
    operator,
    adminToken: await token("admin", adminId),
    probeToken: await token("probe"),
    makerToken: await token("maker"),
    adminTokenId: adminId,
  };
}

/** An address that signs the token's bearer in to the console, once. What proves them stands behind #: no log and no proxy sees it. */
export async function signInLink(
  { url, deps: { sessions } }: Pick<Server, "url"> & { readonly deps: Pick<Server["deps"], "sessions"> },
  tokenId: string,
): Promise<string> {
  const link = randomBytes(LINK_OCTETS).toString("base64url");
  const expiresAt = hoursAfter(new Date(), SIGN_IN_LINK_HOURS);
  await sessions.makeLink({ hash: hashToken(link), tokenId, expiresAt });
  return `${url}/console/sign-in#link=${link}`;
}

/** The starter catalog, with the modules of the made-up vendor and the addresses of this start. */
async function offer(
  catalog: Server["deps"]["catalog"],
  operatorId: string,
  origins: Readonly<Record<string, string>>,
  folder: string,
): Promise<void> {
  const vendor = await ensureTrialVendor(join(folder, "vendor"));
  for (const { sha256, octets } of vendor.files) await catalog.putContent(operatorId, sha256, octets, ACTOR);
  await putStarterCatalog(catalog, operatorId, { origins, modules: vendor.modules }, ACTOR);
}

export function accessPoints(): AccessPoint[] {
  const { mcc, mnc } = WORLD.network;
  const base = {
    ownership: "operator" as const,
    provider: "Meridian",
    protocol: "ipv4" as const,
    user: null,
    password: null,
    mmsc: null,
    mmsProxy: null,
    mmsPort: null,
    proxy: null,
    port: null,
    homepage: null,
    plan: null,
    shown: true,
    wifiOnly: false,
    confirmed: true,
    source: SOURCE,
    criteria: { mcc, mnc, wholeNetwork: true },
  };
  return [
    {
      ...base,
      id: uuidv7(),
      name: "Meridian Internet",
      uses: ["internet"],
      apn: WORLD.operatorApns.internet,
      authType: "none",
    },
    {
      ...base,
      id: uuidv7(),
      name: "Meridian MMS",
      uses: ["mms"],
      apn: WORLD.operatorApns.mms,
      authType: "pap",
      user: "mms",
      password: "mms",
      mmsc: `http://${WORLD.mmscHost}/mms`,
      mmsProxy: WORLD.mmsProxy.host,
      mmsPort: WORLD.mmsProxy.port,
    },
  ];
}

export const makerRelation = (make: string, world: WorldAddresses): Relation => ({
  make,
  deal: true,
  keySource: "maker",
  keyServer: world.makerUrl,
  accessPoints: [],
  appHosts: [WORLD.makerHost],
  keyIssuers: { [world.makerIssuer.name]: world.makerIssuer.spki },
  feeMinor: BigInt(WORLD.feeMinor),
  currency: WORLD.currency,
  feeLevel: "works",
  portionBasisPoints: WORLD.portionBasisPoints,
  ...DEFAULT_KEY_TERMS,
  portionPaidBy: "payment_system",
});

export const ownRelation = (): Relation => ({
  make: "*",
  deal: true,
  keySource: "own",
  keyServer: null,
  accessPoints: [{ apn: WORLD.ownApn, use: "maker", authType: "none", mmsc: `http://${WORLD.ownHost}/m` }],
  appHosts: [WORLD.ownHost],
  keyIssuers: {},
  feeMinor: 150n,
  currency: WORLD.currency,
  feeLevel: "works",
  portionBasisPoints: 0,
  ...DEFAULT_KEY_TERMS,
  portionPaidBy: "payment_system",
});
