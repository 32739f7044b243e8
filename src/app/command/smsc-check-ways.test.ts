/** The ways to a message centre that `turnup smsc check` takes: by TLS, by one of several entries, to one that takes no second bind. */
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer as createTcpServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer } from "node:tls";
import { test } from "vitest";
import { runWith } from "../../../test/fixture/cli-io.ts";
import { whenDone } from "../../../test/fixture/when-done.ts";
import { createSmscSimulator } from "../../sim/smsc/smsc.ts";
import { portOf } from "../../sim/web/listen.ts";
import { composeCertificate, pemOf } from "../../wire/x509/certificate.ts";
import { smscCheckCommand } from "./smsc-check.ts";

const SECRET = "s3cr3t-1";
const folder = mkdtempSync(join(tmpdir(), "turnup-check-"));
whenDone(() => rmSync(folder, { recursive: true, force: true }));
const fileOf = (name: string, text: string): string => {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
};
const check = (env: Record<string, string>, ...argv: readonly string[]) =>
  runWith(
    [{ name: "smsc check", summary: "", load: async () => smscCheckCommand }],
    ["smsc", "check", "--to", "+4915112345601", "--from", "Meridian", ...argv],
    "",
    { env },
  );

async function centre(systemId = "turnup") {
  const smsc = await createSmscSimulator({
    port: 0,
    systemId,
    password: SECRET,
    seed: 3,
    redeliverMs: 30,
    onMessage: async () => "delivered",
  });
  whenDone(() => smsc.close());
  return smsc;
}

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  whenDone(() => new Promise((resolve) => server.close(resolve)));
  return portOf(server);
}

function authority(commonName: string) {
  const keys = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const issuer = { commonName, ...keys };
  const validity = {
    notBefore: new Date("2020-01-01T00:00:00Z"),
    notAfter: new Date("2050-01-01T00:00:00Z"),
  };
  const own = { commonName, purpose: "authority", names: [], publicKey: keys.publicKey, issuer } as const;
  const ca = pemOf(composeCertificate({ ...validity, ...own, serial: Uint8Array.of(1) }));
  const server = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const cert = pemOf(
    composeCertificate({
      ...validity,
      ...{
        serial: Uint8Array.of(2),
        commonName: "SMSC",
        purpose: "server",
        publicKey: server.publicKey,
        issuer,
      },
      names: [{ kind: "ip", octets: Uint8Array.of(127, 0, 0, 1) }],
    }),
  );
  return { ca, cert, key: server.privateKey.export({ type: "pkcs8", format: "pem" }) };
}

test("a trial by TLS says so; a centre whose certificate is not trusted gets no password, and what to look at is named", async () => {
  const smsc = await centre();
  const { ca, cert, key } = authority("Centre's authority");
  let octets = 0;
  const port = await listening(
    createServer({ key, cert }, (outer) => {
      const inner = connect(smsc.port, "127.0.0.1");
      outer.on("data", ({ length }: Buffer) => (octets += length));
      outer.pipe(inner).pipe(outer);
      for (const socket of [outer, inner])
        socket.on("error", () => [outer, inner].map((each) => each.destroy()));
    }).on("tlsClientError", () => undefined),
  );
  const env = { TURNUP_SMSC_PORT: String(port), TURNUP_SMSC_PASSWORD: SECRET, TURNUP_SMSC_TLS: "true" };
  const stranger = authority("Somebody's authority").ca;
  const refused = await check({ ...env, TURNUP_SMSC_TLS_AUTHORITY_FILE: fileOf("other.pem", stranger) });
  assert.equal(refused.exitCode, 1);
  assert.match(refused.stderr, /No connection: /);
  assert.match(refused.stderr, /smsc\.tls/);
  assert.equal(octets, 0);
  const run = await check({ ...env, TURNUP_SMSC_TLS_AUTHORITY_FILE: fileOf("own.pem", ca) });
  assert.equal(run.exitCode, 0, run.stdout + run.stderr);
  assert.match(run.stdout, /connected, with TLS/);
  assert.equal(smsc.stats.accepted, 1);
});

test("a trial goes by the entry that is named; without a name, or by one that there is not, it sends nothing and names those that there are", async () => {
  const [north, south] = [await centre("north-esme"), await centre("south-esme")];
  const entry = (name: string, port: number) =>
    `[[smsc]]\nname = "${name}"\nhost = "127.0.0.1"\nport = ${port}\nsystem_id = "${name}-esme"\npassword = "${SECRET}"\n`;
  const env = {
    TURNUP_CONFIG: fileOf("two.toml", entry("north", north.port) + entry("south", south.port)),
  };
  for (const argv of [[], ["--name", "west"]]) {
    const none = await check(env, ...argv);
    assert.equal(none.exitCode, 1);
    assert.match(none.stderr, /north, south/);
  }
  assert.deepEqual([north.stats.accepted, south.stats.accepted], [0, 0]);
  const run = await check(env, "--name", "south");
  assert.equal(run.exitCode, 0, run.stdout + run.stderr);
  assert.deepEqual([north.stats.accepted, south.stats.accepted], [0, 1]);
});

test("a centre that allows no second bind of a name is told as that, since a running server may have it", async () => {
  const ALREADY_BOUND = 0x05;
  const port = await listening(
    createTcpServer((socket) => {
      socket.on("error", () => socket.destroy());
      socket.on("data", (pdu) => {
        const answer = Buffer.alloc(16);
        answer.writeUInt32BE(answer.length);
        answer.writeUInt32BE((pdu.readUInt32BE(4) | 0x80000000) >>> 0, 4);
        answer.writeUInt32BE(ALREADY_BOUND, 8);
        pdu.copy(answer, 12, 12, 16);
        socket.end(answer);
      });
    }),
  );
  const run = await check({ TURNUP_SMSC_PORT: String(port), TURNUP_SMSC_PASSWORD: SECRET });
  assert.equal(run.exitCode, 1);
  assert.match(run.stderr, /refused the bind: ESME_RALYBND/);
  assert.match(run.stderr, /no more binds of this name: ask for another one, or stop the server/);
});
