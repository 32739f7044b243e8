/** Stories of the key server and its client over real mutual TLS. */
import assert from "node:assert/strict";
import { appendFile, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "node:tls";
import { afterEach, beforeEach, test } from "vitest";
import { createMakerClient, type KeyOutcome } from "../../net/maker/client.ts";
import { hexOf } from "../../wire/hex.ts";
import { verifyDeviceKey } from "../../wire/message/device-key.ts";
import { decodeDeviceKey } from "../../wire/message/device-key-form.ts";
import { ensureMakerCertificates, type MakerCertificates } from "../certificates/certificates.ts";
import { type Maker, startMaker } from "./maker.ts";

type MakerClientOptions = Parameters<typeof createMakerClient>[0];

const IMEI_A = "356938035643809";
const IMEI_B = "356938035643817";
const NOW = new Date();
const policy = {
  issuer: "maker-one",
  clients: [
    { id: "operator-one", feeMinor: 300, portionBasisPoints: 4_000, currency: "EUR" },
    { id: "operator-two", feeMinor: 300, portionBasisPoints: 3_000, currency: "EUR" },
  ],
  makes: ["Nokia"],
  modelOf: (tac: string) =>
    tac === "35693803"
      ? { make: "Nokia", model: "6021" }
      : tac === "35000000"
        ? { make: "Other", model: "X" }
        : undefined,
  offerOf: () => ({
    accessPoints: [{ apn: "mms.maker-one", use: "mms", authType: "none" } as const],
    hosts: ["mms.maker-one.example"],
  }),
  deleteAfterUse: true,
  validityMs: 30 * 86_400_000,
};

let folder = "";
let certificates: MakerCertificates;
let maker: Maker;
const closers: (() => void | Promise<void>)[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "turnup-maker-"));
  certificates = await ensureMakerCertificates({
    folder: join(folder, "certificates"),
    clientIds: ["operator-one", "operator-two", "operator-unknown"],
    now: NOW,
  });
  await start();
});
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
  await rm(folder, { recursive: true });
});

async function start(changes: Partial<typeof policy> & { allowModelOnly?: boolean } = {}): Promise<void> {
  maker = await startMaker({
    port: 0,
    certificates,
    journalFolder: join(folder, "journal"),
    policy: { ...policy, ...changes },
  });
  const started = maker;
  closers.push(() => started.close());
}

function clientAs(id: string, changes: Partial<MakerClientOptions> = {}) {
  const pair = certificates.clients.get(id);
  assert.ok(pair);
  const client = createMakerClient({
    url: maker.url,
    ...pair,
    authority: certificates.authority,
    timeoutMs: 5_000,
    ...changes,
  });
  closers.push(client.close);
  return client;
}

const asked = (requestId: string, imei: string) => ({
  requestId,
  uniqueId: { imei },
  model: { make: "Nokia", model: "6021", tac: imei.slice(0, 8) },
});
function keyOf(outcome: KeyOutcome | undefined): Uint8Array {
  assert.ok(outcome?.kind === "issued", JSON.stringify(outcome));
  return outcome.keyBytes;
}
const trusted = (issuer: string) => (issuer === "maker-one" ? certificates.signing.publicKey : undefined);

test("each handset gets a key of its own, which no other handset takes", async () => {
  const client = clientAs("operator-one");
  const [forA, forB] = (await client.requestKeys([asked("a", IMEI_A), asked("b", IMEI_B)])).map(keyOf);
  assert.ok(forA && forB);
  assert.notDeepEqual(decodeDeviceKey(forA).keyId, decodeDeviceKey(forB).keyId);
  assert.equal(verifyDeviceKey(forA, trusted, IMEI_A, NOW).kind, "valid");
  const verdict = verifyDeviceKey(forA, trusted, IMEI_B, NOW);
  assert.ok(verdict.kind === "refused" && verdict.reason === "foreign_key");
});

test("a request repeated, even at the same moment, gets the same key", async () => {
  const client = clientAs("operator-one");
  const all = await Promise.all(Array.from({ length: 20 }, () => client.requestKeys([asked("a", IMEI_A)])));
  assert.equal(new Set(all.map(([outcome]) => hexOf(keyOf(outcome)))).size, 1);
  assert.equal(maker.keyServer.size(), 1);
});

test("a handset asked for under another request gets a new key, which replaces the one before", async () => {
  const client = clientAs("operator-one");
  const [first] = (await client.requestKeys([asked("a", IMEI_A)])).map(keyOf);
  const [second] = (await client.requestKeys([asked("b", IMEI_A)])).map(keyOf);
  assert.notDeepEqual(second, first);
  const page = await client.issuedKeys();
  assert.ok(page.kind === "answered");
  assert.deepEqual(
    page.answer.keys.map(({ replacedBy }) => replacedBy),
    [hexOf(decodeDeviceKey(second!).keyId), undefined],
  );
  assert.deepEqual(
    (await client.requestKeys([asked("a", IMEI_A)])).map(keyOf),
    [first],
    "a repeat is a repeat",
  );
});

