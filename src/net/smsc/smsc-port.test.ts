/** How a part goes to the message centre: types of number and validity. */
import assert from "node:assert/strict";
import { test } from "vitest";
import type { PartToSubmit } from "../../kernel/conductor/outbox.ts";
import { TurnupError } from "../../term/error.ts";
import { decodeText, encodeText } from "../../wire/sms/text.ts";
import type { SubmitMessage, SubmitOutcome } from "./outcome.ts";
import { createCentrePort, type SmscForms } from "./smsc-port.ts";

const NOW = new Date(Date.UTC(2026, 4, 4, 8));
const part = (more: Partial<PartToSubmit> = {}): PartToSubmit => ({
  lane: "operator",
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
async function submitted(
  of: PartToSubmit,
  outcome: SubmitOutcome = { kind: "accepted", messageId: "7" },
  forms?: SmscForms,
) {
  const given: SubmitMessage[] = [];
  const esme = {
    submit: async (message: SubmitMessage) => {
      given.push(message);
      return outcome;
    },
  };
  const heard = await createCentrePort(
    () => forms,
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
  assert.deepEqual(await heard({ kind: "unknown", cause: "timeout" }), {
    ...later("timeout"),
    isPerhapsTaken: true,
  });
});

test("a link arrives with its low line and its @ by each alphabet that a centre may have behind data_coding 0", async () => {
  const link = "https://go.example/s/a_b@c";
  const {
    parts: [own],
    dataCoding,
  } = encodeText(link, { reference: 1 });
  assert.ok(own);
  const of = part({ dataCoding, esmClass: 0, userData: own.data });
  for (const [alphabet, read] of [
    ["gsm7", (octets: Uint8Array) => decodeText(0, octets)],
    ["ascii", (octets: Uint8Array) => Buffer.from(octets).toString("ascii")],
    ["latin1", (octets: Uint8Array) => Buffer.from(octets).toString("latin1")],
  ] as const) {
    const { message } = await submitted(of, undefined, { alphabet });
    assert.deepEqual(
      [message.data_coding, read(message.short_message ?? new Uint8Array())],
      [0, link],
      alphabet,
    );
  }
});

test("behind a header the text alone is written anew; what an alphabet lacks goes in UCS-2 or is refused by us", async () => {
  const header = [5, 0, 3, 7, 2, 1];
  const long = part({ dataCoding: 0, userData: Uint8Array.from([...header, 0x11, 0x00]) });
  const { message } = await submitted(long, undefined, { alphabet: "ascii" });
  assert.deepEqual(message.short_message, Uint8Array.from([...header, 0x5f, 0x40]));

  const euro = Uint8Array.of(0x1b, 0x65, 0x35);
  const short = await submitted(part({ dataCoding: 0, esmClass: 0, userData: euro }), undefined, {
    alphabet: "latin1",
  });
  assert.deepEqual(
    [short.message.data_coding, short.message.short_message],
    [8, Uint8Array.of(0x20, 0xac, 0, 0x35)],
  );
  const ofMany = part({ dataCoding: 0, userData: Uint8Array.from([...header, ...euro]) });
  const refused = await submitted(ofMany, undefined, { alphabet: "latin1" });
  assert.deepEqual(refused.heard, { kind: "refused", code: "alphabet_unfit", by: "us" });
  const binary = part({ userData: Uint8Array.of(0x11) });
  assert.deepEqual(
    (await submitted(binary, undefined, { alphabet: "ascii" })).message.short_message,
    binary.userData,
  );
});

test("what kind of address a sender is may be another at a centre", async () => {
  const sources = { name: { ton: 5, npi: 1 }, shortCode: { ton: 3, npi: 0 }, number: { ton: 2, npi: 8 } };
  for (const [from, ton, npi] of [
    ["Meridian", 5, 1],
    ["4711", 3, 0],
    ["4915112345678", 2, 8],
  ] as const) {
    const { message } = await submitted(part({ from }), undefined, { sources });
    assert.deepEqual([message.source_addr_ton, message.source_addr_npi], [ton, npi], from);
  }
});

test("a value that SMPP has no room for is our own refusal, not the centre's", async () => {
  const esme = {
    submit: async () => {
      throw new TurnupError("smpp_field_invalid", "source_addr is too long.");
    },
  };
  const port = createCentrePort(
    () => undefined,
    esme,
    () => NOW,
  );
  assert.deepEqual(await port.submit(part()), { kind: "refused", code: "smpp_field_invalid", by: "us" });
});
