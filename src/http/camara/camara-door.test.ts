/** The CAMARA APIs by their own documents: tokens of both kinds, scopes, errors in their order, and what is told of a line. */
import assert from "node:assert/strict";
import { generateKeyPairSync, hash } from "node:crypto";
import { fastify } from "fastify";
import { SignJWT } from "jose";
import { Counter, Registry } from "prom-client";
import { test } from "vitest";
import type { ExposureClient } from "../../kernel/exposure/access.ts";
import type { Line } from "../../kernel/exposure/line.ts";
import { parseImei } from "../../term/imei.ts";
import { Allowance } from "../allowance.ts";
import { accessOf } from "./access-token.ts";
import { mountCamara } from "./camara-door.ts";

const NOW = new Date("2026-03-01T12:00:00Z");
const OWN = generateKeyPairSync("ec", { namedCurve: "P-256" });
const OTHER = generateKeyPairSync("ec", { namedCurve: "P-256" });
const NUMBER = "+346661113334";
const IMEI = parseImei("356938035643809");
const CLIENT: ExposureClient = {
  clientId: "bank",
  operatorId: "operator-a",
  scopes: [
    ...["device-swap", "sim-swap:check", "device-identifier:retrieve-identifier"],
    ...["device-identifier:retrieve-type", "device-identifier:retrieve-ppid"],
    ...[
      "number-verification:verify",
      "number-verification:device-phone-number:read",
      "sim-swap:retrieve-date",
    ],
  ],
  scopesWithoutSubscriber: [
    "device-swap",
    "sim-swap:check",
    "sim-swap:retrieve-date",
    "device-identifier:retrieve-type",
  ],
};
const hoursAgo = (hours: number): Date => new Date(NOW.getTime() - hours * 3_600_000);
const LINES: Readonly<Record<string, Line>> = {
  "346661113334": {
    simSince: hoursAgo(5_000),
    device: { imei: IMEI, softwareVersion: "07", since: hoursAgo(100), lastSeenAt: hoursAgo(1) },
  },
  "346661110000": { simSince: hoursAgo(10), device: null },
  "346661119999": { simSince: null, device: null },
};

const server = fastify();
server.removeContentTypeParser("text/plain"); // as the operator's own server
const rules = {
  keys: [OTHER.publicKey, OWN.publicKey],
  issuer: "https://auth.example.org",
  audience: "https://api.example.org",
  numberClaim: "phone_number",
  networkMethods: ["nba"],
  nowMs: () => NOW.getTime(),
  clientOf: async (clientId: string) => (clientId === CLIENT.clientId ? CLIENT : undefined),
};
const faults: unknown[] = [];
const asked: string[] = [];
await mountCamara(server, {
  lines: {
    async lineOf(operatorId, msisdn) {
      asked.push(`${operatorId} ${msisdn}`);
      if (msisdn === "34500") throw new Error("the database of the test has fallen over");
      return LINES[msisdn];
    },
  },
  clock: () => NOW,
  monotonicMs: () => 0,
  accessOf: (authorization) => accessOf(rules, authorization),
  monitoredDays: 100,
  typeOf: () => ({ make: "Nokia", model: "3110" }),
  pseudonymOf: ({ clientId }, imei) => hash("sha256", `${clientId} ${imei}`, "hex"),
  perClient: new Allowance({ perWindow: 1_000, windowMs: 60_000, keysMax: 10 }),
  answered: new Counter({
    name: "answers",
    help: "-",
    labelNames: ["operation", "code"],
    registers: [new Registry()],
  }),
  onFault: (error) => faults.push(error),
});

type Claims = Readonly<Record<string, unknown>>;
const tokenOf = (claims: Claims, key = OWN.privateKey, expires = NOW.getTime() / 1_000 + 60) =>
  new SignJWT({ client_id: "bank", ...claims })
    .setProtectedHeader({ alg: "ES256" })
    .setIssuer("https://auth.example.org")
    .setAudience("https://api.example.org")
    .setExpirationTime(expires)
    .sign(key);
const TWO_LEGGED = await tokenOf({ scope: CLIENT.scopes.join(" ") });
const THREE_LEGGED = await tokenOf({ scope: CLIENT.scopes.join(" "), phone_number: NUMBER, amr: ["nba"] });

