/** Slow and hostile clients on raw sockets: whatever one of them drips, it holds no connection beyond its limit. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { type AddressInfo, connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { connect as connectTls } from "node:tls";
import Fastify, { type FastifyInstance } from "fastify";
import { afterAll, beforeAll, test } from "vitest";
import {
  amongNetworks,
  CONNECTION_LIMITS,
  type ConnectionLimits,
  guardDoor,
  hostOf,
  refuseConnection,
  timeoutsOf,
} from "./connections.ts";

type Crowd = NonNullable<Parameters<typeof guardDoor>[2]>;

const HANDSHAKE_MS = 300;
const LIMITS: ConnectionLimits = {
  ...CONNECTION_LIMITS,
  requestMs: 400,
  answerMs: 1_500,
  idleMs: 1_000,
  keepAliveMs: 300,
};
/** Far beyond every limit above: a connection that is open then is open for ever. */
const PATIENCE_MS = 30_000;
const LARGE = "x".repeat(64 * 1_048_576);
const IS_READY = "GET /small HTTP/1.1\r\nHost: here\r\n\r\n";

const folder = mkdtempSync(join(tmpdir(), "turnup-connections-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const pair = { key: join(folder, "key.pem"), cert: join(folder, "cert.pem") };
const doors: { readonly name: string; readonly app: FastifyInstance; open(): Socket }[] = [];

function doorOf(limits: ConnectionLimits, tls: boolean, isCrowd?: Crowd): FastifyInstance {
  const { fastify, node } = timeoutsOf(limits);
  const secured = {
    key: readFileSync(pair.key),
    cert: readFileSync(pair.cert),
    handshakeTimeout: HANDSHAKE_MS,
    ...node,
  };
  const app = Fastify({
    ...fastify,
    ...(tls ? { https: secured } : { http: node }),
    clientErrorHandler: refuseConnection,
  } as never) as unknown as FastifyInstance;
  guardDoor(app, limits, isCrowd);
  app.get("/small", async () => "small");
  app.get("/large", async () => LARGE);
  app.post("/", async () => "taken");
  return app;
}

const portOf = (app: FastifyInstance): number => (app.server.address() as AddressInfo).port;
const openTo = (app: FastifyInstance): Socket => connect({ port: portOf(app), allowHalfOpen: true });

beforeAll(async () => {
  const words = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -days 2 -subj /CN=here".split(
    " ",
  );
  execFileSync("openssl", [...words, "-keyout", pair.key, "-out", pair.cert], { stdio: "ignore" });
  for (const tls of [false, true]) {
    const app = doorOf(LIMITS, tls);
    await app.listen({ port: 0 });
    doors.push({
      name: tls ? "https" : "http",
      app,
      open: () =>
        tls
          ? connectTls({ port: portOf(app), rejectUnauthorized: false, allowHalfOpen: true } as never)
          : openTo(app),
    });
  }
});
afterAll(async () => {
  for (const { app } of doors) {
    app.server.closeAllConnections();
    await app.close();
  }
});

/** How many connections the door itself still holds. */
const heldBy = (app: FastifyInstance): Promise<number> =>
  new Promise((resolve, reject) =>
    app.server.getConnections((error, count) => (error ? reject(error) : resolve(count))),
  );

async function untilNoneIsHeld(app: FastifyInstance): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  while ((await heldBy(app)) > 0) {
    if (performance.now() > deadline) {
      app.server.closeAllConnections();
      assert.fail("a connection is held");
    }
    await sleep(20);
  }
}

/** Never closes its half, and goes on until the door has cut it. */
async function drip(app: FastifyInstance, socket: Socket, text: string, everyMs = 50): Promise<string> {
  let heard = "";
  socket.on("error", () => undefined);
  socket.on("data", (chunk) => {
    heard += chunk.toString("latin1");
  });
  let at = 0;
  const timer = setInterval(() => {
    if (!socket.destroyed && socket.writable) socket.write(text[at++ % text.length] ?? " ");
  }, everyMs);
  const ended = Promise.race([once(socket, "end"), once(socket, "close")]).catch(() => undefined);
  await once(socket, "connect");
  await untilNoneIsHeld(app);
  await ended; // what the door said last may still be on its way
  clearInterval(timer);
  socket.destroy();
  return heard;
}

