/**
 * A house behind the HTTP doors for their tests: every port in memory, two operators, a token of each role. All that
 * exists belongs to operator A; whoever asks as operator B must find nothing.
 */

import { generateKeyPairSync } from "node:crypto";
import type { FastifyInstance } from "fastify";
import type { DeviceDescription, HttpDeps, SettingsPage } from "../src/http/ports.ts";
import { createHttpServer, type HttpOptions } from "../src/http/server.ts";
import type { News } from "../src/kernel/account/changes.ts";
import type { Override, TokenView } from "../src/kernel/account/registry.ts";
import { ROLES, type Role } from "../src/kernel/account/role.ts";
import { hashToken, type TokenRecord, tokenOf } from "../src/kernel/account/token.ts";
import type { SightingInput, SightingResult } from "../src/kernel/detection/sighting.ts";
import type { ConfirmationInput, OrderStory } from "../src/kernel/order/order-reader.ts";
import type { Relation } from "../src/kernel/order/order-store.ts";
import { DEFAULT_POLICY, type OrderPolicy } from "../src/kernel/order/policy.ts";
import { composeOmaCp } from "../src/kernel/payload/compose.ts";
import type { AccessPoint } from "../src/kernel/settings/access-point.ts";
import { TurnupError } from "../src/term/error.ts";
import { issuerKeyOf } from "../src/wire/message/issuer-key.ts";
import { memoryCatalog } from "./memory-catalog.ts";
import { memoryRoad } from "./memory-road.ts";

export const OPERATOR_A = "01900000-0000-7000-8000-00000000000a";
export const OPERATOR_B = "01900000-0000-7000-8000-00000000000b";
export const ORDER_ID = "01900000-0000-7000-8000-0000000000a1";
export const THING_ID = "01900000-0000-7000-8000-0000000000a2";
export const IMSI = "262019876543210";
export const IMEI = "356938035643809";
export const LINK_TOKEN = "Zk3vQ0a9bB1cC2dD3eE4fF";

/** One fixed token a role and operator. */
export function tokenFor(operatorId: string, role: Role): string {
  const random = new Uint8Array(32).fill(ROLES.indexOf(role) + 1);
  random[31] = operatorId === OPERATOR_A ? 0xaa : 0xbb;
  return tokenOf(random);
}
export const bearer = (operatorId: string, role: Role): Record<string, string> => ({
  authorization: `Bearer ${tokenFor(operatorId, role)}`,
});

export type House = {
  readonly deps: HttpDeps;
  readonly records: Map<string, TokenRecord>;
  /** Tells of changes, as the channel between servers does; while false, no word is heard. */
  readonly told: { heard: boolean; readonly listeners: ((news: News) => void)[] };
  readonly calls: { name: string; operatorId: string; input: unknown }[];
  readonly audit: { operatorId: string; actor: string; action: string; subject: string }[];
  nowMs: number;
  lookups: number;
};

const stamp = "2026-03-01T12:00:00.000Z";
const hexKey = (hash: Uint8Array): string => Buffer.from(hash).toString("hex");

export function makeHouse(): House {
  const records = new Map<string, TokenRecord>();
  for (const operatorId of [OPERATOR_A, OPERATOR_B]) {
    for (const role of ROLES) {
      const token = tokenFor(operatorId, role);
      const id = `01900000-0000-7000-8000-0000000${operatorId.slice(-1)}${role.length}0${ROLES.indexOf(role)}f`;
      const record = { id, operatorId, role, label: `${role}-token`, expiresAt: null, revokedAt: null };
      records.set(hexKey(hashToken(token)), record);
    }
  }
  const house: { -readonly [Name in keyof House]: House[Name] } = {
    records,
    told: { heard: true, listeners: [] },
    calls: [],
    audit: [],
    nowMs: Date.parse(stamp),
    lookups: 0,
    deps: undefined as never,
  };
  house.deps = depsOf(house);
  return house;
}

