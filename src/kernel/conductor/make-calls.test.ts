/** Due calls to key servers and payment systems, each under its lease. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { relationTerms } from "../../../test/fixture/order-engine.ts";
import type { AnsweredCall } from "../calls/answer.ts";
import type { OperatorTerms, Relation } from "../operator/operator-terms.ts";
import { DEFAULT_POLICY } from "../operator/policy.ts";
import type { OrderStore } from "../order/order-store.ts";
import type { OutboundCall } from "../order/outbound-call.ts";
import type { Bookkeeper } from "./bookkeeper.ts";
import { createInHand } from "./in-hand.ts";
import { createCallMaker, type MakerPort } from "./make-calls.ts";

const NOW = new Date("2026-05-04T08:00:00Z");
const call = (id: string, operatorId: string): OutboundCall => ({
  id,
  operatorId,
  orderId: `order of ${id}`,
  itemId: `item of ${id}`,
  kind: "key_request",
  body: { itemId: `item of ${id}`, from: "maker" },
  attempts: 1,
  deadlineAt: new Date(NOW.getTime() + 1_000_000),
  createdAt: NOW,
});
const terms = (operatorId: string, more: Partial<Relation> = {}): OperatorTerms => ({
  operatorId,
  operatorSlug: operatorId,
  operatorName: operatorId,
  kind: "mno",
  homePlmns: [],
  policy: DEFAULT_POLICY,
  policyVersion: 1,
  relations: new Map([
    ["*", relationTerms({ make: "*", keyServer: `https://${operatorId}.invalid`, ...more })],
  ]),
  accessPoints: [],
  overrides: new Map(),
});
const unused = async (): Promise<never> => {
  throw new Error("not asked");
};

async function answers(
  calls: readonly OutboundCall[],
  makerAt: (url: string) => MakerPort | undefined,
  agreed: Partial<Relation> = {},
) {
  const given: AnsweredCall[] = [];
  const ids = calls.map(({ orderId }) => orderId);
  const maker = createCallMaker({
    store: {
      claimCalls: async () => [...calls],
      makesOf: async () => new Map(ids.map((id) => [id, { make: "Acme", model: "One", tac: "35693803" }])),
      termsOf: async (operatorId: string) => terms(operatorId, agreed),
      subjectsOf: async () => new Map(ids.map((id) => [id, { imei: "356938035643809", homePlmn: "26201" }])),
    } as unknown as OrderStore,
    books: { answer: async (one: AnsweredCall) => void given.push(one) } as unknown as Bookkeeper,
    inHand: createInHand(),
    clock: () => NOW,
    makerAt,
    bankOf: () => undefined,
    binder: new Uint8Array(32).fill(7),
  });
  await maker.pass("key_request", 10);
  return new Map(given.map(({ call: { id }, answer }) => [id, answer]));
}

test("a key server whose client breaks, one that is slow and one that is not set up hold up nobody else's calls", async () => {
  let release = (): void => undefined;
  const slow = new Promise<void>((resolve) => {
    release = resolve;
  });
  const calls = ["broken", "slow", "unset", "sound"].map((name) => call(name, name));
  const got = await answers(calls, (url) => {
    const port = (requestKeys: MakerPort["requestKeys"]): MakerPort => ({
      requestKeys,
      reportDownloads: unused,
      reportPayments: unused,
    });
    const key = { kind: "key", bytes: Uint8Array.of(1) } as const;
    if (url.includes("broken")) throw new TypeError("Invalid URL");
    if (url.includes("unset")) return undefined;
    if (url.includes("slow")) {
      return port(async (requests) => {
        await slow;
        return requests.map(() => key);
      });
    }
    return port(async (requests) => {
      release(); // it would wait for ever if the parties were asked one after the other
      return requests.map(() => key);
    });
  });
  assert.deepEqual(
    [...got].map(([id, answer]) => [id, answer.kind, "cause" in answer ? answer.cause : ""]).sort(),
    [
      ["broken", "failed", "call_failed"],
      ["slow", "key", ""],
      ["sound", "key", ""],
      ["unset", "failed", "not_configured"],
    ],
  );
});

test("a server that answers fewer requests than it was asked leaves the others to be asked again", async () => {
  const got = await answers([call("one", "o"), call("two", "o")], () => ({
    requestKeys: async () => [{ kind: "key", bytes: Uint8Array.of(1) }],
    reportDownloads: unused,
    reportPayments: unused,
  }));
  assert.equal(got.get("one")?.kind, "key");
  assert.equal(got.get("two")?.kind, "failed");
});

test("a key is asked for by model and by unique id, with the network of its SIM", async () => {
  const asked: unknown[] = [];
  await answers([call("one", "o")], () => ({
    requestKeys: async (requests) => {
      asked.push(...requests);
      return requests.map(() => ({ kind: "key", bytes: Uint8Array.of(1) }));
    },
    reportDownloads: unused,
    reportPayments: unused,
  }));
  assert.deepEqual(asked, [
    {
      requestId: "item of one",
      model: { make: "Acme", model: "One", tac: "35693803" },
      uniqueId: { imei: "356938035643809" },
      network: { mcc: "262", mnc: "01" },
    },
  ]);
});

test("by what a key is asked for is the relation's word: model and unique id, or one of them (R95, claims 3 and 16)", async () => {
  const asked: unknown[] = [];
  const ask = (agreed: Partial<Relation>) =>
    answers(
      [call("one", "o")],
      () => ({
        requestKeys: async (requests) => {
          asked.push(...requests);
          return requests.map(() => ({ kind: "key", bytes: Uint8Array.of(1) }));
        },
        reportDownloads: unused,
        reportPayments: unused,
      }),
      agreed,
    );
  await ask({ keyRequestBy: "model" });
  await ask({ keyRequestBy: "imei", deleteAfterUse: false });
  const always = { requestId: "item of one", network: { mcc: "262", mnc: "01" } };
  const model = { make: "Acme", model: "One", tac: "35693803" };
  assert.deepEqual(asked, [
    { ...always, model, binder: "07".repeat(32) },
    { ...always, uniqueId: { imei: "356938035643809" }, deleteAfterUse: false },
  ]);
});
