/** Tokens in addresses and forms: short, of one key, one person, one purpose, one time; changed anywhere they are none. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { issueSession, issueState, openSession, readState } from "./tokens.ts";

const KEY = new Uint8Array(32).fill(1);
const OTHER_KEY = new Uint8Array(32).fill(2);
const NOW = new Date("2026-05-04T08:00:00Z");
const LATER = new Date("2026-05-04T09:00:00Z");
const SUBSCRIBER = "0199f0aa-1234-7000-8000-00000000abcd";
const SESSION = { subscriberId: SUBSCRIBER, assurance: "otp", endsAt: LATER } as const;
const SCOPE = { subject: "somebody", purpose: "order" };
const NONCE = new Uint8Array(9).fill(7);
const BASE64URL = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

const changesOf = (token: string): string[] => [
  ...[...token].map((sign, at) => {
    const other = BASE64URL[(BASE64URL.indexOf(sign) + 1) % BASE64URL.length];
    return `${token.slice(0, at)}${other}${token.slice(at + 1)}`;
  }),
  ...[...token].map((_, at) => token.slice(0, at)),
  `${token}A`,
  `${token}=`,
  ` ${token}`,
];

test("a session says who was let in and how, in 51 characters that every address can hold", () => {
  const token = issueSession(SESSION, "operator", KEY);
  assert.match(token, /^[A-Za-z0-9_-]{51}$/);
  assert.deepEqual(openSession(token, "operator", NOW, KEY), SESSION);
  assert.ok(!token.includes(SUBSCRIBER));
});

test("a session of another key, another operator, or one that is over is none", () => {
  const token = issueSession(SESSION, "operator", KEY);
  assert.equal(openSession(token, "operator", NOW, OTHER_KEY), undefined);
  assert.equal(openSession(token, "other", NOW, KEY), undefined);
  assert.equal(openSession(token, "operator", LATER, KEY), undefined);
});

test("a state is good for its person and purpose alone, and knows when it was open too long", () => {
  const state = issueState(SCOPE, LATER, NONCE, KEY);
  assert.ok(state.length <= 35, "a deck of WML holds several");
  assert.deepEqual(readState(state, SCOPE, NOW, KEY), {
    kind: "good",
    nonce: Buffer.from(NONCE).toString("base64url"),
  });
  assert.deepEqual(readState(state, SCOPE, LATER, KEY), { kind: "over" });
  for (const scope of [
    { ...SCOPE, subject: "another" },
    { ...SCOPE, purpose: "terms" },
    { subject: "", purpose: "somebody order" },
  ])
    assert.deepEqual(readState(state, scope, NOW, KEY), { kind: "foreign" });
  assert.deepEqual(readState(state, SCOPE, NOW, OTHER_KEY), { kind: "foreign" });
});

test("a token that was changed, cut or lengthened anywhere is none, and one kind is never taken for the other", () => {
  const session = issueSession(SESSION, "operator", KEY);
  const state = issueState(SCOPE, LATER, NONCE, KEY);
  for (const changed of [...changesOf(session), state])
    assert.equal(openSession(changed, "operator", NOW, KEY), undefined, changed);
  for (const changed of [...changesOf(state), session])
    assert.deepEqual(readState(changed, SCOPE, NOW, KEY), { kind: "foreign" }, changed);
});

test("a key or a nonce of another length is a mistake of the program", () => {
  assert.throws(() => issueSession(SESSION, "operator", new Uint8Array(16)), RangeError);
  assert.throws(() => issueState(SCOPE, LATER, new Uint8Array(8), KEY), RangeError);
});