async function ask(
  path: string,
  payload: unknown = {},
  { token = TWO_LEGGED, headers = {}, method = "POST" as "POST" | "GET" } = {},
) {
  const answer = await server.inject({
    method,
    url: path,
    headers: {
      authorization: `Bearer ${token}`,
      ...(method === "POST" && { "content-type": "application/json" }),
      ...headers,
    },
    ...(method === "POST" && { payload: typeof payload === "string" ? payload : JSON.stringify(payload) }),
  });
  const body = answer.json() as Record<string, unknown>;
  if (answer.statusCode !== 200) {
    assert.equal(body.status, answer.statusCode);
    assert.deepEqual(Object.keys(body).sort(), ["code", "message", "status"]);
  }
  return { status: answer.statusCode, code: body.code, body, headers: answer.headers };
}
const codeOf = async (...args: Parameters<typeof ask>): Promise<string> => {
  const { status, code } = await ask(...args);
  return `${status} ${code}`;
};

const DEVICE_SWAP = "/device-swap/v1";
const SIM_SWAP = "/sim-swap/v2";
const IDENTIFIER = "/device-identifier/v0.3";
const VERIFY = "/number-verification/v2/verify";
const SHARE = "/number-verification/v2/device-phone-number";

test("a device swap is told by its date, and by whether it was within a period", async () => {
  const { body } = await ask(`${DEVICE_SWAP}/retrieve-date`, { phoneNumber: NUMBER });
  assert.deepEqual(body, { latestDeviceChange: hoursAgo(100).toISOString() });
  const within = async (maxAge?: number) =>
    (await ask(`${DEVICE_SWAP}/check`, { phoneNumber: NUMBER, ...(maxAge !== undefined && { maxAge }) })).body
      .swapped;
  assert.deepEqual([await within(99), await within(100), await within()], [false, true, true]);
});

test("what is older than changes are told is null with the period, and no period beyond it can be asked for", async () => {
  const { body } = await ask(`${SIM_SWAP}/retrieve-date`, { phoneNumber: NUMBER });
  assert.deepEqual(body, { latestSimChange: null, monitoredPeriod: 100 });
  assert.equal(await codeOf(`${SIM_SWAP}/check`, { phoneNumber: NUMBER, maxAge: 2_401 }), "400 OUT_OF_RANGE");
  assert.equal(await codeOf(`${SIM_SWAP}/check`, { phoneNumber: NUMBER, maxAge: 0 }), "400 OUT_OF_RANGE");
  assert.equal(
    await codeOf(`${SIM_SWAP}/check`, { phoneNumber: NUMBER, maxAge: "240" }),
    "400 INVALID_ARGUMENT",
  );
  assert.deepEqual((await ask(`${SIM_SWAP}/check`, { phoneNumber: NUMBER, maxAge: 2_400 })).body, {
    swapped: false,
  });
});

test("a number without a SIM has no SIM change; one that was seen in no device has no device to tell of", async () => {
  const date = await ask(`${SIM_SWAP}/retrieve-date`, { phoneNumber: "+346661119999" });
  assert.deepEqual(date.body, { latestSimChange: null });
  for (const operation of ["retrieve-date", "check"])
    assert.equal(
      await codeOf(`${DEVICE_SWAP}/${operation}`, { phoneNumber: "+346661110000" }),
      "422 SERVICE_NOT_APPLICABLE",
    );
  assert.equal(
    await codeOf(`${IDENTIFIER}/retrieve-type`, { device: { phoneNumber: "+346661110000" } }),
    "422 SERVICE_NOT_APPLICABLE",
  );
  assert.equal(await codeOf(`${DEVICE_SWAP}/check`, { phoneNumber: "+12345" }), "404 IDENTIFIER_NOT_FOUND");
});

