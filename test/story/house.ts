/**
 * The house that stories happen in: the real server on a database of the test file's own, and the simulated world in
 * the same process, over real sockets. A story speaks to the server as an operator's systems do, by HTTP, and steers
 * the world's parties as chance would. Each story takes an operator of its own, so that none sees another's orders.
 */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { KEY_SERVER_MAKES } from "../../src/app/all-in-one.ts";
import { readConfig } from "../../src/app/config.ts";
import { accessPoints, makerRelation, ownRelation } from "../../src/app/demo.ts";
import { fleetModels } from "../../src/app/fleet-models.ts";
import { type MakerCredentials, type Server, type ServerOptions, startServer } from "../../src/app/server.ts";
import { startWorld, WORLD, type World, type WorldOptions } from "../../src/app/world.ts";
import type { Role } from "../../src/kernel/account/role.ts";
import { hashToken, tokenOf } from "../../src/kernel/account/token.ts";
import { DeviceCatalog } from "../../src/kernel/devices/catalog.ts";
import type { Relation } from "../../src/kernel/order/order-store.ts";
import { DEFAULT_POLICY, type OrderPolicy } from "../../src/kernel/order/policy.ts";
import type { AccessPoint } from "../../src/kernel/settings/access-point.ts";
import type { FleetEvent, PhoneStatus } from "../../src/sim/handset/fleet.ts";
import type { HandsetModel } from "../../src/sim/handset/phones.ts";
import type { AcceptedMessage } from "../../src/sim/smsc/smsc.ts";
import type { Database } from "../../src/store/database.ts";
import { readShippedDatasets } from "../../src/store/dataset/devices.ts";
import { ensureOperator, type Operator } from "../../src/store/operators.ts";
import { uuidv7 } from "../../src/store/uuid.ts";
import { Secret } from "../../src/term/secret.ts";
import { freshDatabaseConfig } from "../database.ts";
import { whenDone } from "../when-done.ts";

const PHONES = 1_000;
/** A story's step takes milliseconds; one that has not come by now never will. */
const PATIENCE_MS = 20_000;
const POLL_MS = 15;
/** So much time passes in so little, where a story waits for retries. */
const FAST_MS = 10_000;
const FAST_EVERY_MS = 200;

export type StoryOptions = {
  readonly seed?: number;
  readonly env?: Readonly<Record<string, string>>;
  readonly world?: Partial<
    Pick<WorldOptions, "faults" | "radio" | "user" | "bankFaults" | "smscRetryMs" | "keyServerMakes">
  >;
  /** Another certificate than the one that the maker gave us. */
  readonly makerCredentials?: (world: World, folder: string) => Promise<MakerCredentials>;
  /** Beside the fleet's forty models. */
  readonly models?: readonly HandsetModel[];
};

export type StoryHouse = {
  readonly server: Server;
  readonly world: World;
  readonly database: Database;
  /** Every message that the centre took, in order. */
  readonly accepted: readonly AcceptedMessage[];
  /** What phones did, in order. */
  readonly events: readonly FleetEvent[];
  readonly faults: readonly string[];
  /** A phone of this model that no story has had yet, switched off. */
  phone(model: string): StoryPhone;
  /** A tenant of its own, with the world's access points and what the demonstration agreed with makers. */
  operator(options?: OperatorOptions): Promise<StoryOperator>;
  /** One more server on the same database, as on another machine. */
  another(): Promise<Server>;
  /** Lets time pass for everything that waits: due times, deadlines, expiry. */
  timePasses(ms: number): Promise<void>;
  /** Lets time pass, a little at a time, until this is so: for what is tried again later and later. */
  whileTimePasses<T>(ask: () => Promise<T>): Promise<T>;
};

export type StoryPhone = {
  readonly index: number;
  readonly spec: PhoneStatus["spec"];
  status(): PhoneStatus;
  /** Switches it on. */
  attach(): Promise<void>;
  did(kind: FleetEvent["kind"]): readonly FleetEvent[];
};

export type OperatorOptions = {
  readonly policy?: Partial<OrderPolicy>;
  readonly relations?: readonly (Partial<Relation> & { readonly make: string })[];
  readonly accessPoints?: readonly AccessPoint[];
  readonly homePlmns?: readonly string[];
  readonly kind?: Operator["kind"];
};

/** JSON as it came: a story asserts what it looks at. */
// biome-ignore lint/suspicious/noExplicitAny: answers are compared with literals, field by field
type Json = any;
export type Answer = { readonly status: number; readonly body: Json; readonly text: string };

export type StoryOperator = Operator & {
  get(path: string, role?: Role): Promise<Json>;
  call(method: string, path: string, body?: unknown, role?: Role, headers?: object): Promise<Answer>;
  /** Reports one sighting and answers its result. */
  sight(sighting: object): Promise<Json>;
  /** The newest order of this phone's SIM, whole. */
  story(phone: StoryPhone): Promise<Json>;
  /** Waits until the phone's newest order is so, and tells it. */
  storyUntil(phone: StoryPhone, wanted: (story: Json) => boolean, what: string): Promise<Json>;
  /** Waits until the phone's newest order has ended, which must be in this state. */
  ended(phone: StoryPhone, state?: string): Promise<Json>;
  /** The same, and all receipts are in and every other company was told and paid. */
  settled(phone: StoryPhone, state?: string): Promise<Json>;
};

