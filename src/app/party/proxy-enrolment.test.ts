/**
 * Enrolment at the proxy (RFC 7030, RFC 8951) and the bond of SIM and handset, over real TLS: factory certificate or
 * one-time token, renewal, what breaks the bond, what is refused.
 */
import assert from "node:assert/strict";
import { generateKeyPairSync, type KeyObject, X509Certificate } from "node:crypto";
import { once } from "node:events";
import { join } from "node:path";
import { type ConnectionOptions, connect } from "node:tls";
import { fromBER } from "asn1js";
import { type Certificate, ContentInfo, SignedData } from "pkijs";
import { afterEach, beforeEach, test } from "vitest";
import {
  type Answered,
  IMEI,
  IMSI,
  MSISDN,
  OTHER_IMEI,
  openParties,
  type Parties,
  pairOf,
  strangerAuthority,
} from "../../../test/fixture/parties.ts";
import type { NetworkIdentity } from "../../proxy/admission.ts";
import { parseImei } from "../../term/imei.ts";
import { imeiNameOf } from "../../wire/message/party-name.ts";
import { pemOf, type SubjectName } from "../../wire/x509/certificate.ts";
import { composeCertificateRequest } from "../../wire/x509/certificate-request.ts";
import { ensureAuthority, type Pair } from "../certificates/certificates.ts";

const EST = "/.well-known/est";
const OTHER_IMSI = "234150888888888";

let road: Parties;
let line: NetworkIdentity | null;
beforeEach(async () => {
  line = null;
  road = await openParties({ proxy: { networkIdentityOf: () => line } });
});
afterEach(() => road.close());

type Keys = { readonly publicKey: KeyObject; readonly privateKey: KeyObject };
const newKeys = (): Keys => generateKeyPairSync("ec", { namedCurve: "P-256" });
const uri = (name: string): SubjectName => ({ kind: "uri", uri: name });

function requestOf(keys: Keys, about: { commonName?: string; names?: readonly SubjectName[] } = {}): string {
  const der = composeCertificateRequest({
    commonName: about.commonName ?? "phone",
    names: about.names ?? [uri(imeiNameOf(parseImei(IMEI)))],
    ...keys,
  });
  return Buffer.from(der).toString("base64");
}

const post = (
  operation: string,
  body: string,
  given: { pair?: Pair; token?: string; type?: string } = {},
): Promise<Answered> =>
  road.air(`${EST}/${operation}`, {
    method: "POST",
    ...(given.pair && { pair: given.pair }),
    headers: {
      "content-type": given.type ?? "application/pkcs10",
      ...(given.token !== undefined && {
        authorization: `Basic ${Buffer.from(`any:${given.token}`).toString("base64")}`,
      }),
    },
    body,
  });

/** The certificates of a degenerate PKCS#7, in DER. */
function certificatesIn({ body }: Answered): Buffer[] {
  const der = Uint8Array.from(Buffer.from(body.toString("latin1"), "base64"));
  const info = new ContentInfo({ schema: fromBER(der.buffer).result });
  const signed = new SignedData({ schema: info.content });
  assert.equal(signed.signerInfos.length, 0);
  return (signed.certificates ?? []).map((one) => Buffer.from((one as Certificate).toSchema().toBER()));
}

function issuedPair(answer: Answered, keys: Keys): Pair {
  assert.equal(answer.status, 200, answer.body.toString());
  const [der, ...more] = certificatesIn(answer);
  assert.ok(der && more.length === 0, "the one new certificate, and nothing else");
  return {
    certificate: pemOf(der),
    key: keys.privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
  };
}

async function enrolled(): Promise<Pair> {
  const keys = newKeys();
  return issuedPair(await post("simpleenroll", requestOf(keys), { pair: road.factory }), keys);
}
const account = () => road.proxy.keepAccounts([{ deviceId: IMEI, imsi: IMSI, msisdn: MSISDN }]);
const statusOf = async (pair: Pair): Promise<number> => (await road.air(road.start(), { pair })).status;
const lastReason = (): string | undefined => road.records.at(-1)?.reason;

