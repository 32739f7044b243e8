/** Certificates that their authority took back: by its lists, by its responder, and what is known where neither says. */
import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { afterAll, beforeAll, test } from "vitest";
import { pairOf, strangerAuthority } from "../../../test/fixture/parties.ts";
import { ocspResponder, pemOfList, revocationListOf, serialIn } from "../../../test/fixture/revocation.ts";
import { createRevocation, type RevocationRules } from "./revocation.ts";
import { revocationListsIn } from "./revocation-list.ts";

const HOUR_MS = 3_600_000;
/** A responder that answers does so in milliseconds, and on a busy machine later: it is waited for. */
const PATIENCE_MS = 20_000;
const authority = strangerAuthority();
const other = strangerAuthority();
const [good, revoked] = [pairOf(authority), pairOf(authority)];
type Shown = Parameters<typeof chainOf>[0];
const chainOf = (pair: { readonly certificate: string }, by = authority) =>
  [pair, by].map(({ certificate }) => new X509Certificate(certificate));

let responder: Awaited<ReturnType<typeof ocspResponder>>;
beforeAll(async () => {
  responder = await ocspResponder(authority);
});
afterAll(() => responder.close());

function revocation(changes: Partial<RevocationRules> & { readonly now?: () => Date } = {}) {
  const given = { lists: [], responder: undefined, asksNamedResponder: false, timeoutMs: PATIENCE_MS };
  const { stateOf } = createRevocation(() => ({ ...given, ...changes }), changes.now ?? (() => new Date()));
  return async (pair: Shown, by = authority) => {
    const state = await stateOf(chainOf(pair, by));
    return state.kind === "unknown" ? state.detail : state.kind;
  };
}
const listed = (...given: Parameters<typeof revocationListOf>) =>
  revocationListsIn(revocationListOf(...given));
const byResponder = (changes: Parameters<typeof revocation>[0] = {}) =>
  revocation({ responder: new URL(responder.url), ...changes });
function inMood(mood: Partial<typeof responder.mood>): void {
  Object.assign(responder.mood, {
    ...{
      revoked: new Set([serialIn(revoked).toString("hex")]),
      signer: authority,
      delegates: [],
      answer: "true",
    },
    thisUpdate: () => new Date(),
    nextUpdate: () => new Date(Date.now() + HOUR_MS),
    ...mood,
  });
}

test("what stands on its authority's list is revoked, in PEM or DER, and what does not is good", async () => {
  const list = revocationListOf(authority, [revoked]);
  for (const content of [list, Buffer.from(`text before\n${pemOfList(list)}${pemOfList(list)}`)]) {
    const state = revocation({ lists: revocationListsIn(content) });
    assert.equal(await state(revoked), "revoked");
    assert.equal(await state(good), "good");
  }
});

test("a list of another authority says nothing, not even one in the same name", async () => {
  assert.equal(
    new X509Certificate(other.certificate).subject,
    new X509Certificate(authority.certificate).subject,
  );
  assert.equal(await revocation({ lists: listed(other, [revoked]) })(revoked), "good");
});

test("the newest list counts; one that has lapsed still says who is on it, and no more who is not", async () => {
  const [older, newer] = [
    listed(authority, [revoked], { thisUpdate: new Date(Date.now() - 2 * HOUR_MS) }),
    listed(authority, []),
  ];
  assert.equal(await revocation({ lists: [...older, ...newer] })(revoked), "good", "it was taken off");
  const lapsed = listed(authority, [revoked], { nextUpdate: new Date(Date.now() - 1_000) });
  const state = revocation({ lists: lapsed });
  assert.equal(await state(revoked), "revoked");
  assert.match(await state(good), /^the list lapsed at 20/);
});

test("a list that holds only part of what was revoked, and what is no list, is refused", () => {
  assert.throws(() => listed(authority, [revoked], { isPartial: true }), {
    message: /not whole.*2\.5\.29\.27/,
  });
  for (const content of [Buffer.alloc(0), Buffer.from("no list"), Buffer.from(authority.certificate)])
    assert.throws(() => revocationListsIn(content), { name: "DecodeError" });
});

test("a responder is asked once, until its answer's next update; where a list is in force it is not asked", async () => {
  inMood({});
  let nowMs = Date.now();
  const state = byResponder({ now: () => new Date(nowMs) });
  const before = responder.asked();
  assert.deepEqual([await state(good), await state(revoked), await state(good)], ["good", "revoked", "good"]);
  assert.equal(responder.asked(), before + 2);
  nowMs += 2 * HOUR_MS;
  inMood({ thisUpdate: () => new Date(nowMs), nextUpdate: () => new Date(nowMs + HOUR_MS) });
  assert.equal(await state(good), "good");
  assert.equal(responder.asked(), before + 3, "the answer's time is over");
  assert.equal(await byResponder({ lists: listed(authority, []) })(revoked), "good");
  assert.equal(responder.asked(), before + 3);
});