const refusals: [string, object, string][] = [
  ["of another make", { uniqueId: { imei: "350000000000006" } }, "not_our_make"],
  ["of no known model", { uniqueId: { imei: "990000862471854" } }, "unknown_model"],
  [
    "named by its model only",
    { model: { make: "Nokia", model: "6021", tac: "35693803" } },
    "unique_id_required",
  ],
  [
    "whose number is not of the model named",
    { uniqueId: { imei: IMEI_A }, model: { make: "Other", model: "X", tac: "35000000" } },
    "malformed",
  ],
];
for (const [what, request, code] of refusals) {
  test(`a handset ${what} is refused (${code}) while its neighbour in the batch gets a key`, async () => {
    const outcomes = await clientAs("operator-one").requestKeys([
      { requestId: "bad", ...request },
      asked("good", IMEI_A),
    ]);
    const [bad, good] = outcomes;
    assert.ok(bad?.kind === "refused");
    assert.equal(bad.code, code);
    keyOf(good);
  });
}

test("a maker that allows it makes a key for a model, marked as such", async () => {
  await maker.close();
  await start({ allowModelOnly: true });
  const { model } = asked("a", IMEI_A);
  const [outcome] = await clientAs("operator-one").requestKeys([{ requestId: "m", model }]);
  assert.equal(decodeDeviceKey(keyOf(outcome)).boundTo, "model");
});

test("no certificate, and one of a stranger's authority, are refused in the handshake, counted, and get no answer", async () => {
  const strangers = await ensureMakerCertificates({
    folder: join(folder, "strangers"),
    clientIds: ["operator-one"],
    now: NOW,
  });
  const stranger = clientAs("operator-one", strangers.clients.get("operator-one"));
  const [refused] = await stranger.requestKeys([asked("a", IMEI_A)]);
  assert.ok(refused?.kind === "failed");
  assert.equal(refused.cause, "unauthorised", refused.detail);

  const answer = await new Promise<string>((resolve) => {
    const socket = connect({ port: maker.port, host: "127.0.0.1", ca: certificates.authority });
    socket.on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? "error"));
    socket.on("data", (data) => resolve(data.toString()));
    socket.write("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
  });
  assert.match(answer, /CERTIFICATE_REQUIRED/);
  assert.equal(maker.keyServer.size(), 0);
  assert.equal(maker.refusals().no_certificate, 1);
  assert.equal(maker.refusals().wrong_authority, 2, "once with the request, once to hear why it was cut");
});

test("a certificate of the right authority without a contract is unauthorised", async () => {
  const [outcome] = await clientAs("operator-unknown").requestKeys([asked("a", IMEI_A)]);
  assert.ok(outcome?.kind === "failed");
  assert.equal(outcome.cause, "unauthorised");
  assert.equal(maker.refusals().no_contract, 1);
});

test("TLS 1.2 is refused", async () => {
  const code = await new Promise<string>((resolve) => {
    const pair = certificates.clients.get("operator-one")!;
    const socket = connect({
      port: maker.port,
      host: "127.0.0.1",
      ca: certificates.authority,
      cert: pair.certificate,
      key: pair.key,
      maxVersion: "TLSv1.2",
    });
    socket.on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? "error"));
    socket.on("secureConnect", () => resolve("connected"));
  });
  assert.match(code, /PROTOCOL_VERSION/);
});

test("a server of another authority gets no request", async () => {
  const strangers = await ensureMakerCertificates({
    folder: join(folder, "strangers"),
    clientIds: [],
    now: NOW,
  });
  const [outcome] = await clientAs("operator-one", { authority: strangers.authority }).requestKeys([
    asked("a", IMEI_A),
  ]);
  assert.ok(outcome?.kind === "failed");
  assert.equal(outcome.cause, "tls");
});

test("with the tunnel down nothing leaves; with it up the same request goes through", async () => {
  let up = false;
  const interfaces = () => (up ? { wg0: ["127.0.0.1"] } : { eth0: ["192.0.2.1"] });
  const client = clientAs("operator-one", { tunnel: { interfaceName: "wg0" }, interfaces });
  const [down] = await client.requestKeys([asked("a", IMEI_A)]);
  assert.ok(down?.kind === "failed");
  assert.equal(down.cause, "tunnel_down");
  assert.equal(maker.keyServer.size(), 0);
  up = true;
  keyOf((await client.requestKeys([asked("a", IMEI_A)]))[0]);
  up = false;
  const [again] = await client.requestKeys([asked("b", IMEI_B)]);
  assert.ok(again?.kind === "failed" && again.cause === "tunnel_down");
  assert.equal(maker.keyServer.size(), 1);
});

