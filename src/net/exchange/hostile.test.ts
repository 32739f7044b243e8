/**
 * Every connector against a machine with bad habits: whatever it answers, late, enormous, no JSON, elsewhere, drop by
 * drop or not at all, the outcome is `failed` within the time, never a yes, and no secret stands in what is told.
 */
import assert from "node:assert/strict";
import { afterEach, test } from "vitest";
import { startWeb, type WebAnswer, type WebFault } from "../../sim/web/web.ts";
import { entriesOf } from "../../term/record.ts";
import { billingCentre } from "../billing/centre.ts";
import { tmf640Element } from "../element/tmf640.ts";
import { kycMatchBureau } from "../identity/kyc-match.ts";
import { paymentProvider } from "../payment/payment-provider.ts";
import { createExchange } from "./exchange.ts";
import { clientCredentials, fixedToken } from "./token.ts";

const SECRET = "hush-hush-7f31";
const PAN = "4111111111111111";
const CVV = "737";
const MSISDN = "447700900123";
/** For answers that never come whole, and for all others, however slow the machine that the test runs on. */
const SHORT_MS = 250;
const AMPLE_MS = 20_000;

const closers: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

type Outcome = { readonly kind: string; readonly cause?: string };
const options = (url: string, timeoutMs: number) => ({ url, secret: SECRET, timeoutMs });
/** Each connector's calls, by what they ask for. */
const CALLS: Record<string, (url: string, timeoutMs: number) => Promise<Outcome>> = {
  "an identity check": (url, timeoutMs) => {
    const bureau = kycMatchBureau({ url, tokens: fixedToken(SECRET), timeoutMs });
    closers.push(bureau.close);
    return bureau.verify({ id: "v1", msisdn: MSISDN, user: { givenName: "Ann", familyName: "Lee" } });
  },
  "a card's token": (url, timeoutMs) => {
    const fixture = paymentProvider(options(url, timeoutMs));
    closers.push(fixture.close);
    return fixture.tokenise({ pan: PAN, expiry: "1230", cvv: CVV, idempotencyKey: "k1" });
  },
  "an authorisation": (url, timeoutMs) => {
    const fixture = paymentProvider(options(url, timeoutMs));
    closers.push(fixture.close);
    return fixture.authorise({ id: "a1", token: "tok_1", amountMinor: 100, currency: "EUR" });
  },
  "an element's task": (url, timeoutMs) => {
    const element = tmf640Element({ ...options(url, timeoutMs), pollMs: 5, polls: 3 });
    closers.push(element.close);
    return element.apply(task);
  },
  "a billing notice": (url, timeoutMs) => {
    const centre = billingCentre(options(url, timeoutMs));
    closers.push(centre.close);
    return centre.tell(notice);
  },
  "an access token": (url, timeoutMs) => {
    const tokens = clientCredentials({
      tokenUrl: `${url}/token`,
      clientId: "turnup",
      clientSecret: SECRET,
      timeoutMs,
    });
    closers.push(tokens.close);
    return tokens.token();
  },
};
const task = {
  id: "t1",
  element: "voice-mail",
  action: "add",
  catalogId: "voice-mail",
  msisdn: MSISDN,
  imsi: "234150000000001",
  imei: "356938035643809",
  values: { pin: SECRET },
} as const;
const notice = {
  id: "n1",
  kind: "account",
  accountId: "acc-1",
  catalogId: null,
  action: "add",
  onceMinor: 0,
  monthlyMinor: 0,
  currency: null,
  prepared: null,
  account: null,
} as const;