export async function storyHouse(options: StoryOptions = {}): Promise<StoryHouse> {
  const { database, url } = await freshDatabaseConfig();
  const folder = mkdtempSync(join(tmpdir(), "turnup-story-"));
  const secret = randomBytes(8).toString("hex");
  const accepted: AcceptedMessage[] = [];
  const events: FleetEvent[] = [];
  const faults: string[] = [];
  const fault = (error: unknown): void => void faults.push(String(error));
  const world = await startWorld(
    {
      keyServerMakes: KEY_SERVER_MAKES,
      ...options.world,
      folder: join(folder, "world"),
      phones: PHONES,
      seed: options.seed ?? 1,
      models: [...fleetModels(new DeviceCatalog(readShippedDatasets())), ...(options.models ?? [])],
      smscPassword: secret.slice(0, 8),
      bankSecret: secret,
      onAccepted: (message) => accepted.push(message),
    },
    (event) => events.push({ ...event, phone: { ...event.phone } }),
    fault,
  );
  const { config } = readConfig({
    env: {
      DATABASE_URL: url,
      TURNUP_DATA_FOLDER: join(folder, "data"),
      TURNUP_HTTP_PORT: "0",
      ...options.env,
    },
    folder,
  });
  const { smscPort, bankUrl, maker } = world.addresses;
  const serverOptions: ServerOptions = {
    config: {
      ...config,
      smsc: { ...config.smsc, port: smscPort, password: new Secret(secret.slice(0, 8)) },
      bank: { ...config.bank, url: bankUrl, secret: new Secret(secret) },
    },
    log: () => undefined,
    makerCredentials: (await options.makerCredentials?.(world, folder)) ?? maker,
    onFault: (name, error) => fault(`${name}: ${String(error)}`),
  };
  const server = await startServer(serverOptions);
  const others: Server[] = [];
  whenDone(async () => {
    await world.close();
    for (const one of [...others, server]) await one.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const taken = new Set<number>();
  return {
    server,
    world,
    database,
    accepted,
    events,
    faults,
    phone: (model) => takePhone(world, events, taken, model),
    operator: (more = {}) => makeOperator(server, world, more),
    async another() {
      const one = await startServer(serverOptions);
      others.push(one);
      return one;
    },
    async timePasses(ms) {
      await passTime(database, ms);
      await server.engine.conductor.expire(500);
    },
    async whileTimePasses(ask) {
      let done = false;
      const passing = (async () => {
        while (!done) {
          await sleep(FAST_EVERY_MS);
          await passTime(database, FAST_MS);
        }
      })();
      try {
        return await ask();
      } finally {
        done = true;
        await passing;
      }
    },
  };
}

function takePhone(
  world: World,
  events: readonly FleetEvent[],
  taken: Set<number>,
  model: string,
): StoryPhone {
  const { fleet } = world.parties;
  const index = fleet.phones().findIndex(({ spec }, at) => spec.model === model && !taken.has(at));
  assert.ok(index >= 0, `no phone of model ${model} is left`);
  taken.add(index);
  const status = (): PhoneStatus => fleet.phones()[index]!;
  const { spec } = status();
  return {
    index,
    spec,
    status,
    attach: () => fleet.attach(index),
    did: (kind) => events.filter((event) => event.kind === kind && event.phone.spec.imei === spec.imei),
  };
}

async function makeOperator(server: Server, world: World, options: OperatorOptions): Promise<StoryOperator> {
  const { registry, store, issuer } = server;
  const slug = `story-${randomBytes(4).toString("hex")}`;
  const home = `${WORLD.network.mcc}-${WORLD.network.mnc}`;
  const { policy, relations = [], homePlmns = [home], kind = "mvno" } = options;
  const operator = await ensureOperator(store.database, {
    id: uuidv7(),
    slug,
    name: "Meridian",
    kind,
    homePlmns,
  });
  for (const point of options.accessPoints ?? accessPoints())
    await registry.accessPoints.add(operator.id, point, "story");
  const agreed = new Map<string, Relation>([
    ...KEY_SERVER_MAKES.map((make) => [make, makerRelation(make, world.addresses)] as const),
    ["*", ownRelation()],
  ]);
  for (const change of relations)
    agreed.set(change.make, { ...(agreed.get(change.make) ?? ownRelation()), ...change });
  for (const relation of agreed.values())
    await registry.relations.put(operator.id, relation, () => true, "story");
  if (policy) await registry.policies.put(operator.id, 0, { ...DEFAULT_POLICY, ...policy }, "story");
  const tokens = new Map<Role, string>();
  for (const role of ["admin", "probe", "maker", "care", "engineer"] as const) {
    const token = tokenOf(randomBytes(32));
    tokens.set(role, token);
    await registry.tokens.create(
      operator.id,
      { id: uuidv7(), hash: hashToken(token), role, label: `${slug} ${role}`, expiresAt: null },
      "story",
    );
  }
  world.connect({
    url: server.url,
    probeToken: tokens.get("probe")!,
    makerToken: tokens.get("maker")!,
    trusted: [{ name: issuer.name, spki: issuer.spki }],
  });
  return { ...operator, ...speaker(server.url, tokens) };
}

function speaker(url: string, tokens: ReadonlyMap<Role, string>): Omit<StoryOperator, keyof Operator> {
  const call: StoryOperator["call"] = async (method, path, body, role = "admin", headers = {}) => {
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
  const get: StoryOperator["get"] = async (path, role) => {
    const { status, text, body } = await call("GET", path, undefined, role);
    assert.equal(status, 200, `GET ${path}: ${text}`);
    return body;
  };
  const newest = async (phone: StoryPhone): Promise<Json> => {
    const { rows } = await get(`/v1/orders?imsi=${phone.status().spec.imsi}&limit=1`);
    return rows.length === 0 ? undefined : get(`/v1/orders/${rows[0].id}`);
  };
  const storyUntil: StoryOperator["storyUntil"] = (phone, wanted, what) =>
    until(
      () => newest(phone),
      (story) => story !== undefined && wanted(story),
      `${phone.spec.make} ${phone.spec.model}: ${what}`,
    );
  return {
    call,
    get,
    async sight(sighting) {
      const { status, body, text } = await call("POST", "/v1/sightings", sighting, "probe");
      assert.equal(status, 200, text);
      return body.results[0];
    },
    story: newest,
    storyUntil,
    async ended(phone, state = "completed") {
      const story = await storyUntil(phone, ({ endedAt }) => endedAt !== null, `the order is ${state}`);
      assert.equal(story.state, state, briefly(story));
      return story;
    },
    async settled(phone, state = "completed") {
      const story = await storyUntil(phone, isSettled, "nothing of the order is under way any more");
      assert.equal(story.state, state, briefly(story));
      return story;
    },
  };
}

/** Asks again and again until the answer is as wanted; an answer that never comes fails with the last one. */
export async function until<T>(
  ask: () => T | Promise<T>,
  wanted: (value: T) => boolean,
  what: string,
): Promise<T> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    const value = await ask();
    if (wanted(value)) return value;
    if (performance.now() > deadline)
      assert.fail(`it never came about that ${what}; at last: ${briefly(value)}`);
    await sleep(POLL_MS);
  }
}

/** Enough of a story to see why it stands where it stands. */
export function briefly(value: Json): string {
  if (!value?.items) return JSON.stringify(value)?.slice(0, 1_000) ?? "nothing";
  const { state, reason, items, events, calls } = value;
  return JSON.stringify(
    {
      state,
      reason,
      items: items.map((item: Json) => [item.kind, item.state, item.cause, item.reason]),
      events: events.map((event: Json) => `${event.kind}: ${event.reason}`),
      calls: calls.map((call: Json) => [call.kind, call.state, call.reason]),
    },
    null,
    1,
  );
}

const isSettled = ({ endedAt, calls, messages }: Json): boolean =>
  endedAt !== null &&
  calls.every(({ dueAt }: Json) => dueAt === null) &&
  messages.every(({ state }: Json) => !["queued", "submitting", "submitted"].includes(state));

export const itemOf = (story: Json, kind: "key" | "settings"): Json =>
  story.items.find((item: Json) => item.kind === kind);
export const kindsOf = (story: Json): string[] => story.events.map(({ kind }: Json) => kind);

/** What waits, by table: the columns that hold a time to come. What somebody is at work on is left alone. */
const WAITING = {
  provisioning_order: { columns: ["due_at", "deadline_at"], waits: "ended_at is null" },
  order_item: { columns: ["deadline_at"], waits: "deadline_at is not null" },
  message: { columns: ["due_at", "expires_at"], waits: "lease_until is null" },
  outbound_call: { columns: ["due_at", "deadline_at"], waits: "lease_until is null" },
  link: { columns: ["expires_at"], waits: "true" },
  offer: { columns: ["expires_at"], waits: "true" },
} as const;

/** @param held what becomes of rows that somebody is at work on: their time stands still, or they are waited for */
export async function passTime(
  database: Database,
  ms: number,
  held: "left alone" | "waited for" = "left alone",
): Promise<void> {
  const locking = held === "left alone" ? "for update skip locked" : "for update";
  await database.transaction(async (tx) => {
    for (const [table, { columns, waits }] of Object.entries(WAITING)) {
      const set = columns.map((column) => `${column} = ${column} - $1 * interval '1 ms'`).join(", ");
      const rows = `select id from ${table} where ${waits} ${locking}`;
      await tx.run(`update ${table} set ${set} where id in (${rows})`, [ms]);
    }
    await tx.run("update request set next_notice_at = next_notice_at - $1 * interval '1 ms'", [ms]);
  });
}
