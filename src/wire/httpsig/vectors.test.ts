/** The vectors of RFC 9421 appendix B.2, byte for byte, with the public keys of appendix B.1. */
import assert from "node:assert/strict";
import { createPrivateKey, createPublicKey, createSecretKey, type KeyObject } from "node:crypto";
import { test } from "vitest";
import { isDigestOf } from "./content-digest.ts";
import { type Component, isSignature, type SignatureAlgorithm, signMessage } from "./signature.ts";
import { type SignedMessage, signatureBase } from "./signature-base.ts";
import { parseDictionary } from "./structured-field.ts";

const spki = (base64: string): KeyObject =>
  createPublicKey({ key: Buffer.from(base64, "base64"), format: "der", type: "spki" });
/** B.1.2 test-key-rsa-pss */
const RSA_PSS = spki(
  "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAr4tmm3r20Wd/PbqvP1s2+QEtvpuRaV8Yq40gjUR8y2Rjxa6dpG2GXHbPfvMs8ct+" +
    "Lh1GH45x28Rw3Ry53mm+oAXjyQ86OnDkZ5N8lYbggD4O3w6M6pAvLkhk95AndTrifbIFPNU8PPMO7OyrFAHqgDsznjPFmTOtCEcN2Z1FpWgc" +
    "hwuYLPL+Wokqltd11nqqzi+bJ9cvSKADYdUAAN5WUtzdpiy6LbTgSxP7ociU4Tn0g5I6aDZJ7A8Lzo0KSyZYoA485mqcO0GVAdVw9lq4aOT9" +
    "v6d+nb4bnNkQVklLQ3fVAvJm+xdDOp9LCNCN48V2pnDOkFV6+U9nV5oyc6XI2wIDAQAB",
);
/** B.1.3 test-key-ecc-p256 */
const ECC_P256 = spki(
  "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEqIVYZVLCrPZHGHjP17CTW0/+D9Lfw0EkjqF7xB4FivAxzic30tMM4GF+hR6Dxh71Z50VGGdl" +
    "dkkDXZCnTNnoXQ==",
);
/** B.1.4 test-key-ed25519 */
const ED25519 = createPrivateKey({
  key: Buffer.from("MC4CAQAwBQYDK2VwBCIEIJ+DYvh6SEqVTm50DFtMDoQikTmiCqirVv9mWG9qfSnF", "base64"),
  format: "der",
  type: "pkcs8",
});
/** B.1.5 test-shared-secret */
const SHARED_SECRET = createSecretKey(
  Buffer.from(
    "uzvJfB4u3N0Jy4T7NZ75MDVcr8zSTInedJtkgcu46YW4XByzNJjxBdtjUkdJPBtbmHhIDi6pcl8jsasjlTMtDQ==",
    "base64",
  ),
);

const REQUEST_BODY = Buffer.from('{"hello": "world"}');
const REQUEST_DIGEST =
  "sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:";
const RESPONSE_BODY = Buffer.from('{"message": "good dog"}');
const RESPONSE_DIGEST =
  "sha-512=:mEWXIS7MaLRuGgxOBdODa3xqM1XdEvxoYhvlCFJ41QJgJc4GTsPp29l5oGX69wWdXymyU0rjJuahq4l5aGgfLQ==:";

const headersOf = (headers: Record<string, string>): SignedMessage["headers"] =>
  new Map(Object.entries(headers).map(([name, value]) => [name, [value]]));
const REQUEST: SignedMessage = {
  kind: "request",
  method: "POST",
  scheme: "https",
  authority: "example.com",
  target: "/foo?param=Value&Pet=dog",
  headers: headersOf({
    host: "example.com",
    date: "Tue, 20 Apr 2021 02:07:55 GMT",
    "content-type": "application/json",
    "content-digest": REQUEST_DIGEST,
    "content-length": "18",
  }),
};
const RESPONSE: SignedMessage = {
  kind: "response",
  status: 200,
  headers: headersOf({
    date: "Tue, 20 Apr 2021 02:07:56 GMT",
    "content-type": "application/json",
    "content-digest": RESPONSE_DIGEST,
    "content-length": "23",
  }),
};