export async function openHouse(
  options: HttpOptions = {},
): Promise<House & { readonly server: FastifyInstance }> {
  const house = makeHouse();
  const server = await createHttpServer(house.deps, options);
  await server.ready();
  return Object.assign(house, { server });
}

function depsOf(house: House): HttpDeps {
  const clock = (): Date => new Date(house.nowMs);
  let lastId = 0;
  const newId = (): string => `01900000-0000-7000-9000-${String(++lastId).padStart(12, "0")}`;
  const called = (name: string, operatorId: string, input: unknown): void => {
    house.calls.push({ name, operatorId, input });
  };
  const note = (operatorId: string, actor: string, action: string, subject: string): void => {
    house.audit.push({ operatorId, actor, action, subject });
  };
  const ofA = <T>(operatorId: string, rows: readonly T[]): readonly T[] =>
    operatorId === OPERATOR_A ? rows : [];
  const pageOfA = <T>(operatorId: string, rows: readonly T[]) => ({
    rows: ofA(operatorId, rows),
    nextCursor: null,
  });
  const policies = new Map<string, { version: number; body: OrderPolicy }>();
  const relations = new Map([[OPERATOR_A, new Map<string, Relation>([["nokia", RELATION]])]]);
  const kept = new Map<
    string,
    { fingerprint: string; subjectId: string; answer?: { status: number; body: unknown } }
  >();
  const keyOf = (operatorId: string, { scope, key }: { scope: string; key: string }): string =>
    JSON.stringify([operatorId, scope, key]);

  return {
    issuer: issuerKeyOf("own.turnup", generateKeyPairSync("ed25519").publicKey),
    clock,
    monotonicMs: () => house.nowMs,
    changes: {
      isHeard: () => house.told.heard,
      onChange(listener) {
        house.told.listeners.push(listener);
        return () => undefined;
      },
    },
    newId,
    tokens: {
      async findByHash(hash) {
        house.lookups++;
        return house.records.get(hexKey(hash));
      },
      async touch() {},
      list: async (operatorId) => pageOfA(operatorId, [TOKEN_VIEW]),
      async create(operatorId, token, actor) {
        house.records.set(hexKey(token.hash), { ...token, operatorId, revokedAt: null });
        note(operatorId, actor, "token.create", token.id);
        return { ...TOKEN_VIEW, id: token.id, role: token.role, label: token.label };
      },
      async revoke(operatorId, tokenId, actor) {
        const found = [...house.records].find(
          ([, one]) => one.id === tokenId && one.operatorId === operatorId,
        );
        if (!found) return false;
        house.records.set(found[0], { ...found[1], revokedAt: clock() });
        note(operatorId, actor, "token.revoke", tokenId);
        return true;
      },
    },
    repeats: {
      async begin(operatorId, request) {
        const fingerprint = hexKey(request.fingerprint);
        const known = kept.get(keyOf(operatorId, request));
        if (!known) {
          const subjectId = newId();
          kept.set(keyOf(operatorId, request), { fingerprint, subjectId });
          return { state: "first", subjectId };
        }
        if (known.fingerprint !== fingerprint) return { state: "other_request" };
        return known.answer ? { state: "done", answer: known.answer } : { state: "running" };
      },
      async finish(operatorId, request, answer) {
        const known = kept.get(keyOf(operatorId, request));
        if (known) known.answer = answer;
      },
      async abandon(operatorId, request) {
        kept.delete(keyOf(operatorId, request));
      },
      forget: async () => 0,
    },
    audit: {
      record: async (operatorId, { actor, action, subject }) => note(operatorId, actor, action, subject),
      list: async (operatorId) =>
        pageOfA(operatorId, [
          { id: THING_ID, actor: "cli", action: "x", subject: "y", detail: {}, at: stamp },
        ]),
    },
    policies: {
      async current(operatorId) {
        const { version, body } = policies.get(operatorId) ?? { version: 0, body: DEFAULT_POLICY };
        return { version, body, madeBy: null, madeAt: null };
      },
      async put(operatorId, expected, body, actor) {
        if ((policies.get(operatorId)?.version ?? 0) !== expected) return undefined;
        policies.set(operatorId, { version: expected + 1, body });
        note(operatorId, actor, "policy.put", String(expected + 1));
        return { version: expected + 1, body, madeBy: actor, madeAt: stamp };
      },
    },
    relations: {
      list: async (operatorId) => [...(relations.get(operatorId)?.values() ?? [])],
      find: async (operatorId, make) => relations.get(operatorId)?.get(make.toLowerCase()),
      async put(operatorId, relation, expected, actor) {
        const own = relations.get(operatorId) ?? new Map<string, Relation>();
        if (!expected(own.get(relation.make.toLowerCase()))) return "changed";
        relations.set(operatorId, own.set(relation.make.toLowerCase(), relation));
        note(operatorId, actor, "relation.put", relation.make);
        return "stored";
      },
      remove: async (operatorId, make) => relations.get(operatorId)?.delete(make.toLowerCase()) ?? false,
    },
    accessPoints: {
      list: async (operatorId) => ofA(operatorId, [ACCESS_POINT]),
      find: async (operatorId, id) => ofA(operatorId, [ACCESS_POINT]).find((point) => point.id === id),
      add: async (operatorId, point) => called("accessPoints.add", operatorId, point),
      retire: async (operatorId, id) => operatorId === OPERATOR_A && id === THING_ID,
    },
    overrides: {
      list: async (operatorId) => pageOfA(operatorId, [OVERRIDE]),
      async put(operatorId, override) {
        called("overrides.put", operatorId, override);
        return { ...OVERRIDE, scope: override.scope, body: override.body, why: override.why };
      },
      remove: async (operatorId, id) => operatorId === OPERATOR_A && id === THING_ID,
    },
    datasets: { list: async () => [] },
    pairings: { ofDevice: async (operatorId) => (operatorId === OPERATOR_A ? PAIRINGS : undefined) },
    intake: {
      async accept(operatorId, sightings, source) {
        called("intake.accept", operatorId, { sightings, source });
        return sightings.map(outcomeOf);
      },
    },
    orders: {
      async listOrders(operatorId, filter, page) {
        called("orders.listOrders", operatorId, { filter, page });
        const { rows } = pageOfA(operatorId, [STORY]);
        return { rows, nextCursor: rows.length > 0 && page.limit === 1 ? ORDER_ID : null };
      },
      findOrder: async (operatorId, id) => ofA(operatorId, [STORY]).find((story) => story.id === id),
      countOrders: async () => {
        throw new Error("not asked by a route");
      },
      listMessages: async (operatorId) => pageOfA(operatorId, STORY.messages),
      listCharges: async (operatorId) => pageOfA(operatorId, STORY.charges),
      listPostings: async (operatorId) => pageOfA(operatorId, [POSTING]),
      restored: async (operatorId) =>
        ofA(operatorId, [{ make: "Nokia", model: "C2-03", rule: "maker_exit", handsets: 3, withKey: 1 }]),
      balances: async (operatorId) =>
        ofA(operatorId, [{ account: "operator", currency: "EUR", balanceMinor: 120n }]),
    },
    orderDesk: {
      async open(operatorId, request) {
        called("orderDesk.open", operatorId, request);
        return { orderId: ORDER_ID, created: true };
      },
      resend: async (operatorId, id) => touchOrder("orderDesk.resend", operatorId, id),
      cancel: async (operatorId, id) => touchOrder("orderDesk.cancel", operatorId, id),
    },
    confirmations: {
      async accept(operatorId, confirmations) {
        called("confirmations.accept", operatorId, confirmations);
        return confirmations.map((_: ConfirmationInput) => ({
          outcome: operatorId === OPERATOR_A ? "booked" : "no_order",
        }));
      },
    },
    symptoms: {
      async accept(operatorId, seen) {
        called("symptoms.accept", operatorId, seen);
        return seen.map(() => ({ outcome: operatorId === OPERATOR_A ? "noted" : "repeated" }));
      },
    },
    texts: {
      async send(operatorId, messages) {
        called("texts.send", operatorId, messages);
        return messages.map(() => ({ id: newId(), created: true }));
      },
    },
    devices: {
      describe: async (_operatorId, imei) => ({ ...DEVICE, imei }),
      runsKeys: async (_operatorId, make) => make === "Known",
    },
    unknownModels: {
      list: async (operatorId) => ({
        rows: ofA(operatorId, [
          { tac: "35699999", handsets: 2, subscribers: 3, firstSeenAt: stamp, lastSeenAt: stamp },
        ]),
        nextCursor: null,
      }),
    },
    settings: { find: async () => ({ matches: [] }) },
    pages: {
      async look(token) {
        const page = PAGES[token];
        return page?.state === "open" ? { state: "ready", operatorName: page.operatorName } : page;
      },
      open: async (token) => PAGES[token],
    },
    catalog: memoryCatalog(house, stamp),
    road: memoryRoad(stamp, called),
    enrolments: {
      async issue(operatorId, { who, imei }) {
        called("enrolments.issue", operatorId, imei);
        return who.msisdn ? { msisdn: who.msisdn } : undefined;
      },
      spend: async () => undefined,
    },
    readiness: [{ name: "database", check: async () => {} }],
  };

  async function touchOrder(name: string, operatorId: string, orderId: string): Promise<void> {
    if (operatorId !== OPERATOR_A || orderId !== ORDER_ID)
      throw new TurnupError("order_not_found", "there is no such order");
    called(name, operatorId, orderId);
  }
}

