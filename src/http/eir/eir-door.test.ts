/** The door of a 5G-EIR over HTTP/2 and HTTP/1.1, as AMFs and plain tools ask it (3GPP TS 29.511), and tokens of an NRF. */
import assert from "node:assert/strict";
import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { once } from "node:events";
import { type ClientHttp2Session, connect, type IncomingHttpHeaders } from "node:http2";
import { connect as connectTcp } from "node:net";
import { connect as connectTls } from "node:tls";
import { SignJWT } from "jose";
import { test } from "vitest";
import { pairOf, strangerAuthority } from "../../../test/fixture/parties.ts";
import { whenDone } from "../../../test/fixture/when-done.ts";
import type { Equipment, EquipmentAnswer } from "../../kernel/equipment/equipment.ts";
import { mutualTls } from "../mutual-tls.ts";
import { tokenCheck } from "./core-token.ts";
import { openEirDoor } from "./eir-door.ts";
import { readEquipmentQuery } from "./equipment-query.ts";

const ROOT = "/n5g-eir-eic/v1/equipment-status";
const PEI = "pei=imei-356938035643809";

async function door(
  options: {
    tls?: ReturnType<typeof mutualTls>;
    answer?: EquipmentAnswer;
    prefix?: string;
    key?: KeyObject;
    isKnown?: boolean;
    nowMs?: () => number;
    closeMs?: number;
  } = {},
) {
  const asked: Equipment[] = [];
  const outcomes: string[] = [];
  const faults: unknown[] = [];
  const opened = await openEirDoor({
    ...{ host: "127.0.0.1", port: 0, prefix: options.prefix ?? "", tls: options.tls },
    clientAt: () => ((options.isKnown ?? true) ? { name: "amf" } : undefined),
    check(_, equipment) {
      asked.push(equipment);
      return options.answer ?? "white";
    },
    tokenFault: options.key
      ? tokenCheck({ keys: [options.key], instanceId: undefined, nowMs: options.nowMs ?? (() => 0) })
      : () => undefined,
    onOutcome: (outcome) => void outcomes.push(outcome),
    onFault: (error) => void faults.push(error),
    ...(options.closeMs !== undefined && { closeMs: options.closeMs }),
  });
  whenDone(async () => {
    await opened.close();
    assert.deepEqual(faults, []);
  });
  return { ...opened, asked, outcomes, url: `http://127.0.0.1:${opened.port}` };
}

function session(url: string, identity: object = {}): ClientHttp2Session {
  const client = connect(url, identity);
  client.on("error", () => undefined);
  whenDone(() => client.destroy());
  return client;
}
async function ask(client: ClientHttp2Session, path: string, headers: Record<string, string> = {}) {
  const stream = client.request({ ":path": path, ...headers });
  const responded = once(stream, "response");
  let body = "";
  stream.setEncoding("utf8").on("data", (chunk) => (body += chunk));
  const ended = once(stream, "end");
  const [head] = (await responded) as [IncomingHttpHeaders];
  await ended;
  return {
    status: Number(head[":status"]),
    type: head["content-type"],
    head,
    body: JSON.parse(body || "null"),
  };
}

test("an AMF's question over HTTP/2 is answered with one word, and says which SIM is in which handset", async () => {
  for (const [answer, status] of [
    ["white", "WHITELISTED"],
    ["grey", "GREYLISTED"],
    ["black", "BLACKLISTED"],
  ] as const) {
    const { url, asked } = await door({ answer });
    const {
      status: code,
      type,
      body,
    } = await ask(
      session(url),
      `${ROOT}?pei=imeisv-3569380356438091&supi=imsi-234150000000001&gpsi=msisdn-447700900123&supported-features=0`,
      { "user-agent": "AMF", "3gpp-sbi-max-rsp-time": "1000" },
    );
    assert.deepEqual([code, type, body], [200, "application/json", { status }]);
    assert.deepEqual(asked, [
      {
        ...{ imei: "3569380356438091", softwareVersion: undefined, imsi: "234150000000001" },
        ...{ msisdn: "447700900123", visited: undefined },
      },
    ]);
  }
  const { url } = await door({ answer: "unknown" });
  const { status, type, body } = await ask(session(url), `${ROOT}?${PEI}`);
  assert.deepEqual([status, type, body.cause], [404, "application/problem+json", "ERROR_EQUIPMENT_UNKNOWN"]);
});

