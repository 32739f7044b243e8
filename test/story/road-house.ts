/**
 * The house of the device's road (US 6,647,260): the real server on a database of the test file's own, the real proxy, the
 * reference service servers, other companies' sandboxes, a message centre, and phones that run the client module, each
 * over its own sockets. A story steers phones by their keys and looks at the server as its operator's people do.
 */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readConfig } from "../../src/app/config.ts";
import { accessPoints, ownRelation } from "../../src/app/demo.ts";
import type { ProxyOptions } from "../../src/app/proxy.ts";
import {
  ROAD_WORLD,
  type RoadWorld,
  type RoadWorldOptions,
  startRoadWorld,
} from "../../src/app/road-world.ts";
import { type Server, startServer } from "../../src/app/server.ts";
import { putStarterCatalog } from "../../src/app/starter-catalog.ts";
import { WORLD } from "../../src/app/world.ts";
import { ROLES, type Role } from "../../src/kernel/account/role.ts";
import { hashToken, tokenOf } from "../../src/kernel/account/token.ts";
import { DEFAULT_POLICY, type OrderPolicy } from "../../src/kernel/order/policy.ts";
import { DEFAULT_REQUEST_POLICY, type RequestPolicy } from "../../src/kernel/order/request/request-policy.ts";
import type { IncomingSms } from "../../src/sim/handset/fleet.ts";
import type { Phone, PhoneEvent } from "../../src/sim/phone/phone.ts";
import { type AcceptedMessage, createSmscSimulator } from "../../src/sim/smsc/smsc.ts";
import type { Database } from "../../src/store/database.ts";
import { ensureOperator, type Operator } from "../../src/store/operators.ts";
import { uuidv7 } from "../../src/store/uuid.ts";
import { Secret } from "../../src/term/secret.ts";
import { freshDatabaseConfig } from "../database.ts";
import { whenDone } from "../when-done.ts";
import { passTime, until } from "./house.ts";

const TAC = "35693803";
const IMSI_PREFIX = "001019";
const MSISDN_PREFIX = "88210900";

export type RoadStoryOptions = {
  readonly seed?: number;
  readonly habits?: RoadWorldOptions["habits"];
  readonly policy?: Partial<RequestPolicy>;
  readonly orders?: Partial<OrderPolicy>;
  readonly env?: Readonly<Record<string, string>>;
  readonly proxy?: Partial<ProxyOptions>;
  /** A second operator's server, to which entries of the first one's lists lead (row 6). */
  readonly second?: boolean;
  /** Takes messages to numbers that are no phone's with a client module: old handsets of a story. */
  readonly others?: (sms: IncomingSms) => "delivered" | "absent";
  /** Once the sandboxes stand and before any server does: what a story changes about them. */
  readonly prepare?: (road: RoadWorld) => void | Promise<void>;
};

// biome-ignore lint/suspicious/noExplicitAny: answers are compared with literals, field by field
type Json = any;

export type RoadParty = {
  readonly server: Server;
  readonly operator: Operator;
  readonly database: Database;
  token(role: Role): string;
  call(
    method: string,
    path: string,
    body?: unknown,
    role?: Role,
    headers?: object,
  ): Promise<{ readonly status: number; readonly body: Json; readonly text: string }>;
  get(path: string, role?: Role): Promise<Json>;
  /** The newest order of this phone's SIM, whole; undefined where there is none. */
  story(phone: Phone): Promise<Json>;
  /** Waits until the phone's newest order is so. */
  storyUntil(phone: Phone, wanted: (story: Json) => boolean, what: string): Promise<Json>;
};

export type RoadHouse = RoadParty & {
  /** For files of a story; it goes with the house. */
  readonly folder: string;
  readonly road: RoadWorld;
  readonly second: RoadParty | undefined;
  /** Every message that the centre took, in order. */
  readonly accepted: readonly AcceptedMessage[];
  readonly events: readonly PhoneEvent[];
  readonly faults: readonly string[];
  /** Everything that the servers wrote to their logs, at the finest level. */
  readonly logs: readonly string[];
  /** Lets time pass for everything of the first server that waits: due times, deadlines, expiry. */
  timePasses(ms: number): Promise<void>;
  /** A new phone with an account at the proxy, switched off. */
  phone(more?: Parameters<RoadWorld["phone"]>[0] extends infer Spec ? Partial<Spec> : never): Promise<Phone>;
  did<Kind extends PhoneEvent["kind"]>(phone: Phone, kind: Kind): Extract<PhoneEvent, { kind: Kind }>[];
  textsTo(phone: Phone): readonly string[];
  /** An SMS of a handset of a story's own. */
  mobileOriginated(sms: IncomingSms): Promise<void>;
};

