/**
 * What the provisioning server's door for proxies refuses, over real TLS: certificates, signatures, sessions, identities
 * (RFC 9421 §7; US 6,647,260 claims 20, 26, 36). Whatever is refused never reaches the handler.
 */
import assert from "node:assert/strict";
import { type createPublicKey, generateKeyPairSync, randomBytes, verify, X509Certificate } from "node:crypto";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, test } from "vitest";
import {
  ask,
  IMEI,
  IMSI,
  MSISDN,
  openParties,
  type Parties,
  PROXY_ID,
  pairOf,
  SERVER_ID,
  strangerAuthority,
} from "../../../test/fixture/parties.ts";
import { parseImei } from "../../term/imei.ts";
import { contentDigestOf } from "../../wire/httpsig/content-digest.ts";
import { signMessage } from "../../wire/httpsig/signature.ts";
import { issueLegToken } from "../../wire/message/leg-token.ts";
import {
  type AuthenticationAnswer,
  authenticationText,
  DEVICE_PATHS,
  LAND_HEADERS,
  LAND_SIGNATURE,
} from "../../wire/message/legs.ts";
import { imeiNameOf, proxyNameOf } from "../../wire/message/party-name.ts";
import { ensureAuthority, type Pair } from "../certificates/certificates.ts";

let road: Parties;
let legs: Pair;
let clockMs = Date.now();
let stretchMs = 0;
beforeAll(async () => {
  road = await openParties({ now: () => new Date(Date.now() + stretchMs) });
  legs = await ensureAuthority(join(road.folder, "proxy"), new Date());
});
afterAll(() => road.close());
beforeEach(() => {
  stretchMs = 0;
  clockMs = Date.now();
  road.received.length = 0;
  road.refusals.length = 0;
});

type Message = {
  readonly pair?: Pair | null;
  readonly method?: "GET" | "POST";
  readonly target?: string;
  readonly body?: string;
  readonly headers?: Record<string, string | undefined>;
  readonly components?: (components: string[]) => string[];
  readonly keyid?: string;
  readonly nonce?: string;
  readonly created?: number;
  readonly key?: ReturnType<typeof createPublicKey>;
  /** After signing. */
  readonly change?: (headers: Record<string, string | string[]>) => void;
  readonly sentBody?: string;
  readonly tls?: object;
};