test("the same port answers HTTP/1.1, whose request may come octet by octet", async () => {
  const { url, port, asked } = await door();
  const plain = await fetch(`${url}${ROOT}?${PEI}`);
  assert.deepEqual([plain.status, await plain.json()], [200, { status: "WHITELISTED" }]);
  const socket = connectTcp(port, "127.0.0.1");
  whenDone(() => void socket.destroy());
  socket.setNoDelay(true);
  for (const octet of `GET ${ROOT}?${PEI} HTTP/1.1\r\nHost: eir\r\nConnection: close\r\n\r\n`)
    socket.write(octet);
  let text = "";
  socket.setEncoding("utf8").on("data", (chunk) => (text += chunk));
  await once(socket, "close");
  assert.match(text, /^HTTP\/1\.1 200 [\s\S]*\{"status":"WHITELISTED"\}$/);
  assert.equal(asked.length, 2);
});

test("200 questions at once on one connection are answered each, and a door that closes answers what was asked", async () => {
  const { url, asked, close } = await door();
  const client = session(url);
  const answers = Array.from({ length: 200 }, (_, n) =>
    ask(client, `${ROOT}?pei=imei-35693803564${String(n).padStart(4, "0")}`),
  );
  await once(client, "remoteSettings");
  const all = await Promise.all(answers);
  assert.ok(all.every(({ status }) => status === 200));
  assert.equal(new Set(asked.map(({ imei }) => imei)).size, 200);
  const last = ask(client, `${ROOT}?${PEI}`);
  const goaway = once(client, "goaway");
  const [{ status }] = await Promise.all([last, last.then(close), goaway]);
  assert.equal(status, 200);
});

test("what is wrong with a question is told by its cause and its parameter", async () => {
  const { url, asked } = await door();
  const client = session(url);
  for (const [path, status, cause, param] of [
    [ROOT, 400, "MANDATORY_QUERY_PARAM_MISSING", "query pei"],
    [`${ROOT}?pei=356938035643809`, 400, "MANDATORY_QUERY_PARAM_INCORRECT", "query pei"],
    [`${ROOT}?pei=imei-35693803564380`, 400, "MANDATORY_QUERY_PARAM_INCORRECT", "query pei"],
    [`${ROOT}?${PEI}&supi=234150000000001`, 400, "OPTIONAL_QUERY_PARAM_INCORRECT", "query supi"],
    [`${ROOT}?${PEI}&gpsi=msisdn-%2B447700900123`, 400, "OPTIONAL_QUERY_PARAM_INCORRECT", "query gpsi"],
    [
      `${ROOT}?${PEI}&supported-features=xyz`,
      400,
      "OPTIONAL_QUERY_PARAM_INCORRECT",
      "query supported-features",
    ],
    [`/n5g-eir-eic/v2/equipment-status?${PEI}`, 404, "RESOURCE_URI_STRUCTURE_NOT_FOUND", undefined],
    [`/?${PEI}`, 404, "RESOURCE_URI_STRUCTURE_NOT_FOUND", undefined],
    [`${ROOT}?${PEI}&x=${"x".repeat(2_048)}`, 414, undefined, undefined],
  ] as const) {
    const { status: code, type, body } = await ask(client, path);
    assert.deepEqual(
      [code, type, body.status, body.cause, body.invalidParams?.[0]?.param],
      [status, "application/problem+json", status, cause, param],
      path,
    );
  }
  const posted = await ask(client, `${ROOT}?${PEI}`, { ":method": "POST" });
  assert.deepEqual([posted.status, posted.head.allow], [405, "GET"]);
  assert.deepEqual(asked, []);
});