test("cacerts answers without authentication: certs-only, one line of base64, with its length", async () => {
  const answer = await road.air(`${EST}/cacerts`);
  assert.equal(answer.status, 200);
  assert.equal(answer.headers["content-type"], "application/pkcs7-mime; smime-type=certs-only");
  assert.equal(answer.headers["content-transfer-encoding"], "base64");
  assert.equal(answer.headers["content-length"], String(answer.body.length));
  assert.equal(answer.headers["transfer-encoding"], undefined);
  assert.match(answer.body.toString(), /^[A-Za-z0-9+/]+=*$/);
  const [root] = certificatesIn(answer);
  assert.deepEqual(root, new X509Certificate(road.certificates.proxy.enrolment.certificate).raw);
});

test("who believes cacerts alone believes the door that it speaks to, and every certificate that is issued here", async () => {
  await account();
  const believed = certificatesIn(await road.air(`${EST}/cacerts`)).map((der) => new X509Certificate(der));
  const own = new X509Certificate((await enrolled()).certificate);
  assert.ok(believed.some((one) => own.checkIssued(one) && own.verify(one.publicKey)));
  const { port } = new URL(road.proxy.url);
  const ca = believed.map(String);
  const socket = connect({ host: "127.0.0.1", port: Number(port), ca });
  await once(socket, "secureConnect");
  assert.equal(socket.authorized, true);
  socket.destroy();
});

test("a key pair made by the server is not to be had, and no attributes are asked for", async () => {
  assert.equal((await post("serverkeygen", "AAAA")).status, 501);
  assert.equal((await road.air(`${EST}/csrattrs`)).status, 204);
  assert.equal((await road.air(`${EST}/label/cacerts`)).status, 200);
});

test("an enrolment that arrives twice gives two certificates for one key: whichever answer came through, the device is let in", async () => {
  await account();
  const keys = newKeys();
  const request = requestOf(keys);
  const pairs = [];
  for (let time = 0; time < 2; time++)
    pairs.push(issuedPair(await post("simpleenroll", request, { pair: road.factory }), keys));
  for (const pair of pairs) assert.equal(await statusOf(pair), 200);
  const another = await enrolled();
  assert.equal(await statusOf(another), 200);
  for (const pair of pairs) assert.equal(await statusOf(pair), 403, "another key takes the place of both");
});

test("a device enrols with its factory certificate and is known by its own key from then on; the factory's is retired by its first use", async () => {
  await account();
  assert.equal(await statusOf(road.factory), 200);
  const own = await enrolled();
  const names = new X509Certificate(own.certificate).subjectAltName ?? "";
  assert.match(names, /URI:urn:gsma:imei:35693803-564380-0/);
  assert.match(names, /URI:urn:turnup:device:[0-9a-f-]{36}/);
  assert.equal(await statusOf(road.factory), 200, "until the new key is confirmed the old way stays open");
  assert.equal(await statusOf(own), 200);
  assert.equal(road.received.at(-1)?.identity.assurance, "cert");
  assert.equal(await statusOf(road.factory), 403);
  assert.equal(lastReason(), "certificate_retired");
});

test("subject and names are the account's, whatever the request asks for", async () => {
  await account();
  const keys = newKeys();
  const names = [uri(imeiNameOf(parseImei(OTHER_IMEI))), uri("urn:turnup:proxy:edge-1")];
  const answer = await post("simpleenroll", requestOf(keys, { commonName: "admin", names }), {
    pair: road.factory,
  });
  const certificate = new X509Certificate(issuedPair(answer, keys).certificate);
  assert.doesNotMatch(certificate.subject, /admin/);
  assert.doesNotMatch(certificate.subjectAltName ?? "", /proxy|49015420/);
});

test("accounts, bonds and keys are there again after a restart", async () => {
  await account();
  const own = await enrolled();
  await road.restartProxy();
  assert.equal(road.proxy.accounts(), 1);
  assert.equal(await statusOf(own), 200);
});

test("renewal: the old key stays good until the new one was used once, and then is not", async () => {
  await account();
  const old = await enrolled();
  assert.equal(await statusOf(old), 200);
  const keys = newKeys();
  const commonName = new X509Certificate(old.certificate).subject.replace("CN=", "");
  const answer = await post("simplereenroll", requestOf(keys, { commonName, names: [] }), { pair: old });
  const renewed = issuedPair(answer, keys);
  assert.equal(await statusOf(old), 200);
  assert.equal(await statusOf(renewed), 200);
  assert.equal(await statusOf(old), 403);
  assert.equal(lastReason(), "certificate_retired");
});

