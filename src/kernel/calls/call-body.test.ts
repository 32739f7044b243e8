/** Bodies of outbound calls as rows: written as the former release reads them, read back with a check. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { CALL_KINDS, type CallBodies, type CallContent, type CallKind } from "../order/outbound-call.ts";
import { readCallContent, writeCallBody } from "./call-body.ts";

const AT = new Date(Date.UTC(2026, 4, 4, 8));
const SUM = { amountMinor: 251n, currency: "EUR" };

const readCallBody = (kind: CallKind, stored: unknown) => readCallContent(kind, stored, undefined)?.body;

/** As the release before wrote them, which is how they stand in its rows. */
const ROWS: { readonly [Kind in CallKind]: readonly [CallBodies[Kind], Readonly<Record<string, string>>] } = {
  key_request: [
    { itemId: "i", from: "maker" },
    { itemId: "i", from: "maker" },
  ],
  download_notice: [
    { keyId: "k", at: AT },
    { keyId: "k", at: "2026-05-04T08:00:00.000Z" },
  ],
  fee_request: [
    { ...SUM, chargeId: "c" },
    { chargeId: "c", amountMinor: "251", currency: "EUR" },
  ],
  portion_payment: [
    { ...SUM, chargeId: "c", make: "Acme" },
    { chargeId: "c", amountMinor: "251", currency: "EUR", make: "Acme" },
  ],
  remittance_notice: [
    { ...SUM, paymentId: "p", keyId: "k", at: AT },
    { paymentId: "p", keyId: "k", amountMinor: "251", currency: "EUR", at: "2026-05-04T08:00:00.000Z" },
  ],
  identity_check: [{}, {}],
  collection: [
    {
      amountMinor: 499n,
      currency: "EUR",
      collectionId: "0198aaaa-0000-7000-8000-000000000001",
      purpose: "renewal",
      period: 2,
      attempt: 1,
    },
    {
      amountMinor: "499",
      currency: "EUR",
      collectionId: "0198aaaa-0000-7000-8000-000000000001",
      purpose: "renewal",
      period: "2",
      attempt: "1",
    },
  ],
  card_check: [
    { amountMinor: 0n, currency: "EUR" },
    { amountMinor: "0", currency: "EUR" },
  ],
  service_registration: [
    { action: "register", service: "https://s", registrationId: "r", remoteId: null, language: "en" },
    { action: "register", service: "https://s", registrationId: "r", remoteId: "", language: "en" },
  ],
  element_task: [
    { element: "hlr-profile", action: "add", catalogId: "mms", undo: false },
    { element: "hlr-profile", action: "add", catalogId: "mms", undo: "false" },
  ],
  billing_notice: [
    {
      kind: "commit",
      catalogId: "mms",
      action: "add",
      onceMinor: 0,
      monthlyMinor: 499,
      currency: "EUR",
      prepared: "p",
    },
    {
      kind: "commit",
      catalogId: "mms",
      action: "add",
      onceMinor: "0",
      monthlyMinor: "499",
      currency: "EUR",
      prepared: "p",
    },
  ],
  mail_notice: [
    { channel: "fax", language: "de" },
    { channel: "fax", language: "de" },
  ],
  server_notice: [
    {
      ...{ role: "service", server: "https://s", registrationId: "r", remoteId: null, event: "changed" },
      ...{ items: ["settings", "key"], make: "Acme", model: null, at: AT },
    },
    {
      ...{ role: "service", server: "https://s", registrationId: "r", remoteId: "", event: "changed" },
      ...{ items: "settings key", make: "Acme", model: "", at: "2026-05-04T08:00:00.000Z" },
    },
  ],
  forward_request: [
    {
      server: "https://p",
      action: "add",
      selection: ["a", "b"],
      language: "en",
      assurance: "otp",
      reference: "R7",
    },
    {
      server: "https://p",
      action: "add",
      selection: "a b",
      language: "en",
      assurance: "otp",
      reference: "R7",
    },
  ],
};

for (const kind of CALL_KINDS) {
  const [body, row] = ROWS[kind];
  test(`${kind}: its body is written as the release before reads it, and read back as it was`, () => {
    assert.deepEqual(writeCallBody({ kind, body } as CallContent), row);
    assert.deepEqual(readCallBody(kind, row), body);
  });
  test(`${kind}: a row without one of its fields, or with another's, is read as what a lack means or not at all`, () => {
    for (const name of Object.keys(row)) {
      const { [name]: _, ...rest } = row;
      const isOptional =
        /^(from|remoteId|language|undo|catalogId|currency|prepared|channel|assurance|reference|registrationId|items|make|model)$/.test(
          name,
        );
      if (!isOptional) assert.equal(readCallBody(kind, rest), undefined, name);
      assert.equal(readCallBody(kind, { ...row, [name]: 7 }), undefined, `${name} as a number`);
    }
    for (const none of [undefined, null, "text", 7]) assert.equal(readCallBody(kind, none), undefined);
  });
}

test("no sum is guessed, no element and no action that nobody knows is asked for", () => {
  const fee = ROWS.fee_request[1];
  for (const amountMinor of ["", "-1", "2.51", "1e3", "9".repeat(19)])
    assert.equal(readCallBody("fee_request", { ...fee, amountMinor }), undefined, amountMinor);
  const task = ROWS.element_task[1];
  assert.equal(readCallBody("element_task", { ...task, element: "toString" }), undefined);
  assert.equal(readCallBody("element_task", { ...task, action: "drop" }), undefined);
  assert.equal(readCallBody("billing_notice", { ...ROWS.billing_notice[1], kind: "constructor" }), undefined);
});

test("what a release before did not write means what it meant there", () => {
  const { language: _, assurance: __, ...bare } = ROWS.forward_request[1];
  assert.deepEqual(readCallBody("forward_request", bare), {
    ...ROWS.forward_request[0],
    language: "en",
    assurance: "none",
  });
  assert.deepEqual(readCallBody("key_request", { itemId: "i" }), { itemId: "i", from: "maker" });
  assert.deepEqual(readCallBody("mail_notice", { language: "en" }), { channel: "mail", language: "en" });
});

test("a call is read with what was sealed beside it, where that opens", () => {
  const secret = { token: "t" };
  assert.deepEqual(readCallContent("card_check", ROWS.card_check[1], secret), {
    kind: "card_check",
    body: ROWS.card_check[0],
    secret,
  });
  assert.equal(readCallContent("card_check", ROWS.card_check[1], undefined)?.secret, undefined);
  assert.equal(readCallContent("card_check", {}, secret), undefined);
});