test("a door with TLS closes although somebody never ends the handshake, or drips a request of HTTP/1.1", async () => {
  const authority = strangerAuthority();
  const own = pairOf(authority, { purpose: "server", names: [{ kind: "dns", name: "localhost" }] });
  const tls = mutualTls({ ...own, authorities: authority.certificate }, { admitsOlder: true });
  const { port, close } = await door({ tls, closeMs: 50 });
  const { certificate: cert, key } = pairOf(authority);
  const silent = connectTcp(port, "127.0.0.1");
  const place = { host: "127.0.0.1", port, ca: authority.certificate, servername: "localhost" };
  const dripping = connectTls({ ...place, cert, key, ALPNProtocols: ["http/1.1"] });
  for (const socket of [silent, dripping]) {
    socket.on("error", () => undefined);
    whenDone(() => void socket.destroy());
  }
  await Promise.all([once(silent, "connect"), once(dripping, "secureConnect")]);
  await new Promise<unknown>((written) => dripping.write(`GET ${ROOT} HTTP/1.1\r\nHost:`, written));
  await close();
});

test("other certificates are shown to functions that connect from now on, by HTTP/2 still", async () => {
  const authority = strangerAuthority();
  const [before, after] = ["before.example", "after.example"].map((name) =>
    pairOf(authority, { purpose: "server", names: [{ kind: "dns", name }] }),
  );
  const tlsWith = (own: typeof before) =>
    mutualTls({ ...(own ?? assert.fail()), authorities: authority.certificate }, { admitsOlder: true });
  const { port, changeTls } = await door({ tls: tlsWith(before) });
  const shown = (): Promise<unknown> =>
    new Promise((done) => {
      const place = { host: "127.0.0.1", port, ca: authority.certificate, ALPNProtocols: ["h2"] };
      const socket = connectTls({ ...place, checkServerIdentity: () => undefined });
      socket.on("error", () => undefined); // it has no certificate to show
      socket.on("secureConnect", () => {
        done([socket.alpnProtocol, socket.getPeerX509Certificate()?.subjectAltName]);
        socket.destroy();
      });
    });
  assert.deepEqual(await shown(), ["h2", "DNS:before.example"]);
  changeTls(tlsWith(after));
  assert.deepEqual(await shown(), ["h2", "DNS:after.example"]);
});

test("the forms of a device, and of who has it; a gateway without IMEI is white and nobody's handset", async () => {
  const handset = (query: string) => {
    const read = readEquipmentQuery(query);
    return "cause" in read ? assert.fail(read.cause) : read.handset;
  };
  assert.equal(handset("pei=imei-356938035643800")?.imei, "356938035643800");
  assert.equal(handset("pei=mac-00-11-22-33-44-55"), undefined);
  assert.equal(handset("pei=mac-00-11-22-33-44-55-untrusted"), undefined);
  assert.equal(handset("pei=eui-00-11-22-33-44-55-66-77"), undefined);
  assert.equal(handset(`${PEI}&supi=nai-type1.rid678@home`)?.imsi, undefined);
  assert.equal(handset(`${PEI}&gpsi=extid-one@home`)?.msisdn, undefined);
  const { url, asked, outcomes } = await door({ answer: "black" });
  const { body } = await ask(session(url), `${ROOT}?pei=mac-00-11-22-33-44-55`);
  assert.deepEqual([body, asked, outcomes], [{ status: "WHITELISTED" }, [], ["no_handset"]]);
});

test("an API root of its own stands in front of the path, and nowhere else", async () => {
  const { url } = await door({ prefix: "/eir" });
  const client = session(url);
  assert.equal((await ask(client, `/eir${ROOT}?${PEI}`)).status, 200);
  assert.equal((await ask(client, `${ROOT}?${PEI}`)).status, 404);
});

test("who is not named is cut off before a word", async () => {
  const { url, outcomes } = await door({ isKnown: false });
  await assert.rejects(fetch(`${url}${ROOT}?${PEI}`));
  assert.ok(outcomes.every((outcome) => outcome === "unknown_client") && outcomes.length > 0);
});