test("the number comes from the token or from the request, never from both and never from nowhere", async () => {
  const three = { token: THREE_LEGGED };
  for (const [path, body] of [
    [`${DEVICE_SWAP}/check`, { phoneNumber: NUMBER }],
    [`${IDENTIFIER}/retrieve-identifier`, { device: { phoneNumber: NUMBER } }],
  ] as const) {
    assert.equal(await codeOf(path, body, three), "422 UNNECESSARY_IDENTIFIER");
    assert.equal((await ask(path, {}, three)).status, 200);
  }
  assert.equal(await codeOf(`${DEVICE_SWAP}/check`), "422 MISSING_IDENTIFIER");
  assert.equal(await codeOf(`${IDENTIFIER}/retrieve-type`), "422 MISSING_IDENTIFIER");
  for (const phoneNumber of ["346661113334", "+0123456", "+1234", 346661113334, null])
    assert.equal(
      await codeOf(`${DEVICE_SWAP}/check`, { phoneNumber }),
      "400 INVALID_ARGUMENT",
      String(phoneNumber),
    );
});

test("without the subscriber a client has only the scopes for which the operator has another ground", async () => {
  assert.equal(
    await codeOf(`${IDENTIFIER}/retrieve-identifier`, { device: { phoneNumber: NUMBER } }),
    "403 PERMISSION_DENIED",
  );
  assert.equal(
    await codeOf(`${IDENTIFIER}/retrieve-identifier`, {}, { token: THREE_LEGGED }),
    "200 undefined",
  );
});

test("a handset is told with its type and when it was last seen; a pseudonym tells neither", async () => {
  const three = { token: THREE_LEGGED };
  const lastChecked = hoursAgo(1).toISOString();
  const type = { tac: "35693803", model: "3110", manufacturer: "Nokia" };
  const identifier = await ask(`${IDENTIFIER}/retrieve-identifier`, {}, three);
  assert.deepEqual(identifier.body, { lastChecked, ...type, imei: IMEI, imeisv: "3569380356438007" });
  const { body } = await ask(`${IDENTIFIER}/retrieve-ppid`, {}, three);
  assert.deepEqual(Object.keys(body).sort(), ["lastChecked", "ppid"]);
  assert.ok(!JSON.stringify(body).includes(IMEI.slice(0, 14)));
  const several = { device: { phoneNumber: NUMBER, ipv6Address: "2001:db8::1" } };
  const told = await ask(`${IDENTIFIER}/retrieve-type`, several);
  assert.deepEqual(told.body, { device: { phoneNumber: NUMBER }, lastChecked, ...type });
  const byAddress = { device: { ipv4Address: { publicAddress: "192.0.2.1" } } };
  assert.equal(await codeOf(`${IDENTIFIER}/retrieve-type`, byAddress), "422 UNSUPPORTED_IDENTIFIER");
  for (const device of [{}, null, "x", { imei: IMEI }])
    assert.equal(await codeOf(`${IDENTIFIER}/retrieve-type`, { device }), "400 INVALID_ARGUMENT");
});

test("a number is verified for whom the network itself knew, plain or hashed", async () => {
  const three = { token: THREE_LEGGED };
  const verified = async (body: unknown) => (await ask(VERIFY, body, three)).body.devicePhoneNumberVerified;
  const hashed = hash("sha256", NUMBER, "hex");
  assert.equal(await verified({ phoneNumber: NUMBER }), true);
  assert.equal(await verified({ phoneNumber: "+346661113335" }), false);
  assert.equal(await verified({ hashedPhoneNumber: hashed.toUpperCase() }), true);
  assert.equal(await verified({ hashedPhoneNumber: hash("sha256", NUMBER.slice(1), "hex") }), false);
  for (const body of [
    {},
    { phoneNumber: NUMBER, hashedPhoneNumber: hashed },
    { hashedPhoneNumber: "00" },
    { phoneNumber: NUMBER, x: 1 },
  ])
    assert.equal(await codeOf(VERIFY, body, three), "400 INVALID_ARGUMENT");
  const shared = await ask(SHARE, undefined, { ...three, method: "GET" });
  assert.deepEqual(shared.body, { devicePhoneNumber: NUMBER });

  const byCode = await tokenOf({ scope: CLIENT.scopes.join(" "), phone_number: NUMBER, amr: ["otp", "sms"] });
  const unknown = "403 NUMBER_VERIFICATION.USER_NOT_AUTHENTICATED_BY_MOBILE_NETWORK";
  assert.equal(await codeOf(VERIFY, { phoneNumber: NUMBER }, { token: byCode }), unknown);
  assert.equal(await codeOf(SHARE, undefined, { token: byCode, method: "GET" }), unknown);
  const lost = await tokenOf({ scope: CLIENT.scopes.join(" "), phone_number: "+346661119999", amr: ["nba"] });
  assert.equal(await codeOf(VERIFY, { phoneNumber: NUMBER }, { token: lost }), "403 INVALID_TOKEN_CONTEXT");
});