function outcomeOf({ imei, imeisv }: SightingInput): SightingResult {
  if (!imei && !imeisv) return { outcome: "refused", code: "imei_malformed", reason: "no IMEI" };
  return { outcome: "first_registration", orderId: ORDER_ID, subscriberId: THING_ID, deviceId: THING_ID };
}

const TOKEN_VIEW: TokenView = {
  id: THING_ID,
  role: "probe",
  label: "radius",
  createdAt: stamp,
  expiresAt: null,
  revokedAt: null,
  lastUsedAt: null,
};

export const RELATION: Relation = {
  make: "Nokia",
  deal: true,
  keySource: "own",
  keyServer: null,
  accessPoints: [
    { use: "mms", apn: "mms.nokia.example", authType: "pap", user: "u", password: "hunter2hunter2" },
  ],
  appHosts: ["apps.nokia.example"],
  keyIssuers: {},
  feeMinor: 120n,
  currency: "EUR",
  feeLevel: "works",
  portionBasisPoints: 3_000,
};

export const ACCESS_POINT: AccessPoint = {
  id: THING_ID,
  ownership: "operator",
  name: "Telco Internet",
  provider: null,
  uses: ["internet"],
  apn: "internet.telco",
  protocol: null,
  authType: "pap",
  user: "gprs",
  password: "hunter2hunter2",
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
  source: { name: "operator", version: stamp, licence: "the operator's own" },
  criteria: { mcc: "262", mnc: "01" },
};