/** With its check digit. */
export function imeiOf(serial: number): string {
  const body = TAC + String(serial).padStart(6, "0");
  const sum = [...body]
    .map(Number)
    .reduce(
      (total, digit, at) => total + (at % 2 === 0 ? digit : Math.floor(digit / 5) + ((digit * 2) % 10)),
      0,
    );
  return body + String((10 - (sum % 10)) % 10);
}

export async function roadHouse(options: RoadStoryOptions = {}): Promise<RoadHouse> {
  const folder = mkdtempSync(join(tmpdir(), "turnup-road-story-"));
  const secret = randomBytes(4).toString("hex");
  const accepted: AcceptedMessage[] = [];
  const events: PhoneEvent[] = [];
  const faults: string[] = [];
  const logs: string[] = [];
  const fault = (error: unknown): void => void faults.push(String(error));
  const smsc = await createSmscSimulator({
    port: 0,
    systemId: WORLD.smscSystemId,
    password: secret,
    seed: options.seed ?? 1,
    onAccepted: (message) => accepted.push(message),
    onMessage: async (message) => {
      const sms = { ...message, udh: message.udh ?? new Uint8Array(0) };
      return (await road.phoneOf(sms.to)?.onMessage(sms)) ?? options.others?.(sms) ?? "absent";
    },
  });
  const submitMo = async (sms: IncomingSms): Promise<void> => {
    const taken = await smsc.sendMobileOriginated(sms);
    if (taken !== "taken") throw new Error("the message centre could not hand it over");
  };
  const road: RoadWorld = await startRoadWorld({
    folder,
    seed: options.seed ?? 1,
    now: () => new Date(),
    ...(options.habits && { habits: options.habits }),
    submitMo,
    onEvent: (event) => events.push(event),
    onFault: fault,
  });
  await options.prepare?.(road);
  const party = (landId: string) =>
    openParty({
      folder: join(folder, landId),
      landId,
      road,
      smscPort: smsc.port,
      secret,
      options,
      fault,
      logs,
    });
  const second = options.second ? await party("partner") : undefined;
  const first = await party(ROAD_WORLD.landId);
  const places = {
    modules: road.vendor.modules,
    origins: {
      ...road.sandboxes.origins,
      ...(second && { "https://games.example": second.server.road.land!.url }),
    },
  };
  for (const { server, operator } of [first, ...(second ? [second] : [])]) {
    for (const { sha256, octets } of road.vendor.files)
      await server.deps.catalog.putContent(operator.id, sha256, octets, "story");
    await putStarterCatalog(server.deps.catalog, operator.id, places, "story");
  }
  await road.connect({
    servers: [first, ...(second ? [second] : [])].map(({ server }, at) => ({
      id: at === 0 ? ROAD_WORLD.landId : "partner",
      url: server.road.land!.url,
    })),
    issuers: [first, ...(second ? [second] : [])].map(({ server: { issuer } }) => issuer),
    ...(options.proxy && { proxy: options.proxy }),
  });
  whenDone(async () => {
    await road.close();
    await smsc.close();
    await first.server.close();
    await second?.server.close();
    rmSync(folder, { recursive: true, force: true });
  });
  let made = 0;
  return {
    ...first,
    folder,
    road,
    second,
    accepted,
    events,
    faults,
    logs,
    mobileOriginated: submitMo,
    async timePasses(ms) {
      await passTime(first.database, ms, "waited for");
      await first.server.engine.conductor.expire(500);
    },
    phone(more = {}) {
      made += 1;
      return road.phone({
        imei: imeiOf(made),
        imsi: IMSI_PREFIX + String(made).padStart(9, "0"),
        msisdn: MSISDN_PREFIX + String(made).padStart(4, "0"),
        ...more,
      });
    },
    did: (phone, kind) =>
      events.filter(
        (event): event is Extract<PhoneEvent, { kind: typeof kind }> =>
          event.kind === kind && event.msisdn === phone.msisdn,
      ),
    textsTo: (phone) =>
      events.flatMap((event) => (event.kind === "text" && event.msisdn === phone.msisdn ? [event.text] : [])),
  };
}