const CAUSES: Record<WebFault, string> = {
  lose_answer: "unreachable",
  lose_request: "unreachable",
  late: "timeout",
  down: "busy",
  huge: "bad_answer",
  not_json: "bad_answer",
  redirect: "bad_answer",
  drip: "timeout",
};
for (const [what, call] of Object.entries(CALLS)) {
  test(`${what} fails with its cause, whatever the other machine does wrong`, async () => {
    const meet = async ([fault, cause]: [WebFault, string]): Promise<void> => {
      const web = await startWeb({ fault: () => fault, answer: () => ({ status: 200, body: {} }) });
      closers.push(web.close);
      const outcome = await call(web.url, cause === "timeout" ? SHORT_MS : AMPLE_MS);
      assert.deepEqual([fault, outcome.kind, outcome.cause], [fault, "failed", cause]);
      assertNoSecrets(outcome);
    };
    await Promise.all(entriesOf(CAUSES).map(meet)); // beside each other: two of them wait
  });
  test(`${what} is never a yes on an answer of another shape`, async () => {
    for (const body of SHAPES) {
      const web = await startWeb({ answer: (): WebAnswer => ({ status: 200, body }) });
      closers.push(web.close);
      const outcome = await call(web.url, AMPLE_MS);
      const isNo = outcome.kind === "failed" || (outcome as { outcome?: string }).outcome === "mismatch";
      assert.ok(isNo, `${JSON.stringify(body)} gave ${JSON.stringify(outcome)}`);
      assertNoSecrets(outcome);
    }
  });
}
/** Echoes of what was sent among them: a careless server's error page. */
const SHAPES: readonly unknown[] = [
  null,
  0,
  "yes",
  [[]],
  {},
  { state: "approved" },
  { state: "DONE", reference: PAN },
  { token: PAN, first6: "500000", last4: "0000", brand: "visa" },
  { givenNameMatch: true, familyNameMatch: "yes" },
  { access_token: "a b", token_type: "mac", expires_in: -1 },
  { id: "../../x", state: "active" },
  { code: "x", detail: `${SECRET} ${PAN} ${CVV} ${MSISDN}` },
];

function assertNoSecrets(outcome: unknown): void {
  const text = JSON.stringify(outcome);
  for (const secret of [SECRET, PAN, MSISDN]) assert.ok(!text.includes(secret), text);
}

test("a 4xx that echoes the request leaves no part of it in the reason", async () => {
  const echo = `{"code":"4","reason":"${SECRET}","message":"${PAN} ${CVV} ${MSISDN}"}`;
  for (const [what, call] of Object.entries(CALLS)) {
    for (const status of [400, 401, 403, 404, 409, 422, 500]) {
      const web = await startWeb({ answer: () => ({ status, body: JSON.parse(echo) }) });
      closers.push(web.close);
      const outcome = await call(web.url, AMPLE_MS);
      assert.ok(["failed", "refused"].includes(outcome.kind), `${what} ${status}`);
      assertNoSecrets(outcome);
    }
  }
});

test("nobody at the address is unreachable", async () => {
  const web = await startWeb({ answer: () => ({ status: 200 }) });
  await web.close();
  for (const call of Object.values(CALLS)) {
    const outcome = await call(web.url, AMPLE_MS);
    assert.deepEqual([outcome.kind, outcome.cause], ["failed", "unreachable"]);
  }
});

test("another machine is reached over TLS only, and a URL holds no password", () => {
  for (const url of ["http://bureau.example", "ftp://127.0.0.1", "https://user:pass@bureau.example"])
    assert.throws(() => createExchange({ url, timeoutMs: 1 }), RangeError);
});

test("a token is kept until its last seconds, asked for once by many, and anew when it was refused", async () => {
  let given = 0;
  const web = await startWeb({
    answer: ({ text }) => {
      assert.equal(new URLSearchParams(text).get("grant_type"), "client_credentials");
      return { status: 200, body: { access_token: `T${++given}`, token_type: "Bearer", expires_in: 60 } };
    },
  });
  let now = 0;
  const tokens = clientCredentials(
    { tokenUrl: `${web.url}/token`, clientId: "c", timeoutMs: 1_000 },
    () => now,
  );
  closers.push(web.close, tokens.close);
  const tokenNow = async (fresh = false) => {
    const answer = await tokens.token(fresh);
    return answer.kind === "token" ? answer.token : answer.cause;
  };
  assert.deepEqual(await Promise.all([tokenNow(), tokenNow(), tokenNow()]), ["T1", "T1", "T1"]);
  now = 49_000;
  assert.equal(await tokenNow(), "T1");
  now = 51_000; // 60 s of life, less 10 s of slack
  assert.equal(await tokenNow(), "T2");
  assert.equal(await tokenNow(true), "T3");
});
