/** The session over TLS: a tunnel with a certificate of our own before the simulated SMSC. */
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { connect } from "node:net";
import { createServer } from "node:tls";
import { test } from "vitest";
import { createSmscSimulator } from "../../sim/smsc/smsc.ts";
import { composeCertificate, pemOf } from "../../wire/x509/certificate.ts";
import { createEsme, type EsmeState } from "./esme.ts";

const authority = generateKeyPairSync("ec", { namedCurve: "P-256" });
const server = generateKeyPairSync("ec", { namedCurve: "P-256" });
const issuer = { commonName: "Test authority", ...authority };
const validity = { notBefore: new Date("2020-01-01T00:00:00Z"), notAfter: new Date("2050-01-01T00:00:00Z") };
const ca = pemOf(
  composeCertificate({
    ...validity,
    serial: Uint8Array.of(1),
    commonName: issuer.commonName,
    purpose: "authority",
    names: [],
    publicKey: authority.publicKey,
    issuer,
  }),
);
const cert = pemOf(
  composeCertificate({
    ...validity,
    serial: Uint8Array.of(2),
    commonName: "SMSC",
    purpose: "server",
    names: [{ kind: "ip", octets: Uint8Array.of(127, 0, 0, 1) }],
    publicKey: server.publicKey,
    issuer,
  }),
);

test("ESME: over TLS messages go through; a centre whose certificate is not trusted gets no password", async () => {
  const smsc = await createSmscSimulator({
    port: 0,
    systemId: "turnup",
    password: "secret",
    seed: 1,
    onMessage: async () => "delivered",
  });
  let octets = 0;
  const tunnel = createServer(
    { key: server.privateKey.export({ type: "pkcs8", format: "pem" }), cert },
    (outer) => {
      const inner = connect(smsc.port, "127.0.0.1");
      outer.on("data", (chunk) => {
        octets += chunk.length;
      });
      outer.pipe(inner).pipe(outer);
      for (const socket of [outer, inner])
        socket.on("error", () => [outer, inner].map((each) => each.destroy()));
    },
  );
  tunnel.on("tlsClientError", () => undefined);
  await new Promise<void>((resolve) => tunnel.listen(0, "127.0.0.1", resolve));
  const { port } = tunnel.address() as { port: number };
  const options = { host: "127.0.0.1", port, systemId: "turnup", password: "secret" };

  const wary = createEsme({ ...options, tls: {}, reconnect: { minMs: 60_000 } });
  const refused = new Promise<EsmeState>((resolve) => {
    wary.on("state", (state) => state.name === "waiting" && resolve(state));
  });
  wary.start();
  const state = await refused;
  assert.match(state.name === "waiting" ? state.reason : "", /certificate/);
  assert.equal(octets, 0);
  await wary.stop();

  const esme = createEsme({ ...options, tls: { ca } });
  esme.start();
  const outcomes = await esme.submitBatch(
    Array.from({ length: 200 }, (_, i) => ({ destination_addr: String(45 + i) })),
  );
  assert.ok(outcomes.every(({ kind }) => kind === "accepted"));
  assert.equal(smsc.log.length, 200);
  await esme.stop();
  await smsc.close();
  await new Promise((resolve) => tunnel.close(resolve));
});