for (const at of [0, 1]) {
  const name = ["http", "https"][at];
  const door = () => doors[at] as (typeof doors)[number];

  test(`${name}: who says nothing is told that it took too long, and cut`, async () => {
    const { app, open } = door();
    assert.match(await drip(app, open(), " ", PATIENCE_MS), /^HTTP\/1\.1 408 /);
  });

  test(`${name}: who drips headers is cut, though he never ends`, async () => {
    const { app, open } = door();
    const socket = open();
    socket.write("GET /small HTTP/1.1\r\nHost: here\r\n");
    assert.match(await drip(app, socket, "X-a: b\r\n"), /^HTTP\/1\.1 408 /);
  });

  test(`${name}: who drips a body is cut`, async () => {
    const { app, open } = door();
    const socket = open();
    socket.write(
      "POST / HTTP/1.1\r\nHost: here\r\nContent-Type: text/plain\r\nContent-Length: 100000\r\n\r\n",
    );
    assert.match(await drip(app, socket, "b"), /^HTTP\/1\.1 408 /);
  });

  test(`${name}: what is no HTTP is refused and cut, though he keeps his half open`, async () => {
    const { app, open } = door();
    const socket = open();
    socket.write("not at all\r\n\r\n");
    assert.match(await drip(app, socket, " ", PATIENCE_MS), /^HTTP\/1\.1 400 /);
  });

  for (const [hosts, status] of [
    ["Host: here\r\n", "200"],
    ["Host: here\r\nhost: there\r\n", "400"],
    ["Host: here\r\nX-a: b\r\nHost: here\r\n", "400"],
    ["", "400"],
  ] as const)
    test(`${name}: a request with the lines "${hosts.replaceAll("\r\n", " ")}" is answered ${status} (RFC 9112 clause 3.2)`, async () => {
      const { app, open } = door();
      const socket = open();
      socket.write(`GET /small HTTP/1.1\r\n${hosts}\r\n`);
      assert.match(await drip(app, socket, " ", PATIENCE_MS), new RegExp(`^HTTP/1\\.1 ${status} `));
    });

  test(`${name}: a Host line that is no host with perhaps a port is answered 400 (RFC 9112 clause 3.2)`, async () => {
    const { open } = door();
    const answers = async (host: string): Promise<string> => {
      const socket = open();
      let heard = "";
      socket.on("data", (chunk) => {
        heard += chunk.toString("latin1");
      });
      socket.write(`GET /small HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
      await once(socket, "end");
      socket.end();
      return heard.slice(0, 12);
    };
    for (const host of ["here:8080", "[::1]:8080", "sms_1.example."])
      assert.equal(await answers(host), "HTTP/1.1 200", host);
    for (const host of [
      "here, there",
      "here,there",
      "user@here",
      "user:word@here",
      "",
      ":80",
      "here there",
      "here/there",
      "http://here",
      "here:80:81",
      "here:http",
      "::1",
      "here?x#y",
      "here\\there",
    ])
      assert.equal(await answers(host), "HTTP/1.1 400", host);
  });

  test(`${name}: who never reads his answer is cut`, async () => {
    const { app, open } = door();
    const accepted = once(app.server, "connection");
    const socket = open();
    socket.on("error", () => undefined);
    socket.pause();
    socket.write("GET /large HTTP/1.1\r\nHost: here\r\n\r\n");
    await accepted;
    await untilNoneIsHeld(app);
    socket.destroy();
  });

  test(`${name}: who reads his answer a drop at a time is cut`, async () => {
    const { app, open } = door();
    const accepted = once(app.server, "connection");
    const socket = open();
    socket.on("error", () => undefined);
    socket.write("GET /large HTTP/1.1\r\nHost: here\r\n\r\n");
    const timer = setInterval(() => socket.read(1_024), 50);
    await accepted;
    await untilNoneIsHeld(app);
    clearInterval(timer);
    socket.destroy();
  });

  test(`${name}: who reads on and on, but slowly, is cut when the answer has had its time`, async () => {
    const { app, open } = door();
    const accepted = once(app.server, "connection");
    const socket = open();
    let read = 0;
    socket.on("error", () => undefined);
    socket.write("GET /large HTTP/1.1\r\nHost: here\r\n\r\n");
    const timer = setInterval(() => {
      read += (socket.read() as Buffer | null)?.length ?? 0; // tens of kilobytes: never idle, and not done in many seconds
    }, 20);
    await accepted;
    await untilNoneIsHeld(app);
    clearInterval(timer);
    socket.destroy();
    assert.ok(read > 0 && read < LARGE.length, `${read} octets`);
  });

  test(`${name}: who asks no more is let go, and who is quick is answered again and again`, async () => {
    const { app, open } = door();
    const socket = open();
    let heard = "";
    socket.on("data", (chunk) => {
      heard += chunk.toString("latin1");
    });
    for (let asked = 1; asked <= 5; asked++) {
      socket.write(IS_READY);
      const deadline = performance.now() + PATIENCE_MS;
      while (heard.split("small").length <= asked) {
        assert.ok(performance.now() < deadline, `no answer to request ${asked}`);
        await sleep(5);
      }
    }
    await untilNoneIsHeld(app);
    socket.destroy();
  });
}

test("a handshake that is dripped ends", async () => {
  const { app } = doors[1] as (typeof doors)[number];
  // A TLS record that says it has 512 octets, one at a time.
  const socket = openTo(app);
  socket.write(Buffer.from([22, 3, 1, 2, 0]));
  await drip(app, socket, "\u0001");
});

test("one address has no more connections than its limit, and gets new ones as old ones end", async () => {
  const app = doorOf({ ...CONNECTION_LIMITS, perAddress: 2 }, false);
  await app.listen({ port: 0, host: "127.0.0.1" });
  const ask = async (): Promise<{ socket: Socket; answered: boolean }> => {
    const socket = connect({ port: portOf(app), host: "127.0.0.1" });
    socket.on("error", () => undefined);
    socket.write(IS_READY);
    const [first] = await Promise.race([once(socket, "data"), once(socket, "close")]);
    return { socket, answered: Buffer.isBuffer(first) };
  };
  const [one, two, three] = [await ask(), await ask(), await ask()];
  assert.deepEqual([one.answered, two.answered, three.answered], [true, true, false]);
  one.socket.destroy();
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    const { socket, answered } = await ask();
    socket.destroy();
    if (answered) break;
    assert.ok(performance.now() < deadline);
  }
  two.socket.destroy();
  await app.close();
});

test("the address of a proxy in front stands for many and is not counted", async () => {
  const app = doorOf({ ...CONNECTION_LIMITS, perAddress: 1 }, false, amongNetworks(["127.0.0.0/8", "::1"]));
  await app.listen({ port: 0, host: "127.0.0.1" });
  const answers = await Promise.all(
    [1, 2, 3].map(async () => {
      const socket = connect({ port: portOf(app), host: "127.0.0.1" });
      socket.write(IS_READY);
      const [chunk] = await once(socket, "data");
      return { socket, text: String(chunk) };
    }),
  );
  for (const { socket, text } of answers) {
    assert.match(text, /^HTTP\/1\.1 200 /);
    socket.destroy();
  }
  await app.close();
});

test("networks and addresses are told apart, in IPv6's clothes too", () => {
  const isProxy = amongNetworks(["10.0.0.0/8", "192.0.2.7", "2001:db8::/32"]);
  for (const address of ["10.1.2.3", "::ffff:10.1.2.3", "192.0.2.7", "2001:db8::1"])
    assert.ok(isProxy(address), address);
  for (const address of ["11.0.0.1", "192.0.2.8", "::ffff:11.0.0.1", "2001:db9::1"])
    assert.ok(!isProxy(address), address);
});

test("all addresses of an IPv6 network of 64 bits are one host's; IPv4 is itself, in whichever clothes", () => {
  for (const [address, host] of [
    ["192.0.2.7", "192.0.2.7"],
    ["::ffff:192.0.2.7", "192.0.2.7"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
    ["2001:db8:1:2::1", "2001:db8:1:2::/64"],
    ["2001:0DB8:0001:0002:ffff::", "2001:db8:1:2::/64"],
    ["2001:db8:1::2:3", "2001:db8:1:0::/64"],
    ["2001:db8::1", "2001:db8:0:0::/64"],
    ["64:ff9b::192.0.2.7", "64:ff9b:0:0::/64"],
    ["fe80::1%eth0", "fe80:0:0:0::/64"],
    ["::1", "0:0:0:0::/64"],
    ["unknown", "unknown"],
  ] as const)
    assert.equal(hostOf(address), host, address);
});

test("every door of ours limits its connections", () => {
  const all = readdirSync(import.meta.dirname, { recursive: true })
    .map(String)
    .filter((file) => file.endsWith(".ts") && !file.endsWith(".test.ts"))
    .map((file) => ({ file, text: readFileSync(join(import.meta.dirname, file), "utf8") }));
  const sources = all.filter(({ text }) => /\b[Ff]astify(OverTls)?\(\{/.test(text));
  const byCertificate = all.filter(({ text }) => /= openCertifiedDoor\(\{/.test(text)); // which is among the sources
  assert.ok(sources.some(({ file }) => file === "certified-door.ts"));
  assert.equal(byCertificate.length, 3, "proxies, manufacturers' clients, service servers' clients");
  assert.ok(sources.length >= 4);
  for (const { file, text } of sources) {
    assert.match(text, /guardDoor\(/, file);
    assert.match(text, /\bfastifyOptions\b|\.fastify\b/, file);
    assert.match(text, /refuseConnection|fastifyOptions/, file);
    assert.match(text, /\.node\b|nodeTimeouts|airTls/, file);
  }
});
