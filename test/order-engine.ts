/** A conductor over books in memory, with one subscriber's world around it whose every answer a test chooses. */
import { createHash, generateKeyPairSync } from "node:crypto";
import { type Conductor, createConductor } from "../src/kernel/order/conductor.ts";
import type { Judgement, SettingsChoice } from "../src/kernel/order/deps.ts";
import type { OrderDraft, Relation, Terms } from "../src/kernel/order/order-store.ts";
import { DEFAULT_POLICY, type OrderPolicy } from "../src/kernel/order/policy.ts";
import { bindingOf, signDeviceKey } from "../src/wire/message/device-key.ts";
import { type OrderBooks, orderBooks } from "./order-books.ts";

export const OPERATOR = "00000000-0000-7000-8000-0000000000aa";
export const IMEI = "356938035643809";
export const IMSI = "001010123456789";
const START = Date.UTC(2026, 4, 4, 8);
export const HOUR_MS = 3_600_000;

export const maker = generateKeyPairSync("ed25519");
const own = generateKeyPairSync("ed25519");
const MAKER_ISSUER = "keys.maker";

export const relationTerms = (more: Partial<Relation> = {}): Relation => ({
  make: "Acme",
  deal: true,
  keySource: "maker",
  keyServer: "https://maker.invalid",
  accessPoints: [{ apn: "acme.maker", use: "maker", authType: "none" }],
  appHosts: ["app.acme.example"],
  keyIssuers: {
    [MAKER_ISSUER]: maker.publicKey.export({ format: "der", type: "spki" }).toString("base64"),
  },
  feeMinor: 251n,
  currency: "EUR",
  feeLevel: "works",
  portionBasisPoints: 3_333,
  ...more,
});

export type Setup = {
  readonly policy?: Partial<OrderPolicy>;
  readonly relation?: Partial<Relation> | null;
  readonly judgement?: Partial<Judgement>;
  readonly msisdn?: string | null;
  readonly choice?: SettingsChoice;
};

export type TestEngine = {
  readonly books: OrderBooks;
  readonly conductor: Conductor;
  readonly newId: () => string;
  /** Changed by a test as the world changes. */
  readonly world: {
    now: number;
    choice: SettingsChoice;
    judgement: Judgement;
    /** Thrown by the judgement of this order, or of every one. */
    fault: Error | null;
    faultOf: string | null;
  };
  /** A sighting opened an order. */
  open(cause?: OrderDraft["cause"], deviceId?: string): string;
  order(id: string): OrderDraft;
  pass(ms: number): void;
};

export const CHOICE: SettingsChoice = {
  kind: "chosen",
  values: {
    name: "Meridian",
    points: [
      {
        use: "internet",
        apn: "internet",
        authType: "none",
        user: null,
        password: null,
        mmsc: null,
        proxy: null,
        port: null,
        homepage: null,
      },
    ],
  },
  confirmed: true,
  source: "test",
};

const none = (): never => {
  throw new Error("these books hold no requests");
};
/** The device's road has a catalog and tables: it is tested on a database. */
const NO_ROAD = {
  catalog: { catalogWith: none, currentTerms: none, content: none },
  fetchModule: none,
  requestUrl: none,
  offerUrl: none,
};

export function testEngine(setup: Setup = {}): TestEngine {
  let ids = 0;
  let draws = 0;
  const newId = (): string => `00000000-0000-7000-8000-${String(++ids).padStart(12, "0")}`;
  const relation = setup.relation === null ? null : relationTerms(setup.relation);
  const terms: Terms = {
    operatorId: OPERATOR,
    operatorName: "Meridian",
    kind: "mno",
    homePlmns: ["001/01"],
    policy: { ...DEFAULT_POLICY, ...setup.policy },
    relations: new Map(relation ? [[relation.make.toLowerCase(), relation]] : []),
    accessPoints: [],
    overrides: new Map(),
  };
  const books = orderBooks(terms);
  const world: TestEngine["world"] = {
    now: START,
    choice: setup.choice ?? CHOICE,
    judgement: {
      make: "Acme",
      model: "One",
      verdict: "ended",
      reasons: [],
      road: "omacp",
      takesKey: true,
      isKeyKnown: true,
      ...setup.judgement,
    },
    fault: null,
    faultOf: null,
  };
  const conductor = createConductor({
    store: books.store,
    newId,
    clock: () => new Date(world.now),
    randomBytes: (octets) => createHash("sha512").update(String(++draws)).digest().subarray(0, octets),
    judge: ({ id }) => {
      if (world.fault && (world.faultOf ?? id) === id) throw world.fault;
      return world.judgement;
    },
    chooseSettings: () => world.choice,
    ownIssuer: { name: "own.turnup", ...own },
    onWritten: () => undefined,
    linkUrl: (token) => `https://turnup.invalid/s/${token}`,
    ...NO_ROAD,
  });
  return {
    books,
    conductor,
    newId,
    world,
    open(cause = "first_registration", deviceId = "00000000-0000-7000-8000-0000000000cc") {
      const id = newId();
      const now = new Date(world.now);
      books.orders.set(id, {
        id,
        operatorId: OPERATOR,
        subscriberId: "00000000-0000-7000-8000-0000000000bb",
        deviceId,
        cause,
        createdAt: now,
        state: "received",
        reason: "seen on the network",
        nextAction: "judge the handset",
        dueAt: now,
        deadlineAt: new Date(world.now + 168 * HOUR_MS),
        attempts: 0,
        make: null,
        model: null,
        verdict: null,
        verdictReasons: null,
        items: [],
        request: null,
        changed: false,
      });
      books.subjects.set(id, {
        imsi: IMSI,
        imei: IMEI,
        msisdn: setup.msisdn === undefined ? "4915112345678" : setup.msisdn,
        iccid: null,
        gid1: null,
        spn: null,
        homePlmn: "00101",
      });
      return id;
    },
    order: (id) => books.orders.get(id)!,
    pass(ms) {
      world.now += ms;
    },
  };
}

/** A key as the maker's server signs it; `seed` makes its id. */
export function makerKey(seed: string, { imei = IMEI, now = START } = {}): Uint8Array {
  const digest = createHash("sha256").update(seed).digest();
  const keyId = Uint8Array.from(digest.subarray(0, 16));
  const confirmSecret = Uint8Array.from(digest.subarray(16));
  return signDeviceKey(
    {
      keyId,
      issuer: MAKER_ISSUER,
      boundTo: "handset",
      binding: bindingOf(confirmSecret, keyId, imei),
      confirmSecret,
      notBefore: new Date(now - 86_400_000),
      notAfter: new Date(now + 3_650 * 86_400_000),
      script: { openSession: true, insertAccessPoints: true, closeSession: true, deleteAfterUse: true },
      hosts: ["app.acme.example"],
      accessPoints: [{ apn: "acme.maker", use: "maker", authType: "none" }],
    },
    maker.privateKey,
  );
}
