/** How a part goes to the message centre: types of number and validity. */
import assert from "node:assert/strict";
import { test } from "vitest";
import type { PartToSubmit } from "../../kernel/conductor/outbox.ts";
import type { SubmitMessage, SubmitOutcome } from "./outcome.ts";
import { createSmscPort } from "./smsc-port.ts";

const NOW = new Date(Date.UTC(2026, 4, 4, 8));
const part = (more: Partial<PartToSubmit> = {}): PartToSubmit => ({
  to: "4915112345678",
  from: "Meridian",
  esmClass: 0x40,
  dataCoding: 4,
  userData: Uint8Array.of(1, 2, 3),
  moreToSend: false,
  expiresAt: new Date(NOW.getTime() + 3_600_000),
  ...more,
});

/** What the session is given for a part, and what the outbox hears of what became of it. */
async function submitted(of: PartToSubmit, outcome: SubmitOutcome = { kind: "accepted", messageId: "7" }) {
  const given: SubmitMessage[] = [];
  const esme = {
    submit: async (message: SubmitMessage) => {
      given.push(message);
      return outcome;
    },
  };
  const heard = await createSmscPort(
    () => "smsc",
    esme,
    () => NOW,
  ).submit(of);
  return { message: given[0]!, heard };
}

test("a sender is a name, a short code or a number, and says so by TON and NPI (SMPP v3.4 §5.2.5, §5.2.6)", async () => {
  const senders: readonly (readonly [string, number, number])[] = [
    ["Meridian", 5, 0],
    ["+491511", 5, 0],
    ["1234", 6, 1],
    ["123456", 6, 1],
    ["4915112", 1, 1],
  ];
  for (const [from, ton, npi] of senders) {
    const { source_addr, source_addr_ton, source_addr_npi } = (await submitted(part({ from }))).message;
    assert.deepEqual([source_addr, source_addr_ton, source_addr_npi], [from, ton, npi], from);
  }
});

test("a subscriber's number is international, and a receipt is asked for", async () => {
  const { destination_addr, dest_addr_ton, dest_addr_npi, registered_delivery } = (await submitted(part()))
    .message;
  assert.deepEqual(
    [destination_addr, dest_addr_ton, dest_addr_npi, registered_delivery],
    ["4915112345678", 1, 1, 1],
  );
});

test("a centre tries for as long as the message is valid: a minute at least, thirty days at most", async () => {
  const validity = async (ms: number) =>
    (await submitted(part({ expiresAt: new Date(NOW.getTime() + ms) }))).message.validity_period;
  assert.equal(await validity(3_600_000), "000000010000000R");
  assert.equal(await validity(-1), "000000000100000R");
  assert.equal(await validity(90 * 86_400_000), "000030000000000R");
});

test("only a centre's last no ends a part; what may have been taken goes out again", async () => {
  const heard = async (outcome: SubmitOutcome) => (await submitted(part(), outcome)).heard;
  const later = (code: string) => ({ kind: "later", code });
  assert.deepEqual(await heard({ kind: "accepted", messageId: "7" }), {
    kind: "accepted",
    smscMessageId: "7",
  });
  const refused = { kind: "refused", status: 11, statusName: "ESME_RINVDSTADR" } as const;
  assert.deepEqual(await heard({ ...refused, permanent: true }), {
    kind: "refused",
    code: "ESME_RINVDSTADR",
  });
  assert.deepEqual(await heard({ ...refused, permanent: false }), later("ESME_RINVDSTADR"));
  assert.deepEqual(
    await heard({ kind: "deferred", cause: "queue_full", status: undefined, statusName: undefined }),
    later("queue_full"),
  );
  assert.deepEqual(await heard({ kind: "unknown", cause: "timeout" }), later("timeout"));
});