test("a token of somebody else, for somebody else, run out, of an unknown client or of none opens nothing", async () => {
  const scope = CLIENT.scopes.join(" ");
  const STRANGER = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const nobodys = [
    await tokenOf({ scope }, STRANGER.privateKey),
    await tokenOf({ scope }, OWN.privateKey, NOW.getTime() / 1_000 - 60),
    await tokenOf({ scope, client_id: "nobody" }),
    await tokenOf({ scope, client_id: undefined }),
    await new SignJWT({ client_id: "bank", scope })
      .setProtectedHeader({ alg: "ES256" })
      .setIssuer("https://auth.example.org")
      .setAudience("https://other.example.org")
      .setExpirationTime(NOW.getTime() / 1_000 + 60)
      .sign(OWN.privateKey),
    `tup_${"x".repeat(43)}`,
    "",
  ];
  asked.length = 0;
  for (const token of nobodys) {
    const { status, code, headers } = await ask(`${DEVICE_SWAP}/check`, { phoneNumber: NUMBER }, { token });
    assert.equal(`${status} ${code}`, "401 UNAUTHENTICATED", token.slice(0, 12));
    assert.equal(headers["www-authenticate"], "Bearer");
  }
  assert.deepEqual(asked, []);
  const odd = await tokenOf({ scope, phone_number: "346661113334" });
  assert.equal(await codeOf(`${DEVICE_SWAP}/check`, {}, { token: odd }), "403 INVALID_TOKEN_CONTEXT");
});

test("errors come in CAMARA's order: who asks, whether they may, what they wrote; a fault of ours says nothing of the inside", async () => {
  const noScope = await tokenOf({ scope: "device-swap:retrieve-date sim-swap" });
  assert.equal(await codeOf(`${DEVICE_SWAP}/check`, "{", { token: "" }), "401 UNAUTHENTICATED");
  assert.equal(await codeOf(`${DEVICE_SWAP}/check`, "{", { token: noScope }), "403 PERMISSION_DENIED");
  const wider = await ask(`${SIM_SWAP}/check`, { phoneNumber: NUMBER }, { token: noScope });
  assert.equal(wider.status, 200, "a wider scope covers the narrower");
  assert.equal(await codeOf(`${DEVICE_SWAP}/check`, "{"), "400 INVALID_ARGUMENT");
  for (const body of ["[]", "null", '"x"', "1"])
    assert.equal(await codeOf(`${DEVICE_SWAP}/check`, body), "400 INVALID_ARGUMENT", body);
  const asText = { headers: { "content-type": "text/plain" } };
  assert.equal(await codeOf(`${DEVICE_SWAP}/check`, "{}", asText), "415 UNSUPPORTED_MEDIA_TYPE");
  assert.equal(await codeOf(`${DEVICE_SWAP}/check`, { phoneNumber: "+34500" }), "500 INTERNAL");
  assert.match(String(faults.pop()), /fallen over/);
});

test("x-correlator is given back, made where none came, and refused in another form", async () => {
  const correlated = async (headers: Record<string, string>) =>
    (await ask(`${DEVICE_SWAP}/check`, { phoneNumber: NUMBER }, { headers })).headers["x-correlator"];
  assert.equal(await correlated({ "x-correlator": "b4333c46-49c0" }), "b4333c46-49c0");
  assert.match(String(await correlated({})), /^[0-9a-f-]{36}$/);
  const odd = { headers: { "x-correlator": "a b" } };
  assert.equal(await codeOf(`${DEVICE_SWAP}/check`, { phoneNumber: NUMBER }, odd), "400 INVALID_ARGUMENT");
  const refused = await ask(`${DEVICE_SWAP}/check`, {}, { headers: { "x-correlator": "c-1" } });
  assert.equal(refused.headers["x-correlator"], "c-1");
});
