/**
 * Changes of drafts, and what the compiler refuses of them: each line under `@ts-expect-error` has to be an error, or the type
 * check of this file fails.
 */
import assert from "node:assert/strict";
import { test } from "vitest";
import { change, restore } from "./change.ts";
import type { ItemDraft, OrderDraft } from "./order-draft.ts";
import type { RegistrationDraft } from "./request-draft.ts";
import { createScribe } from "./scribe.ts";
import type { RequestItem } from "./turn.ts";

const NOW = new Date(Date.UTC(2026, 4, 4, 8));
const item = (): ItemDraft => ({
  id: "item",
  kind: "settings",
  state: "pending",
  cause: null,
  reason: "to be composed",
  nextAction: "compose",
  deadlineAt: null,
  attempt: 0,
  message: null,
  keyId: null,
  keySource: null,
  keyState: null,
  feeTerms: null,
  apns: [],
  apnsSeen: [],
  applicationsSeen: [],
  subject: null,
  isNew: false,
  changed: false,
});

test("a change says so, and leaves what it does not name", () => {
  const draft = item();
  change(draft, { state: "sending", attempt: 1 });
  assert.deepEqual(draft, { ...item(), state: "sending", attempt: 1, changed: true });
});

test("a draft that is put back is as it was, its mark included", () => {
  const draft = item();
  const before = { ...draft };
  change(draft, { state: "sending", cause: "x" });
  restore(draft, before);
  assert.deepEqual(draft, item());
});

test("a misspelt state, field or event kind does not compile", () => {
  const refused = (_work: () => void): void => undefined; // for the compiler alone
  refused(() => {
    // @ts-expect-error a state that there is not
    change(item(), { state: "sendin" });
    // @ts-expect-error a field that there is not
    change(item(), { nextActoin: "compose" });
    // @ts-expect-error an item keeps its id
    change(item(), { id: "another" });
    // @ts-expect-error and its kind
    change(item(), { kind: "key" });
    // @ts-expect-error the mark is set by the change itself
    change(item(), { changed: false });
    // @ts-expect-error a value of another type
    change(item(), { deadlineAt: "2026-05-04" });
    // @ts-expect-error a state of an item is none of an order
    change({} as OrderDraft, { state: "sending" });
    // @ts-expect-error a state that no registration has
    change({} as RegistrationDraft, { state: "refusd" });
    // @ts-expect-error what was asked for is there always
    change({} as RequestItem, { subject: null });
  });
  refused(() => {
    const scribe = createScribe(NOW, () => "id");
    const order = {} as OrderDraft;
    const standing = { reason: "r", nextAction: "n", deadlineAt: null };
    scribe.note(order, { kind: "judged", reason: "r" });
    // @ts-expect-error an event kind that there is not
    scribe.note(order, { kind: "juged", reason: "r" });
    scribe.moveItem(order, item(), { ...standing, state: "sending", event: "resent" });
    // @ts-expect-error an event kind that there is not
    scribe.moveItem(order, item(), { ...standing, state: "sending", event: "resend" });
    // @ts-expect-error an item's state that there is not
    scribe.moveItem(order, item(), { ...standing, state: "send" });
    // @ts-expect-error an order's state that there is not
    scribe.moveOrder(order, { ...standing, state: "complete", dueAt: null });
  });
});

test("a call says what its kind says, and nothing else compiles", () => {
  const refused = (_work: () => void): void => undefined; // for the compiler alone
  refused(() => {
    const { calls } = createScribe(NOW, () => "id").changes;
    const made = { id: "i", operatorId: "o", orderId: "o", itemId: null, idempotencyKey: "k" };
    const times = { dueAt: NOW, deadlineAt: NOW };
    const sum = { amountMinor: 251n, currency: "EUR" };
    calls.push({ ...made, ...times, kind: "fee_request", body: { ...sum, chargeId: "c" } });
    // @ts-expect-error a fee is of a charge
    calls.push({ ...made, ...times, kind: "fee_request", body: sum });
    // @ts-expect-error a kind that there is not
    calls.push({ ...made, ...times, kind: "fee_requests", body: { ...sum, chargeId: "c" } });
    // @ts-expect-error money is an integer of minor units
    calls.push({ ...made, ...times, kind: "card_check", body: { amountMinor: "251", currency: "EUR" } });
    // @ts-expect-error a card check carries a token, and nobody's name
    calls.push({ ...made, ...times, kind: "card_check", body: sum, secret: { user: {} } });
  });
});