const OVERRIDE: Override = {
  id: THING_ID,
  scope: "tac",
  key: "35693803",
  body: { verdict: "ended" },
  why: "the maker said so",
  madeBy: "cli",
  madeAt: stamp,
};

const PAIRINGS = {
  deviceId: THING_ID,
  pairings: [
    {
      subscriberId: THING_ID,
      imsiMasked: "262019*********",
      msisdnMasked: null,
      homePlmn: "26201",
      firstSeenAt: stamp,
      lastSeenAt: stamp,
      since: stamp,
      isCurrent: true,
    },
  ],
};

const DEVICE: DeviceDescription = {
  imei: IMEI,
  tac: "35693803",
  make: "Nokia",
  model: "6610",
  modelCodes: ["NHL-4U"],
  source: "osmocom",
  dataVersion: "2020",
  releasedYear: 2002,
  ageWindow: null,
  supportEnds: null,
  verdict: "ended",
  reasons: [{ rule: "maker_exit", outcome: "ended", saw: { year: 2002 }, decided: true }],
  facts: [{ name: "screen", value: { widthPx: 128 }, source: "osmocom", version: "2020" }],
};

export const SECRET_PASSWORD = "correcthorse";

/** One order with one OMA CP message, made by the real composer. */
export const STORY: OrderStory = {
  id: ORDER_ID,
  state: "provisioning",
  reason: "settings are on their way",
  nextAction: "wait for the receipt",
  dueAt: stamp,
  deadlineAt: stamp,
  cause: "first_registration",
  networkKind: "mno",
  market: null,
  make: "Nokia",
  model: "6610",
  verdict: "ended",
  reasonCode: null,
  subscriberId: THING_ID,
  deviceId: THING_ID,
  createdAt: stamp,
  updatedAt: stamp,
  endedAt: null,
  verdictReasons: [{ rule: "age" }],
  imeiMasked: "35693803*******",
  imsiMasked: "262019*********",
  msisdnMasked: null,
  items: [],
  events: [
    {
      id: THING_ID,
      itemId: null,
      kind: "opened",
      state: null,
      reason: "seen",
      evidence: null,
      detail: { a: 1 },
      at: stamp,
    },
  ],
  messages: [
    {
      id: THING_ID,
      orderId: ORDER_ID,
      kind: "settings",
      protocol: "omacp",
      sec: "netwpin",
      state: "submitted",
      reason: "taken by the SMSC",
      octets: 180,
      partCount: 2,
      attempts: 1,
      createdAt: stamp,
      updatedAt: stamp,
      expiresAt: stamp,
      parts: [],
      reference: 7,
      payload: composeOmaCp(
        {
          name: "Telco",
          points: [
            {
              use: "internet",
              apn: "internet.telco",
              authType: "pap",
              user: "gprs",
              password: SECRET_PASSWORD,
              mmsc: null,
              proxy: null,
              port: null,
              homepage: null,
            },
          ],
        },
        { sec: "netwpin", imsi: IMSI },
      ),
    },
  ],
  calls: [],
  charges: [
    {
      id: THING_ID,
      orderId: ORDER_ID,
      itemId: THING_ID,
      make: "Nokia",
      keySource: "own",
      feeMinor: 9_007_199_254_740_993n,
      portionMinor: 0n,
      currency: "EUR",
      level: "works",
      state: "requested",
      reason: "asked for",
      bankReference: null,
      payoutReference: null,
      createdAt: stamp,
      updatedAt: stamp,
    },
  ],
};

const POSTING = {
  id: THING_ID,
  reference: "fee:1",
  chargeId: THING_ID,
  debit: "operator",
  credit: "fees",
  amountMinor: 120n,
  currency: "EUR",
  bookedAt: stamp,
};

const PAGES: Readonly<Record<string, SettingsPage>> = {
  [LINK_TOKEN]: {
    state: "open",
    operatorName: "Telco & <Söhne>",
    make: "Nokia",
    model: "6610",
    points: [
      {
        use: "internet",
        apn: "internet.telco",
        authType: "pap",
        user: "gprs",
        password: "gprs",
        mmsc: null,
        proxy: null,
        port: null,
        homepage: "http://wap.telco.example/",
      },
      {
        use: "mms",
        apn: "mms.telco",
        authType: "none",
        user: null,
        password: null,
        mmsc: "http://mms.telco.example/servlets/mms",
        proxy: "10.0.0.1",
        port: 8080,
        homepage: null,
      },
    ],
  },
  expiredexpiredexpired1: { state: "expired", operatorName: "Telco" },
};
