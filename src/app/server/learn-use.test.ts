/** From whom the server learns which access points work. */
import assert from "node:assert/strict";
import { test } from "vitest";
import type { ConfirmationInput } from "../../kernel/order/order-reader.ts";
import { learnFromOrders, learningFrom } from "./learn-use.ts";

const AT = new Date("2026-11-29T10:00:00.000Z");
type Noted = Parameters<Parameters<typeof learningFrom>[1]["note"]>[0];

function listening() {
  const noted: Noted[] = [];
  const witnesses = learningFrom(
    {
      confirm: async (_, given) =>
        given.map(({ source }) => ({ outcome: source === "liar" ? "refused" : "no_order" })),
      symptomsSeen: async (_, seen) => seen.map(() => ({ outcome: "noted" })),
    },
    { note: (seen) => noted.push(seen) },
    () => AT,
  );
  return { noted, witnesses };
}

const traffic = (source: string): ConfirmationInput => ({
  ...{ kind: "traffic", source, imsi: "262010000000001", apn: "net", seenAt: undefined },
});

test("traffic counts, also where no order waits for it; what was refused does not", async () => {
  const { noted, witnesses } = listening();
  await witnesses.confirm("operator", [traffic("radius"), traffic("liar")]);
  assert.deepEqual(noted, [{ operatorId: "operator", sim: { imsi: "262010000000001" }, apn: "net", at: AT }]);
});

test("a refused data session counts against its access point, an application's server does not", async () => {
  const { noted, witnesses } = listening();
  const seen = {
    imei: "351637071234567",
    server: "pgw",
    cause: "unknown_apn",
    source: "gateway",
    seenAt: AT,
  };
  await witnesses.symptomsSeen("operator", [
    { ...seen, application: "data", apn: "net" },
    { ...seen, application: "mms", apn: "net" },
    { ...seen, application: "data", apn: null },
  ]);
  assert.deepEqual(
    noted.map(({ apn, failure }) => [apn, failure]),
    [["net", "unknown_apn"]],
  );
});

test("an order to which no traffic came at all counts against its first access point, and one with some against none", () => {
  const noted: Noted[] = [];
  const item = (apnsSeen: readonly string[]) =>
    ({ id: "item", kind: "settings", apns: ["net", "mms"], apnsSeen }) as const;
  for (const apnsSeen of [[], ["net"]])
    learnFromOrders(
      {
        events: [{ kind: "proof_missing", operatorId: "operator", orderId: "order", itemId: "item", at: AT }],
        orders: [{ id: "order", subscriberId: "sim", items: [item(apnsSeen)] }],
      },
      { note: (seen) => noted.push(seen) },
    );
  assert.deepEqual(
    noted.map(({ sim, apn }) => [sim, apn]),
    [[{ subscriberId: "sim" }, "net"]],
  );
});