test("renewal under another subject, or with other names, is refused", async () => {
  await account();
  const own = await enrolled();
  const commonName = new X509Certificate(own.certificate).subject.replace("CN=", "");
  const others: readonly (readonly [string, readonly SubjectName[]])[] = [
    ["somebody else", []],
    [commonName, [uri(imeiNameOf(parseImei(OTHER_IMEI)))]],
  ];
  for (const [name, names] of others) {
    const answer = await post("simplereenroll", requestOf(newKeys(), { commonName: name, names }), {
      pair: own,
    });
    assert.equal(answer.status, 403);
    assert.equal(answer.body.toString(), "refused");
    assert.equal(lastReason(), "request_refused");
  }
});

test("renewal is not for a factory certificate, nor enrolment for one of ours", async () => {
  await account();
  const own = await enrolled();
  const factorySubject = new X509Certificate(road.factory.certificate).subject.replace("CN=", "");
  const renewal = requestOf(newKeys(), { commonName: factorySubject, names: [] });
  assert.equal((await post("simplereenroll", renewal, { pair: road.factory })).status, 403);
  assert.equal((await post("simpleenroll", requestOf(newKeys()), { pair: own })).status, 403);
});

test("without certificate or token the device is asked for credentials", async () => {
  const answer = await post("simpleenroll", requestOf(newKeys()));
  assert.equal(answer.status, 401);
  assert.equal(answer.headers["www-authenticate"], 'Basic realm="enrolment"');
  assert.equal((await post("simplereenroll", requestOf(newKeys()))).status, 401);
});

test("a request for a certificate that is none, of another key, or not signed by its key, is a bad request", async () => {
  await account();
  const keys = newKeys();
  const good = Buffer.from(requestOf(keys), "base64");
  const forged = Buffer.from(good);
  forged[forged.length - 1] = forged[forged.length - 1]! ^ 1;
  const swapped = Buffer.from(good);
  const at = swapped.indexOf(Buffer.from("phone"));
  swapped.write("paris", at);
  for (const body of [
    "",
    "!",
    "AAAA",
    forged.toString("base64"),
    swapped.toString("base64"),
    good.subarray(0, 80).toString("base64"),
  ]) {
    assert.equal((await post("simpleenroll", body, { pair: road.factory })).status, 400, body.slice(0, 10));
  }
  assert.equal(
    (await post("simpleenroll", requestOf(keys), { pair: road.factory, type: "text/plain" })).status,
    415,
  );
  const lines = requestOf(keys).replace(/(.{64})/g, "$1\r\n");
  assert.equal(
    (await post("simpleenroll", lines, { pair: road.factory })).status,
    200,
    "line ends are taken too",
  );
});

test("an unknown device is refused though its factory's certificate is good", async () => {
  assert.equal((await post("simpleenroll", requestOf(newKeys()), { pair: road.factory })).status, 403);
  assert.equal(lastReason(), "device_unknown");
  assert.equal(road.proxy.accounts(), 0);
});

test("a one-time token enrols a device that the proxy has never heard of, once", async () => {
  road.tokens.set("tok-1", { imsi: IMSI, msisdn: MSISDN, imei: null });
  const keys = newKeys();
  const own = issuedPair(await post("simpleenroll", requestOf(keys), { token: "tok-1" }), keys);
  assert.equal(await statusOf(own), 200);
  assert.equal(road.received.at(-1)?.identity.imsi, IMSI);
  assert.equal((await post("simpleenroll", requestOf(newKeys()), { token: "tok-1" })).status, 403);
  assert.equal(lastReason(), "token_refused");
});