test("plain http is refused before anything is sent", () => {
  assert.throws(() => clientAs("operator-one", { url: "http://127.0.0.1:1" }), RangeError);
});

/** A server with the maker's certificate that answers what a test wants. */
async function impostor(answer: (body: string) => { status?: number; text: string } | undefined) {
  const server = createServer(
    { cert: certificates.server.certificate, key: certificates.server.key },
    (request, response) => {
      let body = "";
      request.on("data", (chunk) => (body += chunk));
      request.on("end", () => {
        const answered = answer(body);
        if (!answered) return; // never answers
        response.writeHead(answered.status ?? 200, { "content-type": "application/json" });
        response.end(answered.text);
      });
    },
  );
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closers.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const wrongAnswers: [string, () => { status?: number; text: string } | undefined, string][] = [
  ["that is no JSON", () => ({ text: "<html>" }), "bad_answer"],
  ["of another shape", () => ({ text: '{"keys":[{"requestId":"a"}]}' }), "bad_answer"],
  ["to a request never made", () => ({ text: '{"keys":[{"requestId":"z","key":"AQ=="}]}' }), "bad_answer"],
  [
    "given twice",
    () => ({ text: '{"keys":[{"requestId":"a","key":"AQ=="},{"requestId":"a","key":"Ag=="}]}' }),
    "bad_answer",
  ],
  ["longer than allowed", () => ({ text: `"${"x".repeat(3 << 20)}"` }), "bad_answer"],
  ["that it is too busy", () => ({ status: 503, text: "{}" }), "busy"],
  ["that never comes", () => undefined, "timeout"],
];
for (const [what, answer, cause] of wrongAnswers) {
  test(`an answer ${what} is a value, ${cause}, and nothing is thrown`, async () => {
    const url = await impostor(answer);
    const timeoutMs = cause === "timeout" ? 500 : 10_000;
    const [outcome] = await clientAs("operator-one", { url, timeoutMs }).requestKeys([asked("a", IMEI_A)]);
    assert.ok(outcome?.kind === "failed", JSON.stringify(outcome));
    assert.equal(outcome.cause, cause);
  });
}

test("a key made for another handset is noticed by its binding, not run", async () => {
  const [forB] = (await clientAs("operator-one").requestKeys([asked("b", IMEI_B)])).map(keyOf);
  const url = await impostor(() => ({
    text: JSON.stringify({ keys: [{ requestId: "a", key: Buffer.from(forB!).toString("base64") }] }),
  }));
  const [outcome] = await clientAs("operator-one", { url }).requestKeys([asked("a", IMEI_A)]);
  const verdict = verifyDeviceKey(keyOf(outcome), trusted, IMEI_A, NOW);
  assert.ok(verdict.kind === "refused" && verdict.reason === "foreign_key");
});

test("a request that no maker could read is refused here, and does not spoil the batch", async () => {
  const [bad, good] = await clientAs("operator-one").requestKeys([
    { requestId: "bad", uniqueId: { imei: "not a number" } },
    asked("good", IMEI_A),
  ]);
  assert.ok(bad?.kind === "refused" && bad.code === "malformed");
  keyOf(good);
});

test("nobody there is unreachable", async () => {
  const client = clientAs("operator-one", { url: "https://127.0.0.1:1" });
  const [outcome] = await client.requestKeys([asked("a", IMEI_A)]);
  assert.ok(outcome?.kind === "failed" && outcome.cause === "unreachable");
});

test("what is due follows the download, what came follows the advice, and every difference is told", async () => {
  const client = clientAs("operator-one");
  const keys = (await client.requestKeys([asked("a", IMEI_A), asked("b", IMEI_B)])).map(keyOf);
  const [a, b] = keys.map((key) => hexOf(decodeDeviceKey(key).keyId)) as [string, string];
  const at = NOW;
  await client.reportDownloads([{ keyId: a, at }]);
  const again = await client.reportDownloads([
    { keyId: a, at },
    { keyId: "00".repeat(16), at },
  ]);
  assert.deepEqual(again, { kind: "noted", accepted: 0, repeated: 1, unknown: ["00".repeat(16)] });
  await client.reportPayments([
    { paymentId: "p1", keyId: a, amountMinor: 100, currency: "EUR", at },
    { paymentId: "p2", keyId: b, amountMinor: 120, currency: "EUR", at },
  ]);
  const before = await client.paymentStates();
  assert.ok(before.kind === "answered");
  assert.deepEqual(
    before.answer.payments.map(({ state, dueMinor, receivedMinor }) => [state, dueMinor, receivedMinor]),
    [
      ["differs", 120, 100],
      ["paid_without_download", 0, 120],
    ],
  );
  assert.deepEqual(before.answer.totals, {
    dueMinor: 120,
    receivedMinor: 220,
    differences: 2,
    currency: "EUR",
  });
  await client.reportDownloads([{ keyId: b, at }]);
  await client.reportPayments([{ paymentId: "p3", keyId: a, amountMinor: 20, currency: "EUR", at }]);
  await client.reportPayments([{ paymentId: "p3", keyId: a, amountMinor: 20, currency: "EUR", at }]);
  const after = await client.paymentStates({ limit: 1 });
  assert.ok(after.kind === "answered");
  assert.equal(after.answer.next, a);
  assert.deepEqual(after.answer.totals, {
    dueMinor: 240,
    receivedMinor: 240,
    differences: 0,
    currency: "EUR",
  });
});

test("an operator sees and changes only its own keys", async () => {
  const [key] = (await clientAs("operator-one").requestKeys([asked("a", IMEI_A)])).map(keyOf);
  const keyId = hexOf(decodeDeviceKey(key!).keyId);
  const two = clientAs("operator-two");
  const noted = await two.reportDownloads([{ keyId, at: NOW }]);
  assert.deepEqual(noted, { kind: "noted", accepted: 0, repeated: 0, unknown: [keyId] });
  const list = await two.issuedKeys();
  assert.ok(list.kind === "answered");
  assert.deepEqual(list.answer.keys, []);
});

test("after a restart the same request gets the same key, and the accounts stand as they stood", async () => {
  const client = clientAs("operator-one");
  const [key] = (await client.requestKeys([asked("a", IMEI_A)])).map(keyOf);
  const keyId = hexOf(decodeDeviceKey(key!).keyId);
  await client.reportDownloads([{ keyId, at: NOW }]);
  await client.reportPayments([{ paymentId: "p1", keyId, amountMinor: 120, currency: "EUR", at: NOW }]);
  await maker.close();
  await start();
  const later = clientAs("operator-one");
  assert.deepEqual((await later.requestKeys([asked("a", IMEI_A)])).map(keyOf), [key]);
  const page = await later.paymentStates();
  assert.ok(page.kind === "answered");
  assert.equal(page.answer.payments[0]?.state, "paid");
});

test("the journal holds no IMEI, key or request id in clear", async () => {
  const [key] = (await clientAs("operator-one").requestKeys([asked("readable-id", IMEI_A)])).map(keyOf);
  await maker.close();
  const path = join(folder, "journal", "maker-journal");
  const text = await readFile(path, "utf8");
  const decoded = text
    .split("\n")
    .map((line) => Buffer.from(line, "base64").toString("latin1"))
    .join();
  for (const secret of [IMEI_A.slice(0, 14), "readable-id", "35693803", Buffer.from(key!).toString("base64")])
    assert.ok(!text.includes(secret) && !decoded.includes(secret), secret);
  assert.equal((await stat(path)).mode & 0o077, 0);
});

test("a line that a power cut left half is dropped; damage before the end stops the start", async () => {
  const client = clientAs("operator-one");
  const [key] = (await client.requestKeys([asked("a", IMEI_A)])).map(keyOf);
  await client.requestKeys([asked("b", IMEI_B)]);
  await maker.close();
  const path = join(folder, "journal", "maker-journal");
  await appendFile(path, "aGFsZiBhIGxpbmU");
  await start();
  const [next] = (await clientAs("operator-two").requestKeys([asked("c", IMEI_A)])).map(keyOf);
  await maker.close();
  await start();
  assert.deepEqual((await clientAs("operator-one").requestKeys([asked("a", IMEI_A)])).map(keyOf), [key]);
  assert.deepEqual((await clientAs("operator-two").requestKeys([asked("c", IMEI_A)])).map(keyOf), [next]);
  await maker.close();
  const [first = "", second = ""] = (await readFile(path, "utf8")).split("\n");
  await writeFile(path, `${second}\n${first}\n`);
  await assert.rejects(start(), { code: "journal_damaged" });
});

test("two key servers cannot share a journal", async () => {
  await assert.rejects(start(), { code: "journal_in_use" });
});

test("certificates are made once, kept while they last, made anew before they end, and private", async () => {
  const files = join(folder, "certificates");
  const options = { folder: files, clientIds: ["operator-one"] };
  const again = await ensureMakerCertificates({ ...options, now: NOW });
  assert.equal(again.server.certificate, certificates.server.certificate);
  const later = await ensureMakerCertificates({
    ...options,
    now: new Date(NOW.getTime() + 380 * 86_400_000),
  });
  assert.notEqual(later.server.certificate, certificates.server.certificate);
  assert.equal(later.authority, certificates.authority);
  for (const name of await readdir(files))
    assert.equal((await stat(join(files, name))).mode & 0o077, 0, name);
});