test("with TLS who shows a certificate of the authority is answered by HTTP/2; who shows none, or another's, hears nothing", async () => {
  const [authority, other] = [strangerAuthority(), strangerAuthority()];
  const own = pairOf(authority, { purpose: "server", names: [{ kind: "dns", name: "localhost" }] });
  const tls = mutualTls({ ...own, authorities: authority.certificate }, { admitsOlder: true });
  const { port, asked, outcomes } = await door({ tls });
  const place = { ca: authority.certificate, servername: "localhost" };
  const { certificate: cert, key } = pairOf(authority);
  const { status, body } = await ask(
    session(`https://127.0.0.1:${port}`, { ...place, cert, key }),
    `${ROOT}?${PEI}`,
  );
  assert.deepEqual([status, body], [200, { status: "WHITELISTED" }]);
  for (const stranger of [pairOf(other), undefined]) {
    const socket = connectTls({
      ...{ ...place, port, host: "127.0.0.1", ALPNProtocols: ["h2"] },
      ...(stranger && { cert: stranger.certificate, key: stranger.key }),
    });
    whenDone(() => void socket.destroy());
    const heard: unknown[] = [];
    socket.on("error", () => undefined).on("data", (octets) => heard.push(octets));
    await new Promise((closed) => socket.once("close", closed));
    assert.deepEqual(heard, []);
  }
  assert.equal(asked.length, 1);
  assert.deepEqual(
    outcomes.filter((outcome) => outcome !== "checked"),
    ["bad_handshake", "bad_handshake"],
  );
});

const NOW_MS = Date.parse("2026-05-04T08:00:00Z");
const nowSeconds = NOW_MS / 1_000;

test("with keys of an NRF each question needs a token of it, for this kind of function and this service, in its time", async () => {
  const nrf = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const other = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const token = (claims: object = {}, key: KeyObject = nrf.privateKey) =>
    new SignJWT({
      ...{ iss: "nrf", sub: "amf", aud: "5G_EIR", scope: "n5g-eir-eic", exp: nowSeconds + 60 },
      ...claims,
    })
      .setProtectedHeader({ alg: "ES256" })
      .sign(key);
  let nowMs = NOW_MS;
  const { url, asked } = await door({ key: nrf.publicKey, nowMs: () => nowMs });
  const client = session(url);
  const answer = async (authorization: string | undefined) => {
    const { status, head } = await ask(
      client,
      `${ROOT}?${PEI}`,
      authorization === undefined ? {} : { authorization },
    );
    return [status, head["www-authenticate"]];
  };
  const refused = (error: string) => `Bearer realm="n5g-eir-eic", error="${error}"`;
  assert.deepEqual(await answer(undefined), [401, 'Bearer realm="n5g-eir-eic"']);
  for (const [authorization, status, error] of [
    ["Basic YTpi", 401, "invalid_token"],
    ["Bearer a.b.c", 401, "invalid_token"],
    [`Bearer ${await token({}, other.privateKey)}`, 401, "invalid_token"],
    [`Bearer ${await token({ exp: nowSeconds - 1 })}`, 401, "invalid_token"],
    [`Bearer ${await token({ exp: undefined })}`, 401, "invalid_token"],
    [`Bearer ${await token({ aud: "UDM" })}`, 403, "insufficient_scope"],
    [`Bearer ${await token({ scope: "nudm-sdm" })}`, 403, "insufficient_scope"],
  ] as const)
    assert.deepEqual(await answer(authorization), [status, refused(error)], error);
  assert.deepEqual(asked, []);
  const good = `Bearer ${await token({ scope: "nudm-sdm n5g-eir-eic", aud: ["UDM", "5G_EIR"] })}`;
  assert.deepEqual(await answer(good), [200, undefined]);
  assert.deepEqual(await answer(good), [200, undefined], "known by then");
  nowMs += 61_000;
  assert.deepEqual(await answer(good), [401, refused("invalid_token")], "its time is over");
});