test("a request that is refused whoever's the token is spends no token", async () => {
  await account();
  road.tokens.set("tok-1", { imsi: IMSI, msisdn: MSISDN, imei: null });
  const rsa = generateKeyPairSync("rsa", { modulusLength: 2_048 });
  const forged = Buffer.from(requestOf(newKeys()), "base64");
  forged[forged.length - 1] = forged[forged.length - 1]! ^ 1;
  const two = requestOf(newKeys(), {
    names: [IMEI, OTHER_IMEI].map((imei) => uri(imeiNameOf(parseImei(imei)))),
  });
  const unreadable = [
    "",
    "AAAA",
    forged.toString("base64"),
    rsa.publicKey.export({ type: "spki", format: "der" }).toString("base64"),
  ];
  for (const body of unreadable)
    assert.equal((await post("simpleenroll", body, { token: "tok-1" })).status, 400, body.slice(0, 20));
  assert.equal(
    (await post("simpleenroll", requestOf(newKeys()), { token: "tok-1", type: "text/plain" })).status,
    415,
  );
  assert.equal((await post("simpleenroll", two, { token: "tok-1" })).status, 403, "two devices");
  await road.proxy.setBlocked(IMEI, true);
  assert.equal((await post("simpleenroll", requestOf(newKeys()), { token: "tok-1" })).status, 403);
  assert.equal(lastReason(), "device_blocked");
  await road.proxy.setBlocked(IMEI, false);
  const keys = newKeys();
  assert.equal(
    await statusOf(issuedPair(await post("simpleenroll", requestOf(keys), { token: "tok-1" }), keys)),
    200,
  );
});

test("a client that writes no URI names its device as a DNS name, for enrolment by token and for renewal", async () => {
  road.tokens.set("tok-1", { imsi: IMSI, msisdn: MSISDN, imei: null });
  const keys = newKeys();
  const names = [{ kind: "dns", name: `imei-${IMEI}` }] as const;
  const own = issuedPair(await post("simpleenroll", requestOf(keys, { names }), { token: "tok-1" }), keys);
  const { subject, subjectAltName = "" } = new X509Certificate(own.certificate);
  assert.match(subjectAltName, /URI:urn:gsma:imei:35693803-564380-0/);
  assert.equal(await statusOf(own), 200);
  const next = newKeys();
  const commonName = subject.replace("CN=", "");
  const other = [{ kind: "dns", name: `imei-${OTHER_IMEI}` }] as const;
  const refused = await post("simplereenroll", requestOf(next, { commonName, names: other }), { pair: own });
  assert.equal(refused.status, 403);
  const renewed = await post("simplereenroll", requestOf(next, { commonName, names }), { pair: own });
  assert.equal(await statusOf(issuedPair(renewed, next)), 200);
});

test("a token whose device is another's, or that names none, enrols nobody", async () => {
  road.tokens.set("tok-1", { imsi: IMSI, msisdn: null, imei: OTHER_IMEI });
  assert.equal((await post("simpleenroll", requestOf(newKeys()), { token: "tok-1" })).status, 403);
  assert.equal(lastReason(), "device_mismatch");
  road.tokens.set("tok-2", { imsi: IMSI, msisdn: null, imei: null });
  assert.equal(
    (await post("simpleenroll", requestOf(newKeys(), { names: [] }), { token: "tok-2" })).status,
    403,
  );
  assert.equal(lastReason(), "no_device_id");
});

test("a token that is refused for what it is shown for is not spent: its own device enrols with it afterwards", async () => {
  road.tokens.set("tok-1", { imsi: IMSI, msisdn: MSISDN, imei: IMEI });
  const [others, none] = [[uri(imeiNameOf(parseImei(OTHER_IMEI)))], []];
  assert.equal(
    (await post("simpleenroll", requestOf(newKeys(), { names: others }), { token: "tok-1" })).status,
    403,
  );
  assert.equal(lastReason(), "device_mismatch");
  road.tokens.set("tok-2", { imsi: OTHER_IMSI, msisdn: null, imei: null });
  assert.equal(
    (await post("simpleenroll", requestOf(newKeys(), { names: none }), { token: "tok-2" })).status,
    403,
  );
  assert.equal(lastReason(), "no_device_id");
  assert.deepEqual([...road.tokens.keys()], ["tok-1", "tok-2"], "neither was spent");
  for (const [token, imei] of [
    ["tok-1", IMEI],
    ["tok-2", OTHER_IMEI],
  ] as const) {
    const keys = newKeys();
    const names = [uri(imeiNameOf(parseImei(imei)))];
    assert.equal(
      await statusOf(issuedPair(await post("simpleenroll", requestOf(keys, { names }), { token }), keys)),
      200,
    );
  }
  assert.equal(road.tokens.size, 0, "both are spent");
});

test("a server of the release before spends a token by the question, and the device enrols all the same", async () => {
  await road.close();
  road = await openParties({ spendsAlways: true });
  road.tokens.set("tok-1", { imsi: IMSI, msisdn: MSISDN, imei: null });
  const keys = newKeys();
  const own = issuedPair(await post("simpleenroll", requestOf(keys), { token: "tok-1" }), keys);
  assert.equal(await statusOf(own), 200);
  assert.equal(road.tokens.size, 0);
});

