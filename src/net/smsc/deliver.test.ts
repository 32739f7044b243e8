/** What a message from the centre is, and whom it is for: a receipt, an applet report, a handset report, a text. */
import assert from "node:assert/strict";
import { test } from "vitest";
import type { Receipt } from "../../kernel/order/message.ts";
import { TurnupError } from "../../term/error.ts";
import type { DeliverSm } from "../../wire/smpp/command.ts";
import { type Receivers, takeDelivery } from "./deliver.ts";

const FROM = "4915112345678";
const OURS = "4711";
const APPLET = "815";

const delivery = (more: Partial<DeliverSm>): DeliverSm =>
  ({
    source_addr: FROM,
    destination_addr: OURS,
    data_coding: 0,
    esm_class: 0,
    short_message: Buffer.from("YES 4821"),
    tlvs: [],
    ...more,
  }) as unknown as DeliverSm;
const receiptOf = (stat: string) =>
  delivery({
    esm_class: 0x04,
    short_message: Buffer.from(
      `id:42 sub:001 dlvrd:001 submit date:2605040800 done date:2605040801 stat:${stat} err:000 text:`,
    ),
  });
const OCTETS = Uint8Array.of(0x54, 0x52, 1);

/** Who was asked, in order; `takes` says who takes it. */
function receivers(takes: readonly string[] = []) {
  const asked: string[] = [];
  const booked: Receipt[] = [];
  const ask = (who: string) => {
    asked.push(who);
    return takes.includes(who);
  };
  const to: Receivers<"sighting"> = {
    receipt: async (receipt) => void booked.push(receipt),
    applet: {
      isFor: ({ destination_addr }) => destination_addr === APPLET,
      take: async () => {
        asked.push("applet");
        return "sighting";
      },
    },
    report: async () => ask("report"),
    reply: async () => ask("reply"),
    text: async (from, text, at) => ask(`${from} ${text} ${at}`),
  };
  return { asked, booked, to };
}
const centre = { smsc: "smsc", receiptIds: "as-is" } as const;

test("a receipt is booked by the state that it settles, and an intermediate one settles nothing (SMPP v3.4 §5.2.28)", async () => {
  const states: readonly (readonly [string, string, Receipt["state"] | null])[] = [
    ["DELIVRD", "delivered", "delivered"],
    ["EXPIRED", "expired", "expired"],
    ["UNDELIV", "undeliverable", "failed"],
    ["DELETED", "deleted", "failed"],
    ["REJECTD", "rejected", "failed"],
    ["UNKNOWN", "unknown", "failed"],
    ["ENROUTE", "enroute", null],
    ["ACCEPTD", "accepted", null],
  ];
  for (const [stat, state, booked] of states) {
    const seen = receivers();
    assert.deepEqual(await takeDelivery(receiptOf(stat), centre, seen.to), { kind: "receipt", state }, stat);
    assert.deepEqual(
      seen.booked.map((one) => [one.smsc, one.smscMessageId, one.state]),
      booked === null ? [] : [["smsc", "42", booked]],
      stat,
    );
    assert.deepEqual(seen.asked, []);
  }
});

test("what goes to the applet's short code is the applet's, whatever it holds", async () => {
  for (const more of [{}, { data_coding: 4, short_message: OCTETS }]) {
    const seen = receivers();
    const pdu = delivery({ destination_addr: APPLET, ...more });
    assert.deepEqual(await takeDelivery(pdu, centre, seen.to), { kind: "applet", outcome: "sighting" });
    assert.deepEqual(seen.asked, ["applet"]);
  }
});

test("octets are a handset's report, else a reply of the client module, and never a text", async () => {
  const octets = delivery({ data_coding: 4, short_message: OCTETS });
  const cases: readonly (readonly [readonly string[], string, readonly string[]])[] = [
    [["report"], "report", ["report"]],
    [["reply"], "report", ["report", "reply"]],
    [[], "other", ["report", "reply"]],
  ];
  for (const [takes, kind, asked] of cases) {
    const seen = receivers(takes);
    assert.deepEqual(await takeDelivery(octets, centre, seen.to), { kind });
    assert.deepEqual(seen.asked, asked);
  }
});

test("a text is a subscriber's, with his number and the address that he wrote to", async () => {
  const words = `${FROM} YES 4821 ${OURS}`;
  const seen = receivers([words]);
  assert.deepEqual(await takeDelivery(delivery({}), centre, seen.to), { kind: "report" });
  assert.deepEqual(seen.asked, [words]);
  assert.deepEqual(await takeDelivery(delivery({}), centre, receivers().to), { kind: "other" });
});

test("an answer that comes too late is taken; while the database is away the centre keeps the text", async () => {
  const failing = (code: "nothing_to_answer" | "database_unavailable"): Receivers<never> => ({
    ...receivers().to,
    applet: null,
    text: async () => {
      throw new TurnupError(code, "as the test says");
    },
  });
  assert.deepEqual(await takeDelivery(delivery({}), centre, failing("nothing_to_answer")), {
    kind: "report",
  });
  await assert.rejects(takeDelivery(delivery({}), centre, failing("database_unavailable")), {
    code: "database_unavailable",
  });
});
