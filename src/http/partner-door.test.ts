/**
 * Partners and voice platforms at the API's own door, by real certificates: each is whom its certificate's token is of, whatever it
 * says in headers; no tenant reaches another's, and nothing but their own routes is there.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import type { RequestOptions } from "node:https";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, test } from "vitest";
import { bearer, OPERATOR_A, OPERATOR_B, openFixture } from "../../test/fixture/http.ts";
import { ask, pairOf, strangerAuthority } from "../../test/fixture/parties.ts";
import type { Role } from "../kernel/account/role.ts";
import type { SubjectName } from "../wire/x509/certificate.ts";
import type { HandshakeRefusal } from "./handshakes.ts";
import { createPartnerDoor } from "./partner-door.ts";

const authority = strangerAuthority();
const own = pairOf(authority, { purpose: "server", names: [{ kind: "dns", name: "localhost" }] });
const partners = { clients: new Map<string, string>() };
const fixture = await openFixture({ partners, trustProxy: ["127.0.0.1"] });
const refusals: HandshakeRefusal[] = [];
let door: ReturnType<typeof createPartnerDoor>;
beforeAll(async () => {
  door = createPartnerDoor({
    app: fixture.server,
    tls: { ...own, authorities: authority.certificate },
    onRefused: (refusal) => refusals.push(refusal),
  });
  door.server.listen(0, "127.0.0.1");
  await once(door.server, "listening");
});
afterAll(async () => {
  await door.close();
  await fixture.server.close();
});

function recordOf(operatorId: string, role: Role) {
  const found = [...fixture.records.values()].find(
    (one) => one.operatorId === operatorId && one.role === role,
  );
  assert.ok(found);
  return found;
}
const as = (...names: readonly SubjectName[]) => pairOf(authority, { names, commonName: "a partner" });
async function visit(
  pair: { readonly key: string; readonly certificate: string } | undefined,
  path: string,
  headers: Readonly<Record<string, string>> = {},
  more: RequestOptions = {},
) {
  const { port } = door.server.address() as AddressInfo;
  const answer = await ask(new URL(path, `https://localhost:${port}`), {
    ...{ ca: authority.certificate, headers, host: "127.0.0.1", servername: "localhost" },
    ...(pair && { key: pair.key, cert: pair.certificate }),
    ...more,
  });
  const text = answer.body.toString("utf8");
  const code = /"code":"([a-z_]+)"/.exec(text)?.[1];
  return { status: answer.status, code, text };
}

test("a certificate is its token's operator and role, by DNS name, URI or common name; tenants stay apart", async () => {
  partners.clients = new Map([
    ["dns:shop.example", recordOf(OPERATOR_A, "partner").id],
    ["uri:urn:partner:b", recordOf(OPERATOR_B, "partner").id],
    ["cn:a platform", recordOf(OPERATOR_A, "voice").id],
  ]);
  const a = as({ kind: "dns", name: "shop.example" });
  const b = as({ kind: "uri", uri: "urn:partner:b" });
  for (const [pair, operatorId] of [
    [a, OPERATOR_A],
    [b, OPERATOR_B],
  ] as const) {
    const before = fixture.calls.length;
    assert.equal((await visit(pair, "/v1/partner/requests")).status, 200);
    const asked = fixture.calls.slice(before).map((call) => call.operatorId);
    assert.ok(asked.length > 0 && asked.every((one) => one === operatorId), asked.join());
  }
  const platform = pairOf(authority, { names: [], commonName: "a platform" });
  assert.match((await visit(platform, "/voice")).text, /<vxml/);
  assert.equal((await visit(platform, "/v1/partner/requests")).code, "role_not_allowed");
  assert.equal((await visit(a, "/voice")).code, "role_not_allowed");
});

test("who it is stands in no header: not another's token, nor an address that a proxy in front would tell", async () => {
  partners.clients = new Map([["dns:shop.example", recordOf(OPERATOR_A, "partner").id]]);
  const pair = as({ kind: "dns", name: "shop.example" });
  const before = fixture.calls.length;
  const headers = {
    ...bearer(OPERATOR_B, "partner"),
    ...{ "x-forwarded-for": "192.0.2.7", "x-ssl-client-s-dn": "CN=somebody", forwarded: "for=192.0.2.7" },
  };
  assert.equal((await visit(pair, "/v1/partner/requests", headers)).status, 200);
  assert.ok(fixture.calls.slice(before).every(({ operatorId }) => operatorId === OPERATOR_A));
  assert.equal((await visit(pair, "/v1/tokens", bearer(OPERATOR_A, "admin"))).code, "role_not_allowed");
  // A platform that is known by its address at the other door.
  const asked: string[] = [];
  Object.assign(fixture.deps.requests, {
    voicePlatformAt: async (address: string) => void asked.push(address),
  });
  assert.equal((await visit(pair, "/voice", { "x-forwarded-for": "192.0.2.7" })).code, "role_not_allowed");
  assert.deepEqual(asked, []);
});

test("a certificate that nobody named, that names two, or whose token is revoked, of another role or gone, opens nothing", async () => {
  const partner = recordOf(OPERATOR_A, "partner");
  partners.clients = new Map([
    ["dns:shop.example", partner.id],
    ["dns:other.example", recordOf(OPERATOR_B, "partner").id],
    ["dns:admin.example", recordOf(OPERATOR_A, "admin").id],
    ["dns:gone.example", "01900000-0000-7000-8000-00000000dead"],
  ]);
  const codeOf = async (...hosts: string[]) =>
    (await visit(as(...hosts.map((name) => ({ kind: "dns", name }) as const)), "/v1/partner/requests")).code;
  assert.equal(await codeOf("unnamed.example"), "certificate_unknown");
  assert.equal(await codeOf("shop.example", "other.example"), "certificate_unknown");
  assert.equal(await codeOf("admin.example"), "role_not_allowed");
  const admin = as({ kind: "dns", name: "admin.example" });
  assert.equal((await visit(admin, "/v1/tokens")).code, "role_not_allowed", "no door for administrators");
  assert.equal(await codeOf("gone.example"), "token_unknown");
  const [hash] = [...fixture.records].find(([, { id }]) => id === partner.id) ?? [];
  assert.ok(hash);
  fixture.records.set(hash, { ...partner, revokedAt: new Date(fixture.nowMs - 1) });
  for (const listener of fixture.told.listeners) listener("everything");
  assert.equal(await codeOf("shop.example"), "token_revoked");
  fixture.records.set(hash, partner);
  for (const listener of fixture.told.listeners) listener("everything");
  partners.clients = new Map();
  assert.equal(await codeOf("shop.example"), "certificate_unknown", "the file was read again without it");
});

test("nothing but the routes of partners and voice platforms is there: no health, no pages, no addresses to be found out", async () => {
  partners.clients = new Map([["dns:shop.example", recordOf(OPERATOR_A, "partner").id]]);
  const pair = as({ kind: "dns", name: "shop.example" });
  for (const path of ["/healthz", "/metrics", "/d/start", "/s/abc", "/nowhere"]) {
    assert.equal((await visit(pair, path)).code, "not_found", path);
    assert.equal(
      (await visit(as({ kind: "dns", name: "x.example" }), path)).code,
      "certificate_unknown",
      path,
    );
  }
});

test("where a certificate cannot be looked up at all nothing is let in, and the server lives on", async () => {
  partners.clients = new Map([["dns:shop.example", recordOf(OPERATOR_A, "partner").id]]);
  const faulty = createPartnerDoor({
    app: fixture.server,
    tls: { ...own, authorities: authority.certificate },
    revocation: () => Promise.reject(new Error("no look-up")),
    onRefused: () => undefined,
  });
  faulty.server.listen(0, "127.0.0.1");
  await once(faulty.server, "listening");
  const { port } = faulty.server.address() as AddressInfo;
  const pair = as({ kind: "dns", name: "shop.example" });
  await assert.rejects(visit(pair, "/v1/partner/requests", {}, { port }));
  await faulty.close();
});

test("strangers end in the handshake, and are counted", async () => {
  refusals.length = 0;
  await assert.rejects(visit(undefined, "/v1/partner/requests"));
  await assert.rejects(visit(pairOf(strangerAuthority()), "/v1/partner/requests"));
  await assert.rejects(
    visit(as({ kind: "dns", name: "shop.example" }), "/v1/partner/requests", {}, { maxVersion: "TLSv1.2" }),
  );
  assert.deepEqual(
    refusals.map(({ cause }) => cause),
    ["no_certificate", "wrong_authority", "older_tls"],
  );
});
