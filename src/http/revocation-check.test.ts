/** Whose list a certificate is looked up in: its authority's, whatever the caller sends along in that authority's name. */
import assert from "node:assert/strict";
import { createHash, generateKeyPairSync, type KeyObject, X509Certificate } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { TLSSocket } from "node:tls";
import { afterAll, beforeAll, test } from "vitest";
import { ask, pairOf, strangerAuthority } from "../../test/fixture/parties.ts";
import { composeCertificate, pemOf } from "../wire/x509/certificate.ts";
import type { HandshakeRefusal } from "./handshakes.ts";
import { mutualTls } from "./mutual-tls.ts";
import { certificateLook } from "./revocation-check.ts";

const DAY_MS = 86_400_000;
const authority = strangerAuthority();
const own = pairOf(authority, { purpose: "server", names: [{ kind: "dns", name: "localhost" }] });
const looked: (readonly X509Certificate[])[] = [];
const refusals: HandshakeRefusal[] = [];
const isGood = certificateLook(
  async (chain) => {
    looked.push(chain);
    return { kind: "let_in" };
  },
  (refusal) => refusals.push(refusal),
);
const door = createServer(
  mutualTls({ ...own, authorities: authority.certificate }),
  async ({ socket }, response) => {
    if (socket instanceof TLSSocket && (await isGood(socket))) response.end("in");
  },
);
beforeAll(async () => {
  door.listen(0, "127.0.0.1");
  await once(door, "listening");
});
afterAll(() => new Promise((closed) => door.close(closed)));

const keyIdOf = (key: KeyObject): Buffer =>
  createHash("sha1")
    .update(key.export({ type: "spki", format: "der" }).subarray(-65))
    .digest();

/** In the name of an authority and under its key's identifier, with a key that anybody may make. */
function forgedOf({ certificate }: { readonly certificate: string }): string {
  const real = new X509Certificate(certificate);
  const keys = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const commonName = real.subject.replace(/^CN=/, "");
  const octets = Buffer.from(
    composeCertificate({
      ...{ serial: Uint8Array.of(7), commonName, purpose: "authority", names: [] },
      ...{ notBefore: new Date(Date.now() - DAY_MS), notAfter: new Date(Date.now() + DAY_MS) },
      publicKey: keys.publicKey,
      issuer: { commonName, ...keys },
    }),
  );
  const [from, to] = [keyIdOf(keys.publicKey), keyIdOf(real.publicKey)];
  for (let at = octets.indexOf(from); at >= 0; at = octets.indexOf(from)) octets.set(to, at);
  return pemOf(octets);
}
const visit = (pair: { readonly key: string; readonly certificate: string }) =>
  ask(new URL(`https://localhost:${(door.address() as AddressInfo).port}/`), {
    ...{ ca: authority.certificate, host: "127.0.0.1", servername: "localhost", agent: false },
    ...{ key: pair.key, cert: pair.certificate },
  });

test("a certificate is looked up with the authority that signed it; who sends another along in its name is cut", async () => {
  const pair = pairOf(authority);
  assert.equal((await visit(pair)).status, 200);
  assert.deepEqual(
    looked.map((chain) => chain.at(-1)?.fingerprint256),
    [new X509Certificate(authority.certificate).fingerprint256],
  );
  await assert.rejects(visit({ ...pair, certificate: `${pair.certificate}${forgedOf(authority)}` }));
  assert.deepEqual(
    refusals.map(({ cause }) => cause),
    ["wrong_authority"],
  );
  assert.equal(looked.length, 1, "no list is asked about it");
});