test("who tries handset after handset with one token is locked out, from whichever address; the token of another is good", async () => {
  road.tokens.set("tok-1", { imsi: IMSI, msisdn: MSISDN, imei: IMEI });
  const other = { names: [uri(imeiNameOf(parseImei(OTHER_IMEI)))] };
  const reasons: (string | undefined)[] = [];
  for (let time = 0; time < 6; time++) {
    assert.equal((await post("simpleenroll", requestOf(newKeys(), other), { token: "tok-1" })).status, 403);
    reasons.push(lastReason());
  }
  assert.deepEqual(reasons, [...Array(5).fill("device_mismatch"), "locked_out"]);
  assert.equal(
    (await post("simpleenroll", requestOf(newKeys()), { token: "tok-1" })).status,
    403,
    "its own device waits too",
  );
  road.tokens.set("tok-2", { imsi: OTHER_IMSI, msisdn: null, imei: OTHER_IMEI });
  assert.equal((await post("simpleenroll", requestOf(newKeys(), other), { token: "tok-2" })).status, 200);
});

test("who guesses at tokens is locked out by the address, whichever certificate of a factory is shown with them", async () => {
  const factory = await ensureAuthority(join(road.folder, "factory"), new Date());
  const nameless = pairOf(factory, { names: [] });
  for (let time = 0; time < 50; time++)
    assert.equal(
      (await post("simpleenroll", requestOf(newKeys()), { pair: nameless, token: `guess-${time}` })).status,
      403,
    );
  assert.equal(lastReason(), "token_refused");
  road.tokens.set("tok-1", { imsi: IMSI, msisdn: MSISDN, imei: IMEI });
  assert.equal(
    (await post("simpleenroll", requestOf(newKeys()), { pair: nameless, token: "tok-1" })).status,
    403,
  );
  assert.equal(lastReason(), "locked_out");
  assert.ok(road.tokens.has("tok-1"));
});

test("who holds a token for his own SIM cannot take over another's handset by claiming its number", async () => {
  await account();
  const own = await enrolled();
  road.tokens.set("tok-1", { imsi: OTHER_IMSI, msisdn: null, imei: null });
  assert.equal((await post("simpleenroll", requestOf(newKeys()), { token: "tok-1" })).status, 403);
  assert.equal(lastReason(), "device_mismatch");
  assert.equal(await statusOf(own), 200);
});

test("another SIM in the handset breaks the bond; a new enrolment binds the new SIM", async () => {
  await account();
  const own = await enrolled();
  line = { imsi: IMSI, msisdn: MSISDN, deviceId: null };
  assert.equal(await statusOf(own), 200);
  line = { imsi: OTHER_IMSI, msisdn: null, deviceId: null };
  assert.equal(await statusOf(own), 403);
  assert.equal(lastReason(), "bond_broken");
  line = null;
  assert.equal(await statusOf(own), 403, "broken stays broken, also where nothing tells the SIM");
  line = { imsi: OTHER_IMSI, msisdn: null, deviceId: null };
  const renewed = await enrolled();
  assert.equal(await statusOf(renewed), 200);
  assert.equal(road.received.at(-1)?.identity.imsi, OTHER_IMSI);
  assert.equal(road.received.at(-1)?.identity.msisdn, null, "the old SIM's number is not the new one's");
});

test("the SIM in another handset breaks the first one's bond", async () => {
  await account();
  const first = await enrolled();
  road.tokens.set("tok-1", { imsi: IMSI, msisdn: MSISDN, imei: OTHER_IMEI });
  const keys = newKeys();
  const names = [uri(imeiNameOf(parseImei(OTHER_IMEI)))];
  const second = issuedPair(await post("simpleenroll", requestOf(keys, { names }), { token: "tok-1" }), keys);
  assert.equal(await statusOf(second), 200);
  assert.equal(await statusOf(first), 403);
  assert.equal(lastReason(), "bond_broken");
  assert.equal((await post("simpleenroll", requestOf(newKeys()), { pair: road.factory })).status, 403);
});