async function openParty(given: {
  readonly folder: string;
  readonly landId: string;
  readonly road: RoadWorld;
  readonly smscPort: number;
  readonly secret: string;
  readonly options: RoadStoryOptions;
  readonly fault: (error: unknown) => void;
  readonly logs: string[];
}): Promise<RoadParty> {
  const { folder, landId, road, options } = given;
  const { database, url } = await freshDatabaseConfig();
  const { config } = readConfig({
    env: {
      DATABASE_URL: url,
      TURNUP_DATA_FOLDER: folder,
      TURNUP_HTTP_PORT: "0",
      // Each operator signs content in a name of its own: phones tell them apart by it.
      TURNUP_ISSUER_NAME: `${landId}.content`,
      TURNUP_PORTAL_CARE_PHONE: "+44 20 7946 0018",
      TURNUP_LOG_LEVEL: "trace",
      ...options.env,
    },
    folder,
  });
  const server = await startServer({
    config: {
      ...config,
      ...road.sandboxes.config,
      ...keptOf(config),
      smsc: { ...config.smsc, port: given.smscPort, password: new Secret(given.secret) },
    },
    log: (message) => given.logs.push(message),
    logStream: { write: (line) => given.logs.push(line) },
    land: {
      id: landId,
      host: "127.0.0.1",
      port: 0,
      certificates: road.certificates.land,
      proxies: [road.certificates.landProxy],
    },
    onFault: (name, error) => given.fault(`${landId} ${name}: ${String(error)}`),
  });
  const { operator, tokens } = await furnish(server.store.database, server.registry, landId, options);
  return { server, operator, database, ...speaker(server.url, tokens) };
}

/** An operator as its people have set it up: access points, an agreement, a policy, and a token for each role. */
export async function furnish(
  database: Database,
  registry: Server["registry"],
  slug: string,
  options: Pick<RoadStoryOptions, "orders" | "policy">,
): Promise<{ readonly operator: Operator; readonly tokens: ReadonlyMap<Role, string> }> {
  const operator = await ensureOperator(database, {
    id: uuidv7(),
    slug,
    name: slug === ROAD_WORLD.landId ? "Meridian" : "Partner",
    kind: "mvno",
    homePlmns: [`${WORLD.network.mcc}-${WORLD.network.mnc}`],
  });
  for (const point of accessPoints()) await registry.accessPoints.add(operator.id, point, "story");
  await registry.relations.put(operator.id, ownRelation(), () => true, "story");
  const policy = {
    ...DEFAULT_POLICY,
    ...options.orders,
    request: { ...DEFAULT_REQUEST_POLICY, ...options.policy },
  };
  await registry.policies.put(operator.id, 0, policy, "story");
  const tokens = new Map<Role, string>();
  for (const role of ROLES) {
    const token = tokenOf(randomBytes(32));
    tokens.set(role, token);
    await registry.tokens.create(
      operator.id,
      { id: uuidv7(), hash: hashToken(token), role, label: `story ${role}`, expiresAt: null },
      "story",
    );
  }
  return { operator, tokens };
}

/** The sandboxes' configuration is whole: what is of this server stays its own. */
const keptOf = ({
  data,
  database,
  http,
  smsc,
  issuer,
  land,
  proxy,
  portal,
  log,
}: ReturnType<typeof readConfig>["config"]) => ({
  data,
  database,
  http,
  smsc,
  issuer,
  land,
  proxy,
  portal,
  log,
});

export function speaker(
  url: string,
  tokens: ReadonlyMap<Role, string>,
): Pick<RoadParty, "token" | "call" | "get" | "story" | "storyUntil"> {
  const call: RoadParty["call"] = async (method, path, body, role = "admin", headers = {}) => {
    const response = await fetch(url + path, {
      method,
      headers: {
        authorization: `Bearer ${tokens.get(role)}`,
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, text, body: text.startsWith("{") ? JSON.parse(text) : null };
  };
  const get: RoadParty["get"] = async (path, role) => {
    const { status, text, body } = await call("GET", path, undefined, role);
    assert.equal(status, 200, `GET ${path}: ${text}`);
    return body;
  };
  const story = async ({ imsi }: Phone): Promise<Json> => {
    const { rows } = await get(`/v1/orders?imsi=${imsi}&limit=1`);
    return rows.length === 0 ? undefined : get(`/v1/orders/${rows[0].id}`);
  };
  return {
    token: (role) => tokens.get(role)!,
    call,
    get,
    story,
    storyUntil: (phone, wanted, what) =>
      until(
        () => story(phone),
        (found) => found !== undefined && wanted(found),
        what,
      ),
  };
}