type Vector = {
  readonly name: string;
  readonly message: SignedMessage;
  readonly params: string;
  readonly lines: readonly string[];
  readonly signature: string;
  readonly key: KeyObject;
  readonly algorithm: SignatureAlgorithm;
};
const VECTORS: readonly Vector[] = [
  {
    name: "B.2.1 minimal, rsa-pss-sha512",
    message: REQUEST,
    params: '();created=1618884473;keyid="test-key-rsa-pss";nonce="b3k2pp5k7z-50gnwp.yemd"',
    lines: [],
    signature:
      "d2pmTvmbncD3xQm8E9ZV2828BjQWGgiwAaw5bAkgibUopemLJcWDy/lkbbHAve4cRAtx31Iq786U7it++wgGxbtRxf8Udx7zFZsckzXaJMkA" +
      "7ChG52eSkFxykJeNqsrWH5S+oxNFlD4dzVuwe8DhTSja8xxbR/Z2cOGdCbzR72rgFWhzx2VjBqJzsPLMIQKhO4DGezXehhWwE56YCE+O6c0m" +
      "KZsfxVrogUvA4HELjVKWmAvtl6UnCh8jYzuVG5WSb/QEVPnP5TmcAnLH1g+s++v6d4s8m0gCw1fV5/SITLq9mhho8K3+7EPYTU8IU1bLhdxO" +
      "5Nyt8C8ssinQ98Xw9Q==",
    key: RSA_PSS,
    algorithm: "rsa-pss-sha512",
  },
  {
    name: "B.2.2 selected components, rsa-pss-sha512",
    message: REQUEST,
    params:
      '("@authority" "content-digest" "@query-param";name="Pet");created=1618884473;keyid="test-key-rsa-pss";tag="header-example"',
    lines: [
      '"@authority": example.com',
      `"content-digest": ${REQUEST_DIGEST}`,
      '"@query-param";name="Pet": dog',
    ],
    signature:
      "LjbtqUbfmvjj5C5kr1Ugj4PmLYvx9wVjZvD9GsTT4F7GrcQEdJzgI9qHxICagShLRiLMlAJjtq6N4CDfKtjvuJyE5qH7KT8UCMkSowOB4+EC" +
      "xCmT8rtAmj/0PIXxi0A0nxKyB09RNrCQibbUjsLS/2YyFYXEu4TRJQzRw1rLEuEfY17SARYhpTlaqwZVtR8NV7+4UKkjqpcAoFqWFQh62s7C" +
      "l+H2fjBSpqfZUJcsIk4N6wiKYd4je2U/lankenQ99PZfB4jY3I5rSV2DSBVkSFsURIjYErOs0tFTQosMTAoxk//0RoKUqiYY8Bh0aaUEb0rQ" +
      "l3/XaVe4bXTugEjHSw==",
    key: RSA_PSS,
    algorithm: "rsa-pss-sha512",
  },
  {
    name: "B.2.3 full coverage, rsa-pss-sha512",
    message: REQUEST,
    params:
      '("date" "@method" "@path" "@query" "@authority" "content-type" "content-digest" "content-length");created=1618884473;keyid="test-key-rsa-pss"',
    lines: [
      '"date": Tue, 20 Apr 2021 02:07:55 GMT',
      '"@method": POST',
      '"@path": /foo',
      '"@query": ?param=Value&Pet=dog',
      '"@authority": example.com',
      '"content-type": application/json',
      `"content-digest": ${REQUEST_DIGEST}`,
      '"content-length": 18',
    ],
    signature:
      "bbN8oArOxYoyylQQUU6QYwrTuaxLwjAC9fbY2F6SVWvh0yBiMIRGOnMYwZ/5MR6fb0Kh1rIRASVxFkeGt683+qRpRRU5p2voTp768ZrCUb38" +
      "K0fUxN0O0iC59DzYx8DFll5GmydPxSmme9v6ULbMFkl+V5B1TP/yPViV7KsLNmvKiLJH1pFkh/aYA2HXXZzNBXmIkoQoLd7YfW91kE9o/CCo" +
      "C1xMy7JA1ipwvKvfrs65ldmlu9bpG6A9BmzhuzF8Eim5f8ui9eH8LZH896+QIF61ka39VBrohr9iyMUJpvRX2Zbhl5ZJzSRxpJyoEZAFL2FU" +
      "o5fTIztsDZKEgM4cUA==",
    key: RSA_PSS,
    algorithm: "rsa-pss-sha512",
  },
  {
    name: "B.2.4 a response, ecdsa-p256-sha256",
    message: RESPONSE,
    params:
      '("@status" "content-type" "content-digest" "content-length");created=1618884473;keyid="test-key-ecc-p256"',
    lines: [
      '"@status": 200',
      '"content-type": application/json',
      `"content-digest": ${RESPONSE_DIGEST}`,
      '"content-length": 23',
    ],
    signature: "wNmSUAhwb5LxtOtOpNa6W5xj067m5hFrj0XQ4fvpaCLx0NKocgPquLgyahnzDnDAUy5eCdlYUEkLIj+32oiasw==",
    key: ECC_P256,
    algorithm: "ecdsa-p256-sha256",
  },
  {
    name: "B.2.5 hmac-sha256",
    message: REQUEST,
    params: '("date" "@authority" "content-type");created=1618884473;keyid="test-shared-secret"',
    lines: [
      '"date": Tue, 20 Apr 2021 02:07:55 GMT',
      '"@authority": example.com',
      '"content-type": application/json',
    ],
    signature: "pxcQw6G3AjtMBQjwo8XzkZf/bws5LelbaMk5rGIGtE8=",
    key: SHARED_SECRET,
    algorithm: "hmac-sha256",
  },
  {
    name: "B.2.6 ed25519",
    message: REQUEST,
    params:
      '("date" "@method" "@path" "@authority" "content-type" "content-length");created=1618884473;keyid="test-key-ed25519"',
    lines: [
      '"date": Tue, 20 Apr 2021 02:07:55 GMT',
      '"@method": POST',
      '"@path": /foo',
      '"@authority": example.com',
      '"content-type": application/json',
      '"content-length": 18',
    ],
    signature: "wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==",
    key: createPublicKey(ED25519),
    algorithm: "ed25519",
  },
];