test("the operator's word that another SIM is in the handset breaks the bond until it enrols anew", async () => {
  await account();
  const own = await enrolled();
  await road.proxy.keepAccounts([{ deviceId: IMEI, imsi: OTHER_IMSI, msisdn: null }]);
  assert.equal(await statusOf(own), 403);
  const renewed = await enrolled();
  assert.equal(await statusOf(renewed), 200);
  assert.equal(road.received.at(-1)?.identity.imsi, OTHER_IMSI);
});

test("accounts that are opened again, from an old list, break no bond that was made since", async () => {
  await account();
  line = { imsi: OTHER_IMSI, msisdn: null, deviceId: null };
  const own = await enrolled();
  await road.proxy.openAccounts([{ deviceId: IMEI, imsi: IMSI, msisdn: MSISDN }]);
  assert.equal(await statusOf(own), 200);
  assert.equal(road.received.at(-1)?.identity.imsi, OTHER_IMSI);
});

test("a device that claims an account's number with a certificate that is not the account's key is refused", async () => {
  await account();
  const own = await enrolled();
  assert.equal(await statusOf(own), 200);
  const { enrolment } = road.certificates.proxy;
  const authority: Pair = {
    certificate: enrolment.certificate,
    key: enrolment.privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
  };
  const uuid =
    /urn:turnup:device:[0-9a-f-]+/.exec(new X509Certificate(own.certificate).subjectAltName ?? "")?.[0] ?? "";
  const stray = pairOf(authority, { names: [uri(imeiNameOf(parseImei(IMEI))), uri(uuid)] });
  assert.equal(await statusOf(stray), 403);
  assert.equal(lastReason(), "certificate_retired");
  const mixed = pairOf(authority, { names: [uri(imeiNameOf(parseImei(OTHER_IMEI))), uri(uuid)] });
  assert.equal(await statusOf(mixed), 403);
  assert.equal(lastReason(), "device_mismatch");
});

test("a blocked device neither passes nor enrols, until it is released", async () => {
  await account();
  const own = await enrolled();
  await road.proxy.setBlocked(IMEI, true);
  assert.equal(await statusOf(own), 403);
  assert.equal(lastReason(), "device_blocked");
  assert.equal((await post("simpleenroll", requestOf(newKeys()), { pair: road.factory })).status, 403);
  await road.proxy.setBlocked(IMEI, false);
  assert.equal(await statusOf(own), 200);
});

test("what is written down of a refusal names no identifier in clear", async () => {
  await account();
  await road.proxy.setBlocked(IMEI, true);
  await statusOf(road.factory);
  const [record] = road.records;
  assert.equal(record?.device, "35693803*******");
  assert.doesNotMatch(JSON.stringify(road.records), new RegExp(`${IMEI}|${IMSI}|${MSISDN}`));
});

test("where it is wanted, a device with TLS 1.2 alone is let in, by ciphers that keep what was said; a new handshake each time", async () => {
  await account();
  await road.restartProxy({ olderTls: true });
  const older = { maxVersion: "TLSv1.2" } as const;
  assert.equal((await road.air(road.start(), { pair: road.factory, tls: older })).status, 200);
  assert.equal((await road.air(road.start(), { pair: road.factory })).status, 200);
  const stranger = pairOf(strangerAuthority());
  await assert.rejects(road.air(road.start(), { pair: stranger, tls: older }));
  await assert.rejects(road.air(road.start(), { pair: road.factory, tls: { maxVersion: "TLSv1.1" } }));
  const shake = async (more: ConnectionOptions) => {
    const { hostname: host, port } = new URL(road.proxy.url);
    const ca = road.certificates.proxy.airAuthority;
    const { key, certificate: cert } = road.factory;
    const socket = connect({ host, port: Number(port), ca, key, cert, ...older, ...more });
    await once(socket, "secureConnect");
    const found = {
      session: socket.getSession(),
      isReused: socket.isSessionReused(),
      cipher: socket.getCipher(),
    };
    socket.destroy();
    return found;
  };
  const first = await shake({});
  assert.match(first.cipher.name, /^ECDHE-ECDSA-(?:AES(?:128|256)-GCM|CHACHA20)/);
  assert.equal((await shake({ session: first.session })).isReused, false);
  for (const ciphers of [
    "ECDHE-ECDSA-AES128-SHA",
    "ECDHE-ECDSA-AES256-SHA384",
    "AES128-GCM-SHA256",
    "DHE-RSA-AES128-GCM-SHA256",
  ])
    await assert.rejects(shake({ ciphers }));
});