async function send(message: Message = {}) {
  const { certificates, land } = road;
  const { method = "GET", target = DEVICE_PATHS.start, body = "" } = message;
  const url = new URL(target, land.url);
  const given: Record<string, string | undefined> = {
    [LAND_HEADERS.imei]: IMEI,
    [LAND_HEADERS.imsi]: IMSI,
    [LAND_HEADERS.msisdn]: MSISDN,
    [LAND_HEADERS.assurance]: "cert",
    [LAND_HEADERS.bearer]: "gsm",
    [LAND_HEADERS.session]: await session(),
    "content-digest": contentDigestOf(Buffer.from(body)),
    ...message.headers,
  };
  const headers = Object.fromEntries(
    Object.entries(given).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
  const components = [
    ...LAND_SIGNATURE.required,
    ...LAND_SIGNATURE.fields.filter((name) => headers[name] !== undefined),
  ];
  const { signing } = certificates.proxy;
  const { signatureInput, signature } = signMessage(
    {
      kind: "request",
      method,
      scheme: "https",
      authority: url.host,
      target,
      headers: new Map(Object.entries(headers).map(([name, value]) => [name, [value]])),
    },
    {
      label: "proxy",
      components: message.components?.(components) ?? components,
      parameters: {
        created: message.created ?? Math.floor(clockMs / 1000),
        nonce: message.nonce ?? randomBytes(24).toString("base64url"),
        keyid: message.keyid ?? signing.keyid,
        alg: signing.algorithm,
        tag: "turnup",
      },
      key: message.key ?? signing.key,
      algorithm: signing.algorithm,
    },
  );
  const sent: Record<string, string | string[]> = {
    ...headers,
    "signature-input": signatureInput,
    signature,
  };
  message.change?.(sent);
  const pair = message.pair === undefined ? certificates.proxy.land : message.pair;
  const answer = await ask(url, {
    method,
    headers: sent,
    body: message.sentBody ?? body,
    ca: certificates.land.serverAuthority,
    ...(pair && { key: pair.key, cert: pair.certificate }),
    ...message.tls,
  });
  return { answer, sent };
}

let token: string | undefined;
/** A land session as the real proxy's certificate gets it. */
async function session(): Promise<string> {
  if (token !== undefined) return token;
  token = "asking";
  const body = JSON.stringify({
    nonce: randomBytes(32).toString("base64"),
    proxy: PROXY_ID,
    at: new Date().toISOString(),
  });
  const { answer } = await send({
    method: "POST",
    target: DEVICE_PATHS.authentications,
    body,
    headers: { "content-type": "application/json", [LAND_HEADERS.session]: undefined },
  });
  token = (JSON.parse(answer.body.toString()) as AuthenticationAnswer).session;
  return token;
}

async function isRefused(message: Message, cause: string, detail?: RegExp): Promise<void> {
  const { answer } = await send(message);
  assert.equal(answer.status, 401);
  assert.equal(answer.body.length, 0, "a proxy that is refused is told no reason");
  assert.deepEqual(road.received, []);
  assert.equal(road.refusals.at(-1)?.cause, cause);
  if (detail) assert.match(road.refusals.at(-1)?.detail ?? "", detail);
}

test("a proxy's signed message in its land session reaches the handler with the identity that it vouches for", async () => {
  const { answer } = await send({
    method: "POST",
    target: "/d/requests?x=1",
    body: "familyName=Jones",
    headers: { "content-type": "application/x-www-form-urlencoded", "accept-language": "de-CH,de;q=0.9" },
  });
  assert.equal(answer.status, 200);
  const [{ identity, request }] = road.received as [(typeof road.received)[0]];
  assert.deepEqual(identity, {
    imei: IMEI,
    imsi: IMSI,
    msisdn: MSISDN,
    assurance: "cert",
    bearer: "gsm",
    airOctets: null,
    capability: null,
    proxy: PROXY_ID,
    language: "de-CH",
  });
  assert.equal(request.path, "/d/requests");
  assert.equal(request.query.get("x"), "1");
  assert.equal(Buffer.from(request.body).toString(), "familyName=Jones");
});

test("the server answers an authentication request with its own credentials, over the proxy's nonce (claims 20, 26)", async () => {
  const nonce = randomBytes(32).toString("base64");
  const { answer } = await send({
    method: "POST",
    target: DEVICE_PATHS.authentications,
    body: JSON.stringify({ nonce, proxy: PROXY_ID, at: new Date().toISOString() }),
    headers: { "content-type": "application/json", [LAND_HEADERS.session]: undefined },
  });
  assert.equal(answer.status, 200);
  const proof = JSON.parse(answer.body.toString()) as AuthenticationAnswer;
  assert.equal(proof.server, SERVER_ID);
  assert.equal(proof.nonce, nonce);
  const signed = Buffer.from(authenticationText({ ...proof, proxy: PROXY_ID }));
  const { publicKey } = road.certificates.land;
  assert.equal(verify(null, signed, publicKey, Buffer.from(proof.signature, "base64")), true);
});

const AUTHENTICATIONS: readonly [string, (at: string, nonce: string) => object, number][] = [
  ["of another proxy's name", (at, nonce) => ({ nonce, proxy: "edge-2", at }), 401],
  ["of another time", (_at, nonce) => ({ nonce, proxy: PROXY_ID, at: "2020-01-01T00:00:00Z" }), 401],
  ["with a short nonce", (at) => ({ nonce: "AAAA", proxy: PROXY_ID, at }), 400],
  ["with a member that nobody knows", (at, nonce) => ({ nonce, proxy: PROXY_ID, at, more: 1 }), 400],
];
for (const [name, bodyOf, status] of AUTHENTICATIONS) {
  test(`an authentication request ${name} opens no session`, async () => {
    const { answer } = await send({
      method: "POST",
      target: DEVICE_PATHS.authentications,
      body: JSON.stringify(bodyOf(new Date().toISOString(), randomBytes(32).toString("base64"))),
      headers: { "content-type": "application/json", [LAND_HEADERS.session]: undefined },
    });
    assert.equal(answer.status, status);
    assert.equal(answer.body.length, 0);
  });
}

const BAD_PAIRS: readonly [string, () => Pair | null, RegExp][] = [
  ["no certificate", () => null, /DID_NOT_RETURN_A_CERTIFICATE/],
  [
    "a certificate of a stranger's authority",
    () => pairOf(strangerAuthority(), { names: [{ kind: "uri", uri: proxyNameOf(PROXY_ID) }] }),
    /./,
  ],
  ["a certificate of the factory's authority", () => road.factory, /./],
  [
    "an expired certificate",
    () =>
      pairOf(legs, {
        names: [{ kind: "uri", uri: proxyNameOf(PROXY_ID) }],
        notBefore: new Date(Date.now() - 9e8),
        notAfter: new Date(Date.now() - 1e6),
      }),
    /EXPIRED/,
  ],
  [
    "a certificate that is not yet good",
    () =>
      pairOf(legs, {
        names: [{ kind: "uri", uri: proxyNameOf(PROXY_ID) }],
        notBefore: new Date(Date.now() + 1e6),
      }),
    /NOT_YET_VALID/,
  ],
  [
    "a server's certificate",
    () => pairOf(legs, { names: [{ kind: "uri", uri: proxyNameOf(PROXY_ID) }], purpose: "server" }),
    /PURPOSE/,
  ],
];
for (const [name, pair, detail] of BAD_PAIRS) {
  test(`land leg: ${name} ends in the handshake`, async () => {
    await session();
    road.refusals.length = 0;
    await assert.rejects(send({ pair: pair() }));
    assert.deepEqual(road.received, []);
    assert.equal(road.refusals.at(-1)?.cause, "handshake_refused");
    assert.match(road.refusals.at(-1)?.detail ?? "", detail);
  });
}

test("land leg: a certificate of the right authority with another's name, or a device's, is no proxy of ours", async () => {
  for (const uri of [proxyNameOf("edge-2"), imeiNameOf(parseImei(IMEI))])
    await isRefused({ pair: pairOf(legs, { names: [{ kind: "uri", uri }] }) }, "proxy_unknown");
  const two = [proxyNameOf(PROXY_ID), proxyNameOf("edge-2")].map((uri) => ({ kind: "uri", uri }) as const);
  await isRefused({ pair: pairOf(legs, { names: two }) }, "proxy_unknown");
});

test("land leg: TLS 1.2 is never spoken", async () => {
  await session();
  await assert.rejects(send({ tls: { maxVersion: "TLSv1.2" } }), /protocol version|EPROTO|alert/i);
  assert.deepEqual(road.received, []);
});

const REFUSALS: readonly [string, () => Message, string, RegExp][] = [
  [
    "no signature",
    () => ({ change: (headers) => delete headers.signature }),
    "signature_refused",
    /no_signature/,
  ],
  [
    "a swapped body",
    () => ({ method: "POST", body: "answer=decline", sentBody: "answer=accept" }),
    "signature_refused",
    /digest_wrong/,
  ],
  [
    "a changed path",
    () => ({ components: (all) => all.filter((one) => one !== "@path") }),
    "signature_refused",
    /not_covered/,
  ],
  [
    "an uncovered identity",
    () => ({ components: (all) => all.filter((one) => one !== LAND_HEADERS.imei) }),
    "signature_refused",
    /not_covered/,
  ],
  [
    "an identity put in behind the signature",
    () => ({
      headers: { [LAND_HEADERS.msisdn]: undefined },
      change: (headers) => {
        headers[LAND_HEADERS.msisdn] = MSISDN;
      },
    }),
    "signature_refused",
    /not_covered/,
  ],
  [
    "a doubled identity",
    () => ({
      change: (headers) => {
        headers[LAND_HEADERS.imei] = [IMEI, IMEI];
      },
    }),
    "signature_refused",
    /signature_wrong/,
  ],
  [
    "a changed identity",
    () => ({
      change: (headers) => {
        headers[LAND_HEADERS.msisdn] = "447700900124";
      },
    }),
    "signature_refused",
    /signature_wrong/,
  ],
  [
    "another key",
    () => ({ key: generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey }),
    "signature_refused",
    /signature_wrong/,
  ],
  ["an unknown key", () => ({ keyid: "edge-9" }), "signature_refused", /key_unknown/],
  [
    "a moment 61 seconds ago",
    () => ({ created: Math.floor(clockMs / 1000) - 62 }),
    "signature_refused",
    /too_old/,
  ],
  [
    "a moment 61 seconds ahead",
    () => ({ created: Math.floor(clockMs / 1000) + 63 }),
    "signature_refused",
    /too_new/,
  ],
  [
    "no land session",
    () => ({ headers: { [LAND_HEADERS.session]: undefined } }),
    "session_refused",
    /session/,
  ],
  [
    "a land session of nobody",
    () => ({ headers: { [LAND_HEADERS.session]: "x.y" } }),
    "session_refused",
    /session/,
  ],
  ["no device", () => ({ headers: { [LAND_HEADERS.imei]: undefined } }), "identity_refused", /headers/],
  ["no IMEI", () => ({ headers: { [LAND_HEADERS.imei]: "356938035643800" } }), "identity_refused", /headers/],
  [
    "no assurance that we know",
    () => ({ headers: { [LAND_HEADERS.assurance]: "sure" } }),
    "identity_refused",
    /headers/,
  ],
  [
    "no bearer that we know",
    () => ({ headers: { [LAND_HEADERS.bearer]: "pigeon" } }),
    "identity_refused",
    /headers/,
  ],
];
for (const [name, message, cause, detail] of REFUSALS) {
  test(`land leg: ${name} is refused`, async () => {
    await session();
    await isRefused(message(), cause, detail);
  });
}

test("land leg: 59 seconds of skew are taken, either way", async () => {
  for (const skew of [-59, 58]) {
    const { answer } = await send({ created: Math.floor(Date.now() / 1000) + skew });
    assert.equal(answer.status, 200);
  }
});

test("land leg: a message that was taken is refused when it comes again", async () => {
  const nonce = randomBytes(24).toString("base64url");
  assert.equal((await send({ nonce })).answer.status, 200);
  road.received.length = 0;
  await isRefused({ nonce }, "signature_refused", /replayed/);
});

test("tokens crossed: an air session's token, and another certificate's land token, are useless on the land leg", async () => {
  const endsAt = new Date(Date.now() + 60_000);
  const fingerprint = new X509Certificate(road.certificates.proxy.land.certificate).fingerprint256;
  const nonce = randomBytes(16);
  const air = issueLegToken(
    { leg: "air", subject: PROXY_ID, peer: fingerprint, endsAt },
    nonce,
    road.certificates.proxy.airKey,
  );
  await isRefused({ headers: { [LAND_HEADERS.session]: air } }, "session_refused");
  const asAir = issueLegToken(
    { leg: "air", subject: PROXY_ID, peer: fingerprint, endsAt },
    nonce,
    road.certificates.land.sessionKey,
  );
  await isRefused({ headers: { [LAND_HEADERS.session]: asAir } }, "session_refused");
  // What is wrong with them is the leg and the key alone: the right ones make a token that is taken.
  const right = issueLegToken(
    { leg: "land", subject: PROXY_ID, peer: fingerprint, endsAt },
    nonce,
    road.certificates.land.sessionKey,
  );
  assert.equal((await send({ headers: { [LAND_HEADERS.session]: right } })).answer.status, 200);
  road.received.length = 0;
  // The same proxy under a new certificate: its session was opened for the old one.
  const renewed = pairOf(legs, { names: [{ kind: "uri", uri: proxyNameOf(PROXY_ID) }] });
  await isRefused({ pair: renewed }, "session_refused");
});

test("a land session ends: after it the proxy must ask the server to prove itself again", async () => {
  const known = await session();
  stretchMs = 16 * 60_000;
  clockMs = Date.now() + stretchMs;
  await isRefused({ headers: { [LAND_HEADERS.session]: known } }, "session_refused");
});

test("an enrolment token is answered once, to a proxy in its session alone", async () => {
  road.tokens.set("one-time", { imsi: IMSI, msisdn: null, imei: null });
  const message: Message = {
    method: "POST",
    target: DEVICE_PATHS.enrolments,
    body: JSON.stringify({ token: "one-time" }),
    headers: { "content-type": "application/json" },
  };
  await isRefused(
    { ...message, headers: { ...message.headers, [LAND_HEADERS.session]: undefined } },
    "session_refused",
  );
  const { answer } = await send(message);
  assert.deepEqual(JSON.parse(answer.body.toString()), { imsi: IMSI, msisdn: null, imei: null });
  assert.equal((await send(message)).answer.status, 404);
});
