/** The order engine on a database of the test file's own: intake, conductors and desks, without sockets and loops. */
import { createHash, generateKeyPairSync, randomBytes } from "node:crypto";
import type { SightingInput, SightingResult } from "../src/kernel/detection/sighting.ts";
import { type Conductor, createConductor } from "../src/kernel/order/conductor.ts";
import type { ConductorDeps } from "../src/kernel/order/deps.ts";
import type { KnownPeer } from "../src/kernel/order/request/connectors.ts";
import { createCatalogStore } from "../src/store/catalog-store.ts";
import { createIntake } from "../src/store/intake.ts";
import { createOrderDesk } from "../src/store/order-desk.ts";
import { createOrderReader } from "../src/store/order-reader.ts";
import { createOrderStore } from "../src/store/order-store.ts";
import { createRegistry } from "../src/store/registry.ts";
import { createSealer } from "../src/store/seal.ts";
import { createTextDesk } from "../src/store/text-desk.ts";
import { uuidv7 } from "../src/store/uuid.ts";
import { freshDatabase } from "./database.ts";
import { CHOICE } from "./order-engine.ts";

export const START = Date.parse("2026-05-04T08:00:00Z");

export async function orderShop() {
  const database = await freshDatabase();
  const sealer = createSealer(Buffer.alloc(32, 7));
  const time = { now: START };
  const clock = (): Date => new Date(time.now);
  const registry = createRegistry({ database, sealer, newId: uuidv7, clock });
  const store = createOrderStore(database, sealer, registry.ownWords);
  const issuer = generateKeyPairSync("ed25519");
  const world: {
    choice: ReturnType<ConductorDeps["chooseSettings"]>;
    verdict: "ended" | "supported";
    fetchModule: ConductorDeps["fetchModule"];
    /** Other provisioning servers, by origin. */
    peers: Map<string, KnownPeer>;
    landName: string | null;
  } = {
    peers: new Map(),
    landName: null,
    choice: CHOICE,
    verdict: "supported",
    fetchModule: async () => {
      throw new Error("no other server keeps modules here");
    },
  };
  const catalog = createCatalogStore({ database, newId: uuidv7, clock });
  const conductorOf = (): Conductor =>
    createConductor({
      store,
      newId: uuidv7,
      clock,
      randomBytes: (octets) => Uint8Array.from(randomBytes(octets)),
      judge: () => ({
        make: "Acme",
        model: "One",
        verdict: world.verdict,
        reasons: [],
        road: "omacp",
        takesKey: true,
        isKeyKnown: true,
      }),
      chooseSettings: () => world.choice,
      ownIssuer: { name: "own.turnup", ...issuer },
      onWritten: () => undefined,
      linkUrl: (token) => `https://turnup.invalid/s/${token}`,
      catalog,
      fetchModule: (url) => world.fetchModule(url),
      requestUrl: (reference) => `https://turnup.invalid/d/orders/${reference}`,
      offerUrl: (token) => `https://turnup.invalid/d/offers/${token}`,
      peers: { of: (origin) => world.peers.get(origin) },
      landName: () => world.landName,
    });
  const known = { homePlmnOf: () => undefined, countryOf: () => null, onOrders: () => undefined };
  const shared = { database, sealer, newId: uuidv7, clock, termsOf: store.termsOf, termsIn: store.termsIn };
  const conductor = conductorOf();
  const intakeOf = () => createIntake({ ...shared, ...known });
  const intake = intakeOf();
  return {
    database,
    sealer,
    time,
    world,
    registry,
    catalog,
    store,
    issuer,
    conductor,
    conductorOf,
    intake,
    intakeOf,
    reader: createOrderReader(database, sealer),
    desk: createOrderDesk({ ...shared, ...known, conductor }),
    texts: createTextDesk({
      courier: { hasRoom: () => false, hand: () => undefined },
      nodeNumber: () => null,
      ...shared,
      randomBytes: (octets) => Uint8Array.from(randomBytes(octets)),
      onMessages: () => undefined,
    }),
    /** An operator of a test's own, so that no test sees another's rows. */
    async operator(): Promise<string> {
      const id = uuidv7();
      const values = [id, `operator-${id}`];
      await database.run("insert into operator (id, slug, name, kind) values ($1, $2, $2, 'mno')", values);
      return id;
    },
    async see(
      operatorId: string,
      ...sightings: readonly Partial<SightingInput>[]
    ): Promise<SightingResult[]> {
      return intake.accept(
        operatorId,
        sightings.map((one) => ({ plmn: "00101", ...one })),
        "api",
      );
    },
    count: async (table: string, where = "true", values: readonly unknown[] = []): Promise<number> =>
      (await database.one<{ n: number }>(`select count(*)::int as n from ${table} where ${where}`, values))!
        .n,
  };
}
export type OrderShop = Awaited<ReturnType<typeof orderShop>>;

/** A subscriber and a handset of a test's own. */
export function pair(name: string): {
  readonly imsi: string;
  readonly imei: string;
  readonly msisdn: string;
} {
  const digits = BigInt(`0x${createHash("sha256").update(name).digest("hex").slice(0, 14)}`)
    .toString()
    .padStart(18, "0");
  return {
    imsi: `00101${digits.slice(-10)}`,
    imei: imeiWith(`35693803${digits.slice(-6)}`),
    msisdn: `49151${digits.slice(-8)}`,
  };
}

export function imeiWith(first14: string): string {
  const sum = [...first14].reduce((total, digit, at) => {
    const value = Number(digit) * (at % 2 === 1 ? 2 : 1);
    return total + (value > 9 ? value - 9 : value);
  }, 0);
  return `${first14}${(10 - (sum % 10)) % 10}`;
}