for (const { name, message, params, lines, signature, key, algorithm } of VECTORS) {
  const member = parseDictionary(`sig=${params}`).get("sig");
  assert.ok(member?.kind === "list");
  const base = signatureBase(message, member, member.text);
  const octets = Buffer.from(signature, "base64");

  test(`RFC 9421 ${name}: the signature base is the printed one`, () => {
    assert.equal(base, [...lines, `"@signature-params": ${params}`].join("\n"));
  });
  test(`RFC 9421 ${name}: the printed signature is the key's, and that of no changed base`, () => {
    assert.equal(isSignature(Buffer.from(base), octets, key, algorithm), true);
    assert.equal(isSignature(Buffer.from(`${base} `), octets, key, algorithm), false);
    const changed = Uint8Array.from(octets);
    changed[9] = (changed[9] ?? 0) ^ 1;
    assert.equal(isSignature(Buffer.from(base), changed, key, algorithm), false);
  });
}

const DETERMINISTIC: readonly [string, readonly Component[], KeyObject][] = [
  ["B.2.5 hmac-sha256", ["date", "@authority", "content-type"], SHARED_SECRET],
  ["B.2.6 ed25519", ["date", "@method", "@path", "@authority", "content-type", "content-length"], ED25519],
];
for (const [name, components, key] of DETERMINISTIC) {
  test(`RFC 9421 ${name}: signing gives the printed octets`, () => {
    const vector = VECTORS.find((one) => one.name === name)!;
    const keyid = /keyid="([^"]+)"/.exec(vector.params)?.[1] ?? "";
    const signed = signMessage(REQUEST, {
      label: "sig",
      components,
      parameters: { created: 1_618_884_473, keyid },
      key,
      algorithm: vector.algorithm,
    });
    assert.equal(signed.signatureInput, `sig=${vector.params}`);
    assert.equal(signed.signature, `sig=:${vector.signature}:`);
  });
}

test("an ECDSA signature is r and s side by side, never DER", () => {
  const vector = VECTORS[3]!;
  const raw = Buffer.from(vector.signature, "base64");
  const integer = (octets: Buffer): Buffer => {
    const padded = octets[0]! & 0x80 ? Buffer.concat([Buffer.of(0), octets]) : octets;
    return Buffer.concat([Buffer.of(2, padded.length), padded]);
  };
  const pair = Buffer.concat([integer(raw.subarray(0, 32)), integer(raw.subarray(32))]);
  const der = Buffer.concat([Buffer.of(0x30, pair.length), pair]);
  const base = Buffer.from([...vector.lines, `"@signature-params": ${vector.params}`].join("\n"));
  assert.equal(isSignature(base, der, vector.key, vector.algorithm), false);
});

test("RFC 9530: the digests that the vectors carry are those of their bodies, and of no other", () => {
  assert.equal(isDigestOf(REQUEST_DIGEST, REQUEST_BODY), true);
  assert.equal(isDigestOf(RESPONSE_DIGEST, RESPONSE_BODY), true);
  assert.equal(isDigestOf(REQUEST_DIGEST, RESPONSE_BODY), false);
  assert.equal(isDigestOf("md5=:XrY7u+Ae7tCTyyK7j1rNww==:", REQUEST_BODY), false);
  assert.equal(
    isDigestOf(`${REQUEST_DIGEST}, sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:`, REQUEST_BODY),
    true,
  );
  assert.equal(
    isDigestOf(`${REQUEST_DIGEST}, sha-256=:AAAE9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:`, REQUEST_BODY),
    false,
  );
});