test("many callers at once ask about one certificate once", async () => {
  inMood({});
  const state = byResponder();
  const before = responder.asked();
  assert.deepEqual(
    new Set(await Promise.all(Array.from({ length: 20 }, () => state(good)))),
    new Set(["good"]),
  );
  assert.equal(responder.asked(), before + 1);
});

test("whom the authority named for it may answer in its place; nobody else may", async () => {
  const answers = { purpose: "ocsp" } as const;
  const delegate = pairOf(authority, answers);
  inMood({ signer: delegate, delegates: [delegate] });
  assert.deepEqual([await byResponder()(good), await byResponder()(revoked)], ["good", "revoked"]);
  const lapsed = pairOf(authority, {
    ...answers,
    notBefore: new Date(Date.now() - 9 * HOUR_MS),
    notAfter: new Date(Date.now() - HOUR_MS),
  });
  for (const signer of [pairOf(authority), pairOf(other, answers), other, lapsed]) {
    inMood({ signer, delegates: [signer] });
    assert.match(await byResponder()(good), /not signed for this authority/);
  }
});

test("an answer that nobody signed says nothing, even where the certificate that goes along cannot be read", async () => {
  const delegate = pairOf(authority, { purpose: "ocsp", commonName: "delegate" });
  const octets = Buffer.from(new X509Certificate(delegate.certificate).raw);
  octets.set([0xff, 0xff], octets.indexOf("delegate")); // no UTF-8
  assert.throws(() => new X509Certificate(octets));
  inMood({ signer: other, delegates: [{ raw: octets }] });
  assert.match(await byResponder()(good), /not signed for this authority/);
});

test("an answer of another time, of another certificate, or that is none, says nothing", async () => {
  const cases: readonly [Partial<typeof responder.mood>, RegExp][] = [
    [
      {
        nextUpdate: () => new Date(Date.now() - HOUR_MS),
        thisUpdate: () => new Date(Date.now() - 2 * HOUR_MS),
      },
      /another time/,
    ],
    [{ thisUpdate: () => new Date(Date.now() + HOUR_MS) }, /another time/],
    [{ nextUpdate: () => undefined, thisUpdate: () => new Date(Date.now() - HOUR_MS) }, /another time/],
    [{ answer: "other_certificate" }, /another certificate/],
    [{ answer: "unknown" }, /does not know/],
    [{ answer: "try_later" }, /tryLater/],
    [{ answer: "broken" }, /no OCSP response/],
  ];
  for (const [mood, expected] of cases) {
    inMood(mood);
    assert.match(await byResponder()(good), expected);
  }
  inMood({ answer: "silent" });
  assert.match(await byResponder({ timeoutMs: 100 })(good), /no answer within 100 ms/);
});

test("a responder that was away is left in peace for half a minute", async () => {
  inMood({ answer: "try_later" });
  let nowMs = Date.now();
  const state = byResponder({ now: () => new Date(nowMs) });
  const before = responder.asked();
  for (let time = 0; time < 3; time++) assert.match(await state(good), /tryLater/);
  assert.equal(responder.asked(), before + 1);
  nowMs += 31_000;
  inMood({ thisUpdate: () => new Date(nowMs) });
  assert.equal(await state(good), "good");
});

test("a responder that does not answer is left in peace for all certificates: nobody else waits for it in vain", async () => {
  inMood({ answer: "silent" });
  let nowMs = Date.now();
  const rules = { responder: new URL(responder.url), timeoutMs: 100, now: () => new Date(nowMs) };
  const state = revocation(rules);
  const before = responder.asked();
  assert.match(await state(good), /no answer within 100 ms/);
  assert.match(await state(revoked), /no answer within 100 ms/);
  assert.equal(responder.asked(), before + 1);
  nowMs += 31_000;
  rules.timeoutMs = PATIENCE_MS;
  inMood({ thisUpdate: () => new Date(nowMs), nextUpdate: () => new Date(nowMs + HOUR_MS) });
  assert.deepEqual([await state(good), await state(revoked)], ["good", "revoked"]);
});

test("without list and responder nothing is looked up; a certificate whose issuer is not to be seen is unknown", async () => {
  assert.equal(await revocation()(revoked), "good");
  const { stateOf } = createRevocation(
    () => ({ lists: listed(authority, []), responder: undefined, asksNamedResponder: false, timeoutMs: 1 }),
    () => new Date(),
  );
  for (const chain of [[], [new X509Certificate(good.certificate)]])
    assert.equal((await stateOf(chain)).kind, "unknown");
});
