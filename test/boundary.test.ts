/**
 * Holds the floors of ARCHITECTURE.md: reads every import under src/ and refuses the forbidden ones.
 * A pillar (kernel, device, proxy, service, maker) decides and does not act, so it may not see a socket,
 * a file, SQL, the wall clock or randomness either.
 */
import assert from "node:assert/strict";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { test } from "vitest";
import { copiedBlocks } from "./fixture/copies.ts";

const ROOT = resolve(import.meta.dirname, "..");
const SRC = join(ROOT, "src");

const PILLARS = ["kernel", "device", "proxy", "service", "maker"];
const DOORS = ["http", "net", "store", "sim"];
/** The client module with its way to the proxy, as makers get it: it knows nothing but the device's own room and the codecs. */
const CLIENT = "client";
const ROOMS = ["term", "wire", ...PILLARS, ...DOORS, CLIENT, "app"];
/** Rooms with rooms inside: each of their files stands in one of these. A new one gets its line in ARCHITECTURE.md too. */
const ROOMS_INSIDE: Readonly<Record<string, readonly string[]>> = {
  app: ["certificates", "command", "config", "demo", "party", "release", "server", "terminal"],
  store: [
    ...["database", "dataset", "embedded", "equipment", "events", "jobs", "journal", "migrations", "node"],
    ...["operator", "orders", "requests", "retention", "seal", "settlement", "sightings"],
  ],
  kernel: [
    ...[
      "account",
      "billing",
      "calls",
      "catalog",
      "conductor",
      "consent",
      "delivery",
      "detected",
      "detection",
      "devices",
      "dialog",
      "equipment",
      "events",
      "exposure",
    ],
    ...[
      "fulfilment",
      "jobs",
      "keys",
      "management",
      "notices",
      "operator",
      "order",
      "payload",
      "proof",
      "registration",
      "requested",
      "settings",
      "settlement",
      "support",
    ],
  ],
};
/** Lines that two doors may share before one of them has copied the other. */
const COPY_LINES = 10;
/** node: modules that only compute. */
const PURE_NODE = ["node:crypto", "node:assert", "node:assert/strict", "node:buffer", "node:util"];
/**
 * Inside kernel/: who may read whom. Below are rules about facts; above them the operator's word, the record of an order, what moves
 * it, the two flows that are strangers to each other (`detected`, `requested`), and the conductor, which knows them all.
 */
