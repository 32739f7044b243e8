/** One order with all that can belong to it, written as rows: what the readers of stories and books are shown. */
import { composeOmaCp } from "../src/kernel/payload/compose.ts";
import type { Database } from "../src/store/database.ts";
import type { Sealer } from "../src/store/seal.ts";
import { uuidv7 } from "../src/store/uuid.ts";

export const STORY = {
  imsi: "262019876543210",
  imei: "352013071234568",
  msisdn: "491701234567",
  password: "hunter-two",
} as const;
const AT = new Date("2026-11-22T10:00:00.125Z");
const DONE = new Date("2026-11-22T10:00:03.500Z");

type House = { readonly database: Database; readonly sealer: Sealer };
type Story = { readonly orderId: string; readonly chargeId: string };

export async function writeOrderStory({ database, sealer }: House, operatorId: string): Promise<Story> {
  const [subscriberId, deviceId, orderId, itemId] = [uuidv7(), uuidv7(), uuidv7(), uuidv7()];
  const [payloadId, messageId, chargeId] = [uuidv7(), uuidv7(), uuidv7()];
  const insert = (table: string, row: Readonly<Record<string, unknown>>): Promise<number> => {
    const names = Object.keys(row);
    const places = names.map((_, at) => `$${at + 1}`).join(", ");
    return database.run(`insert into ${table} (${names.join(", ")}) values (${places})`, Object.values(row));
  };
  await insert("subscriber", {
    id: subscriberId,
    operator_id: operatorId,
    imsi_index: sealer.blindIndex("imsi", operatorId, STORY.imsi),
    imsi_sealed: sealer.seal("imsi", STORY.imsi),
    msisdn_index: sealer.blindIndex("msisdn", operatorId, STORY.msisdn),
    msisdn_sealed: sealer.seal("msisdn", STORY.msisdn),
    home_plmn: "26201",
  });
  await insert("device", {
    id: deviceId,
    operator_id: operatorId,
    imei_index: sealer.blindIndex("imei", operatorId, STORY.imei.slice(0, 14)),
    imei_sealed: sealer.seal("imei", STORY.imei),
    tac: STORY.imei.slice(0, 8),
  });
  await insert("provisioning_order", {
    id: orderId,
    operator_id: operatorId,
    subscriber_id: subscriberId,
    device_id: deviceId,
    cause: "first_registration",
    network_kind: "mvno",
    state: "completed",
    reason: 'all 1 items reached "works"',
    next_action: "none",
    make: "Acme",
    model: "One",
    verdict: "ended",
    verdict_reasons: JSON.stringify([
      {
        rule: "maker_support_end",
        outcome: "ended",
        saw: { ends: "2018-06-01", model: "One" },
        decided: true,
      },
      { rule: "maker_relation", outcome: "unknown", saw: { make: "Acme" }, decided: false },
    ]),
    created_at: AT,
    updated_at: DONE,
    ended_at: DONE,
  });
  const payload = composeOmaCp(
    {
      name: "Meridian",
      points: [
        {
          use: "internet",
          apn: "internet.meridian",
          authType: "pap",
          user: "web",
          password: STORY.password,
          mmsc: null,
          proxy: null,
          port: null,
          homepage: null,
        },
      ],
    },
    { sec: "netwpin", imsi: STORY.imsi },
  );
  await insert("payload", {
    id: payloadId,
    operator_id: operatorId,
    kind: "settings",
    protocol: "omacp",
    sec: "netwpin",
    octets: payload.length,
    sealed: sealer.seal("payload", payload),
    created_at: AT,
  });
  await insert("message", {
    id: messageId,
    operator_id: operatorId,
    order_id: orderId,
    payload_id: payloadId,
    kind: "settings",
    idempotency_key: "k",
    reference: 7,
    part_count: 2,
    state: "delivered",
    reason: "every part was delivered",
    attempts: 1,
    expires_at: DONE,
    created_at: AT,
    updated_at: DONE,
  });
  for (const sequence of [1, 2]) {
    await insert("message_part", {
      message_id: messageId,
      sequence,
      smsc: "smsc.example:2775",
      smsc_message_id: `1234567890123${sequence}`,
      state: "delivered",
      error_code: "000",
      accepted_at: AT,
      done_at: DONE,
    });
  }
  await insert("order_item", {
    id: itemId,
    operator_id: operatorId,
    order_id: orderId,
    kind: "settings",
    state: "works",
    reason: "traffic was seen on access point internet.meridian",
    next_action: "none",
    attempt: 1,
    message_id: messageId,
    apns: ["internet.meridian"],
    updated_at: DONE,
  });
  const event = (kind: string, state: string | null, reason: string, at: Date, more = {}) =>
    insert("order_event", {
      id: uuidv7(),
      operator_id: operatorId,
      order_id: orderId,
      kind,
      state,
      reason,
      at,
      ...more,
    });
  await event("order_received", "received", "the SIM registered for the first time", AT);
  // A mistake elsewhere that this reader must not pass on.
  await event("note", null, `the centre spoke of ${STORY.imsi}`, AT, {
    detail: JSON.stringify({ to: STORY.msisdn, pin: "4711", octets: payload.length }),
  });
  await event("works", "works", "traffic was seen on access point internet.meridian", DONE, {
    item_id: itemId,
    evidence: "traffic:gateway",
  });
  await insert("outbound_call", {
    id: uuidv7(),
    operator_id: operatorId,
    order_id: orderId,
    kind: "fee_request",
    idempotency_key: "k",
    body: "{}",
    state: "done",
    reason: "paid",
    attempts: 1,
    deadline_at: DONE,
    created_at: AT,
    updated_at: DONE,
  });
  await insert("charge", {
    id: chargeId,
    operator_id: operatorId,
    order_id: orderId,
    item_id: itemId,
    make: "Acme",
    key_source: "maker",
    fee_minor: 250,
    portion_minor: 100,
    currency: "EUR",
    level: "works",
    state: "settled",
    reason: "fee received, portion paid",
    bank_reference: "B6",
    payout_reference: "B7",
    created_at: DONE,
    updated_at: DONE,
  });
  for (const [reference, debit, credit, amount] of [
    ["fee", "receivable:operator", "revenue:fees", 250],
    ["paid", "cash:bank", "receivable:operator", 250],
    ["portion", "expense:portions", "payable:maker:acme", 100],
    ["payout", "payable:maker:acme", "cash:bank", 100],
  ] as const) {
    await insert("posting", {
      id: uuidv7(),
      operator_id: operatorId,
      reference: `${chargeId}:${reference}`,
      charge_id: chargeId,
      debit,
      credit,
      amount_minor: amount,
      currency: "EUR",
      booked_at: DONE,
    });
  }
  return { orderId, chargeId };
}
