/** What a verifier refuses, one by one (RFC 9421 §3.2 and §7; the road's own rules). */
import assert from "node:assert/strict";
import { createHash, createSecretKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { test } from "vitest";
import { contentDigestOf } from "./content-digest.ts";
import { createNonceBook } from "./nonces.ts";
import {
  type Component,
  type SignatureAlgorithm,
  SignatureError,
  type SignatureFault,
  type SignatureParameters,
  signMessage,
  type VerifierRules,
  verifyMessage,
} from "./signature.ts";
import { type SignedMessage, signatureBase } from "./signature-base.ts";
import { parseDictionary, serializeInnerList } from "./structured-field.ts";

const NOW = 1_800_000_000;
const BODY = Buffer.from("answer=accept");
const ec = generateKeyPairSync("ec", { namedCurve: "P-256" });
const ed = generateKeyPairSync("ed25519");
const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
const rsaSmall = generateKeyPairSync("rsa", { modulusLength: 1024 });
const hmac = createSecretKey(createHash("sha256").update("shared").digest());

const REQUIRED = ["@method", "@authority", "@path", "@query", "content-digest", "turnup-imei"];
const GOOD: SignatureParameters = {
  created: NOW,
  nonce: "0123456789abcdef",
  keyid: "proxy-1",
  alg: "ecdsa-p256-sha256",
  tag: "turnup",
};

type Case = {
  readonly parameters?: SignatureParameters;
  readonly components?: readonly Component[];
  readonly key?: KeyObject;
  readonly algorithm?: SignatureAlgorithm;
  readonly rules?: Partial<VerifierRules>;
  /** After signing. */
  readonly change?: (headers: Map<string, string[]>) => void;
  readonly body?: Uint8Array;
  readonly nowSeconds?: number;
};

function rulesOf(changes: Partial<VerifierRules> = {}): VerifierRules {
  const book = createNonceBook(100);
  return {
    label: "proxy",
    leg: "land",
    tag: "turnup",
    required: REQUIRED,
    coveredIfPresent: ["turnup-msisdn"],
    keyOf: (keyid) =>
      keyid === "proxy-1"
        ? { keyid, leg: "land", algorithm: "ecdsa-p256-sha256", key: ec.publicKey }
        : undefined,
    noteNonce: (nonce, until) => book.note(nonce, until, NOW),
    ...changes,
  };
}

function messageOf(one: Case): SignedMessage {
  const headers = new Map<string, string[]>([
    ["content-digest", [contentDigestOf(BODY)]],
    ["turnup-imei", ["356938035643809"]],
  ]);
  const message = {
    kind: "request",
    method: "POST",
    scheme: "https",
    authority: "server.example:8443",
    target: "/d/orders/AB12CD34/terms",
    headers,
  } as const;
  const { signatureInput, signature } = signMessage(message, {
    label: "proxy",
    components: one.components ?? REQUIRED,
    parameters: one.parameters ?? GOOD,
    key: one.key ?? ec.privateKey,
    algorithm: one.algorithm ?? "ecdsa-p256-sha256",
  });
  headers.set("signature-input", [signatureInput]);
  headers.set("signature", [signature]);
  one.change?.(headers);
  return message;
}

const check = (one: Case, rules = rulesOf(one.rules)) =>
  verifyMessage(messageOf(one), one.body ?? BODY, rules, one.nowSeconds ?? NOW);
const refuses = (fault: SignatureFault, one: Case): void =>
  assert.throws(
    () => check(one),
    (error: unknown) => error instanceof SignatureError && error.fault === fault,
  );
const without = (name: keyof SignatureParameters): SignatureParameters => {
  const { [name]: _, ...rest } = GOOD;
  return rest;
};

test("a message that keeps every rule is its signer's", () => {
  const { keyid, covered } = check({});
  assert.equal(keyid, "proxy-1");
  assert.deepEqual([...covered], REQUIRED);
});

const ALGORITHMS: readonly [SignatureAlgorithm, KeyObject, KeyObject][] = [
  ["ed25519", ed.privateKey, ed.publicKey],
  ["rsa-pss-sha512", rsa.privateKey, rsa.publicKey],
  ["hmac-sha256", hmac, hmac],
];
for (const [algorithm, signing, key] of ALGORITHMS) {
  test(`${algorithm} signs and is verified`, () => {
    const parameters = { ...GOOD, alg: algorithm };
    const keyOf = (keyid: string) => ({ keyid, leg: "land", algorithm, key });
    assert.equal(check({ parameters, key: signing, algorithm, rules: { keyOf } }).keyid, "proxy-1");
  });
}

const REFUSALS: readonly [string, SignatureFault, Case][] = [
  ["no signature at all", "no_signature", { change: (headers) => headers.delete("signature") }],
  [
    "a signature without its input",
    "no_signature",
    { change: (headers) => headers.delete("signature-input") },
  ],
  ["a signature under another label", "other_label", { rules: { label: "device" } }],
  [
    "fields that are no structured ones",
    "malformed",
    { change: (headers) => headers.set("signature-input", ["proxy=("]) },
  ],
  [
    "a signature that is no octets",
    "malformed",
    { change: (headers) => headers.set("signature", ["proxy=1"]) },
  ],
  [
    "the signature header twice",
    "malformed",
    {
      change: (headers) =>
        headers.set("signature", [...headers.get("signature")!, ...headers.get("signature")!]),
    },
  ],
  [
    "a component that must be covered and is not",
    "not_covered",
    {
      components: REQUIRED.filter((name) => name !== "@path"),
    },
  ],
  [
    "an identity header put in behind the signature",
    "not_covered",
    {
      change: (headers) => headers.set("turnup-msisdn", ["447700900123"]),
    },
  ],
  [
    "a covered header that is gone",
    "component_missing",
    { change: (headers) => headers.delete("turnup-imei") },
  ],
  [
    "a covered header that is doubled",
    "signature_wrong",
    {
      change: (headers) => headers.set("turnup-imei", ["356938035643809", "490154203237518"]),
    },
  ],
  [
    "a covered header that was changed",
    "signature_wrong",
    {
      change: (headers) => headers.set("turnup-imei", ["490154203237518"]),
    },
  ],
  ["another tag", "tag_wrong", { parameters: { ...GOOD, tag: "other" } }],
  ["no tag", "tag_wrong", { parameters: without("tag") }],
  ["no moment", "created_missing", { parameters: without("created") }],
  ["61 seconds ago", "too_old", { nowSeconds: NOW + 61 }],
  ["61 seconds ahead", "too_new", { nowSeconds: NOW - 61 }],
  ["an end that has passed", "expired", { parameters: { ...GOOD, expires: NOW - 1 } }],
  ["no nonce", "nonce_missing", { parameters: without("nonce") }],
  ["a nonce that could be guessed", "nonce_missing", { parameters: { ...GOOD, nonce: "1" } }],
  ["an unknown key", "key_unknown", { parameters: { ...GOOD, keyid: "proxy-2" } }],
  [
    "a key of the air leg",
    "key_other_leg",
    {
      rules: { keyOf: (keyid) => ({ keyid, leg: "air", algorithm: "ecdsa-p256-sha256", key: ec.publicKey }) },
    },
  ],
  [
    "an algorithm that nobody knows",
    "algorithm_unknown",
    {
      parameters: { ...GOOD, alg: "none" as SignatureAlgorithm },
    },
  ],
  ["an algorithm that is not the key's", "algorithm_unfit", { parameters: { ...GOOD, alg: "hmac-sha256" } }],
  [
    "a key that was noted with another kind's algorithm",
    "algorithm_unfit",
    {
      parameters: without("alg"),
      rules: { keyOf: (keyid) => ({ keyid, leg: "land", algorithm: "hmac-sha256", key: ec.publicKey }) },
    },
  ],
  [
    "another's key",
    "signature_wrong",
    { key: generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey },
  ],
  ["a swapped body", "digest_wrong", { body: Buffer.from("answer=decline") }],
  [
    "a swapped body with its own digest",
    "signature_wrong",
    {
      body: Buffer.from("answer=decline"),
      change: (headers) => headers.set("content-digest", [contentDigestOf(Buffer.from("answer=decline"))]),
    },
  ],
  [
    "a digest that is none",
    "digest_wrong",
    { change: (headers) => headers.set("content-digest", ["sha-256=7"]) },
  ],
];
for (const [name, fault, one] of REFUSALS) {
  test(`refused: ${name} (${fault})`, () => refuses(fault, one));
}

test("59 and 60 seconds are within the clock's tolerance, either way", () => {
  for (const skew of [-60, -59, 59, 60]) assert.equal(check({ nowSeconds: NOW + skew }).keyid, "proxy-1");
});

test("a message that comes a second time is refused, and a forged one does not spend the nonce", () => {
  const rules = rulesOf();
  assert.throws(() => check({ body: Buffer.from("x") }, rules), { fault: "digest_wrong" });
  assert.equal(check({}, rules).keyid, "proxy-1");
  assert.throws(() => check({}, rules), { fault: "replayed" });
});

test("a book of nonces that is full refuses rather than forgets, and has room again when nonces lapse", () => {
  const book = createNonceBook(2);
  assert.equal(book.note("a", 10, 0), true);
  assert.equal(book.note("b", 10, 0), true);
  assert.equal(book.note("c", 10, 0), false);
  assert.equal(book.note("a", 30, 10), false);
  assert.equal(book.note("c", 30, 11), true);
  assert.equal(book.size(), 1);
});

test("signing over what the message does not have, or with a key of another kind, is refused", () => {
  assert.throws(() => messageOf({ components: ["x-absent"] }), { name: "ComponentError" });
  assert.throws(() => messageOf({ components: ["@status"] }), { name: "ComponentError" });
  assert.throws(() => messageOf({ components: ["@method", "@method"] }), { name: "ComponentError" });
  assert.throws(() => messageOf({ key: ed.privateKey }), { name: "RangeError" });
  assert.throws(() => messageOf({ key: rsaSmall.privateKey, algorithm: "rsa-pss-sha512" }), {
    name: "RangeError",
  });
});

test("derived components: small authority without its implied port, empty path, empty query, request target", () => {
  const message: SignedMessage = {
    kind: "request",
    method: "GET",
    scheme: "https",
    authority: "WWW.Example.COM:443",
    target: "/path?",
    headers: new Map(),
  };
  const list = parseDictionary(
    'sig=("@authority" "@path" "@query" "@request-target" "@scheme" "@target-uri")',
  ).get("sig");
  assert.ok(list?.kind === "list");
  assert.deepEqual(signatureBase(message, list).split("\n").slice(0, -1), [
    '"@authority": www.example.com',
    '"@path": /path',
    '"@query": ?',
    '"@request-target": /path?',
    '"@scheme": https',
    '"@target-uri": https://WWW.Example.COM:443/path?',
  ]);
});

const FIELDS = [
  'sig1=("@method" "@query-param";name="Pet" "cache-control");created=1618884475;keyid="k";alg="ed25519"',
  "sig1=()",
  "a=?1, b, c=tok/en:x;q=0.5, d=:aGk=:, e=-15",
];
for (const text of FIELDS) {
  test(`structured field: ${text} is read, and written again the same`, () => {
    for (const member of parseDictionary(text).values()) {
      if (member.kind === "list") assert.equal(serializeInnerList(member), member.text);
    }
    assert.ok(parseDictionary(text).size > 0);
  });
}

const MALFORMED: readonly [string, number][] = [
  ["=1", 0],
  ["A=1", 0],
  ["a=", 2],
  ['a="x', 2],
  ['a="\\x"', 4],
  ["a=:a:", 2],
  ["a=:aGl=:", 2],
  ["a=:aGk=", 2],
  ["a=?2", 2],
  ["a=(1", 4],
  ["a=(1,2)", 4],
  ["a=1,", 4],
  ["a=1 b=2", 4],
  ["a=1, a=2", 5],
  ["a;q;q", 4],
  ["a=1234567890123456", 2],
  ["a=1.2345", 2],
  ["a=é", 2],
];
for (const [text, offset] of MALFORMED) {
  test(`structured field: ${text} is refused at octet ${offset}`, () => {
    assert.throws(() => parseDictionary(text), { name: "DecodeError", offset });
  });
}

test("structured field: one cut short anywhere is refused or is a shorter whole, never a crash", () => {
  const [text] = FIELDS;
  for (let cut = 0; cut < text!.length; cut++) {
    try {
      parseDictionary(text!.slice(0, cut));
    } catch (error) {
      assert.equal((error as Error).name, "DecodeError", `cut at ${cut}`);
    }
  }
});