const KERNEL_MAY_READ: Readonly<Record<string, readonly string[]>> = {
  catalog: ["devices"],
  detection: ["devices"],
  equipment: ["account", "detection"],
  support: ["devices"],
  keys: ["devices"],
  settings: ["devices", "payload"],
  payload: ["devices"],
  management: ["payload"],
  registration: ["account", "catalog"],
  settlement: ["account"],
  jobs: ["account"],
  events: ["order"],
  consent: ["catalog"],
  operator: ["catalog", "payload", "registration", "settings", "support"],
  order: ["operator", "account", "catalog", "registration", "settlement", "support"],
  calls: ["order", "operator", "catalog", "settlement"],
  delivery: ["order", "operator", "payload", "management", "devices"],
  notices: ["order", "operator", "delivery", "catalog", "consent", "payload"],
  billing: ["order", "calls", "account", "settlement"],
  proof: ["order", "operator", "delivery", "detection", "management", "settlement", "support"],
  detected: ["order", "operator", "calls", "delivery", "proof", "keys", "payload", "settlement", "support"],
  fulfilment: [
    ...["order", "operator", "calls", "delivery", "notices", "billing"],
    ...["account", "catalog", "consent"],
  ],
  requested: [
    ...["order", "operator", "calls", "delivery", "notices", "billing", "fulfilment"],
    ...["account", "catalog", "consent", "payload", "registration"],
  ],
  dialog: ["order", "operator", "account", "catalog"],
};
const CONDUCTOR = "conductor";
/** What all rooms of the kernel may read of `wire`: what our own parties say to each other, and the shape of a screen. */
const isPlainWire = (to: string): boolean => to.startsWith("wire/message/") || to === "wire/screen/screen.ts";
/** The rooms of the kernel that turn words into bytes: what is sent, and what is said in a session with a device. */
const KERNEL_ROOMS_WITH_WIRE: readonly string[] = ["payload", "management"];
const WALL_CLOCK_AND_CHANCE =
  /\bDate\.now\(|\bnew Date\(\)|\bMath\.random\(|(?<![.\w])randomBytes\(|\brandomUUID\(|\bperformance\.now\(|\bsetTimeout\(|\bsetInterval\(|\bprocess\./;

type Import = { readonly from: string; readonly to: string; readonly line: number };

function sources(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    if (statSync(path).isDirectory()) return sources(path);
    return name.endsWith(".ts") && !name.endsWith(".test.ts") ? [path] : [];
  });
}

function importsOf(path: string): Import[] {
  const found: Import[] = [];
  const text = readFileSync(path, "utf8");
  for (const match of text.matchAll(/(?:\bfrom\s*|\bimport\s*\(\s*|^\s*import\s+)["']([^"'\s]+)["']/gm)) {
    const target = match[1] as string;
    const to = target.startsWith(".") ? relative(SRC, resolve(dirname(path), target)) : target;
    found.push({ from: relative(SRC, path), to, line: text.slice(0, match.index).split("\n").length });
  }
  return found;
}

const roomOf = (path: string): string => path.split("/")[0] ?? "";
const isInside = (target: string): boolean => ROOMS.includes(roomOf(target)) && target.endsWith(".ts");

/** Why this import is forbidden, or undefined. Exported rules read from the table in ARCHITECTURE.md. */
function refusalOf({ from, to }: Import): string | undefined {
  const room = roomOf(from);
  const target = roomOf(to);
  const inside = isInside(to);
  // The release build uses the very bundler that a checkout starts with.
  if (to.startsWith("..")) {
    return from === "app/release/build.ts" && to === "../bin/bundle.js"
      ? undefined
      : "src may not reach outside src";
  }
  if (room === "term" && (!inside || target !== "term")) {
    return to.startsWith("libphonenumber-js/") || to === "any-ascii" ? undefined : "words depend on nothing";
  }
  if (room === "wire" && !(inside ? ["wire", "term"].includes(target) : PURE_NODE.includes(to))) {
    return "a codec can be lifted into any project";
  }
  if (PILLARS.includes(room)) {
    if (!inside && !PURE_NODE.includes(to)) return "decisions need no socket, file or library with one";
    if (inside && ![room, "term", "wire"].includes(target))
      return "a pillar meets another only in wire/message";
  }
  if (room === "kernel" && inside) {
    const [, fromRoom = ""] = from.split("/");
    const [, toRoom = ""] = to.split("/");
    if (target === "wire" && !KERNEL_ROOMS_WITH_WIRE.includes(fromRoom) && !isPlainWire(to)) {
      return "payload and management alone touch wire";
    }
    const isSideways = target === "kernel" && fromRoom !== toRoom && fromRoom !== CONDUCTOR;
    if (isSideways && !KERNEL_MAY_READ[fromRoom]?.includes(toRoom))
      return "inside kernel/ this room is closed to it";
  }
  if (["http", "net", "store"].includes(room) && inside && DOORS.includes(target) && target !== room) {
    return "doors open inward, not into each other";
  }
  if (room === CLIENT && inside && ![CLIENT, "device", "term", "wire"].includes(target))
    return "what makers build in is lifted out without a server";
  if (target === CLIENT && inside && ![CLIENT, "sim"].includes(room))
    return "a server runs no client; simulated phones do";
  if (inside && target === "app" && room !== "app") return "the roof carries nothing";
  if (inside && target === "sim" && !["sim", "app"].includes(room))
    return "only the roof stands on simulators";
  return undefined;
}

const ALL = sources(SRC);

const insideOf = (path: string): readonly string[] =>
  importsOf(path).flatMap(({ to }) => (isInside(to) ? [to] : []));

/** Files that reach themselves, circle by circle: those that reach each other are one. */
function circlesOf(graph: ReadonlyMap<string, readonly string[]>): string[] {
  const reachedFrom = (start: string): Set<string> => {
    const reached = new Set<string>();
    const open = [...(graph.get(start) ?? [])];
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      if (reached.has(at)) continue;
      reached.add(at);
      open.push(...(graph.get(at) ?? []));
    }
    return reached;
  };
  const reach = new Map([...graph.keys()].map((file) => [file, reachedFrom(file)]));
  const circles = [...graph.keys()].flatMap((file) => {
    const own = reach.get(file);
    if (!own?.has(file)) return [];
    return [
      [...own]
        .filter((other) => reach.get(other)?.has(file))
        .sort()
        .join(" "),
    ];
  });
  return [...new Set(circles)];
}

/** Of a file under web/src: whether what it imports stands elsewhere in the checkout, or in Node. */
function isOutsideConsole(name: string, target: string): boolean {
  if (!target.startsWith(".")) return target.startsWith("node:");
  return relative(".", join(dirname(name), target)).startsWith("..");
}

test("there are sources to guard, and each stands in a known room", () => {
  assert.ok(ALL.length > 0);
  for (const path of ALL)
    assert.ok(ROOMS.includes(roomOf(relative(SRC, path))), `${path} stands in no known room`);
});

test("each file of app, store and kernel stands in a room inside, named here and in ARCHITECTURE.md", () => {
  const loose = ALL.map((path) => relative(SRC, path)).filter((name) => {
    const [room = "", inside = "", ...rest] = name.split("/");
    const rooms = ROOMS_INSIDE[room];
    return rooms !== undefined && !(rooms.includes(inside) && rest.length > 0);
  });
  assert.deepEqual(loose, []);
  const plan = readFileSync(join(ROOT, "ARCHITECTURE.md"), "utf8");
  const untold = Object.values(ROOMS_INSIDE)
    .flat()
    .filter((room) => !new RegExp(`\\b${room}\\b`).test(plan));
  assert.deepEqual(untold, [], "ARCHITECTURE.md does not name it");
});

test("the record of an order does not look at who opened it: it asks its flow", () => {
  const looks = ALL.flatMap((path) => {
    const name = relative(SRC, path);
    // `turn.ts` says which order is of a request, for all others.
    if (!name.startsWith("kernel/order/") || name === "kernel/order/turn.ts") return [];
    const text = readFileSync(path, "utf8");
    return /\border\.request\b|\bitem\.subject\b|\bisOfRequest\(/.test(text) ? [name] : [];
  });
  assert.deepEqual(looks, []);
});

test("no block of ten lines stands in two doors", () => {
  const doors = ALL.flatMap((path) => {
    const name = relative(SRC, path);
    return ["http", "net"].includes(roomOf(name)) ? [{ path: name, text: readFileSync(path, "utf8") }] : [];
  });
  assert.deepEqual(copiedBlocks(doors, COPY_LINES), []);
});

test("a copied block is found whatever its indent, comments and imports, and told once", () => {
  const block = ["const a = 1;", "const b = 2;", "if (a) {", "  call(b);", "}"];
  const doors = [
    { path: "http/one/a.ts", text: ["import x from 'y';", ...block, "one();"].join("\n") },
    {
      path: "http/two/b.ts",
      text: ["two();", "// why", ...block.map((line) => `  ${line} // so`)].join("\n"),
    },
    { path: "http/one/c.ts", text: block.slice(0, 3).join("\n") },
  ];
  assert.deepEqual(copiedBlocks(doors, 4), ["http/one/a.ts:2 ~ http/two/b.ts:3"]);
  assert.deepEqual(copiedBlocks(doors.slice(1, 2), 4), []);
});

test("no import crosses a floor or a wall that ARCHITECTURE.md closes", () => {
  const refused = ALL.flatMap(importsOf).flatMap((found) => {
    const why = refusalOf(found);
    return why ? [`src/${found.from}:${found.line} imports ${found.to}: ${why}`] : [];
  });
  assert.deepEqual(refused, []);
});

test("the console knows the API's description and nothing else of the server: it imports nothing outside web/, and no part of Node", () => {
  const web = join(ROOT, "web", "src");
  const files = readdirSync(web, { recursive: true, encoding: "utf8" }).filter((name) =>
    /\.tsx?$/.test(name),
  );
  assert.ok(files.length > 20);
  const refused = files.flatMap((name) => {
    const text = readFileSync(join(web, name), "utf8");
    const targets = [...text.matchAll(/(?:\bfrom\s*|\bimport\s*\(?\s*)["']([^"'\s]+)["']/g)].map(
      ([, target = ""]) => target,
    );
    return targets.filter((target) => isOutsideConsole(name, target)).map((target) => `${name}: ${target}`);
  });
  assert.deepEqual(refused, []);
  for (const [name, target] of [
    ["pages/order.tsx", "../../../src/kernel/order/order.ts"],
    ["main.tsx", "../vite.config.ts"],
    ["search.ts", "node:path"],
  ] as const)
    assert.ok(isOutsideConsole(name, target), target);
});

test("no files import each other in a circle, types included", () => {
  assert.deepEqual(circlesOf(new Map(ALL.map((path) => [relative(SRC, path), insideOf(path)]))), []);
});

test("a circle is found, wherever it begins", () => {
  const graph = new Map([
    ["a.ts", ["b.ts"]],
    ["b.ts", ["c.ts", "d.ts"]],
    ["c.ts", ["b.ts"]],
    ["d.ts", []],
  ]);
  assert.deepEqual(circlesOf(graph), ["b.ts c.ts"]);
});

test("pillars and codecs see no wall clock, no chance and no process", () => {
  const refused = ALL.flatMap((path) => {
    const name = relative(SRC, path);
    if (![...PILLARS, "wire", "term"].includes(roomOf(name))) return [];
    return readFileSync(path, "utf8")
      .split("\n")
      .flatMap((line, at) =>
        WALL_CLOCK_AND_CHANCE.test(line.replace(/\/\/.*|^\s*\*.*/, ""))
          ? [`src/${name}:${at + 1} ${line.trim()}`]
          : [],
      );
  });
  assert.deepEqual(refused, []);
});

test("the guard refuses what it should", () => {
  const forbidden: [string, string][] = [
    ["wire/smpp/pdu.ts", "kernel/order/order.ts"],
    ["wire/smpp/pdu.ts", "node:net"],
    ["term/imei.ts", "wire/smpp/pdu.ts"],
    ["kernel/order/order.ts", "maker/key-server.ts"],
    ["kernel/order/order.ts", "store/orders/order-store.ts"],
    ["kernel/keys/keys.ts", "kernel/settlement/fee.ts"],
    ["kernel/detected/open-order.ts", "kernel/requested/begin.ts"],
    ["kernel/requested/begin.ts", "kernel/detected/open-order.ts"],
    ["kernel/order/ending.ts", "kernel/delivery/send.ts"],
    ["kernel/proof/proof.ts", "kernel/conductor/conductor.ts"],
    ["kernel/operator/policy.ts", "kernel/order/order.ts"],
    ["kernel/notices/notices.ts", "kernel/fulfilment/settle.ts"],
    ["kernel/billing/billing.ts", "kernel/fulfilment/settle.ts"],
    ["kernel/order/order.ts", "wire/wbxml/decode.ts"],
    ["device/client.ts", "node:net"],
    ["http/server.ts", "store/orders/order-store.ts"],
    ["net/smsc/esme.ts", "sim/smsc.ts"],
    ["store/orders.ts", "app/config/config.ts"],
  ];
  for (const [from, to] of forbidden)
    assert.ok(refusalOf({ from, to, line: 1 }), `${from} -> ${to} must be refused`);
});
