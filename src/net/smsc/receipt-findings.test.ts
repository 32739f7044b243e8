/** Whose a receipt is that comes to a trial, and what the receipts of one say of the centre. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { ownerOf, proposedSettings, receiptFindings } from "./receipt-findings.ts";

const NUMBER = "4915112345601";
const receiptOf = (
  id: string,
  from: string,
  more: { readonly stat?: string; readonly esm_class?: number } = {},
) => ({
  source_addr: from,
  destination_addr: "2948",
  esm_class: more.esm_class ?? 4,
  data_coding: 0,
  short_message: Buffer.from(`id:${id} stat:${more.stat ?? "DELIVRD"} err:000`),
  tlvs: [],
});

test("a receipt is the trial's by the id as it was written; in another base only where it is of the number that was sent to", () => {
  const parts = [
    { id: "1A", isOfLong: false },
    { id: "00000000-0000-7000-8000-00000000abcd", isOfLong: false },
  ];
  const [hex, uuid] = parts;
  const rows: readonly [string, string, (typeof parts)[number] | undefined][] = [
    ["1A", "4917000000000", hex],
    ["26", NUMBER, hex],
    ["26", `+${NUMBER}`, hex],
    ["26", NUMBER.replace(/^49/, "0"), hex],
    ["26", "", hex],
    ["26", "4917000000000", undefined],
    ["27", NUMBER, undefined],
    ["00000000-0000-7000-8000-00000000ABCD", NUMBER, uuid],
  ];
  for (const [id, from, owner] of rows)
    assert.equal(ownerOf(receiptOf(id, from), parts, NUMBER), owner, `${id} from ${from}`);
  assert.equal(ownerOf(receiptOf("1A", NUMBER), [{ id: "", isOfLong: false }], NUMBER), undefined);
});

test("settings are proposed where all receipts of a trial agree, and never from none", () => {
  const configured = { receiptIds: "as-is", receiptsMarked: true, receiptsPer: "part" } as const;
  const one = { id: "1A", isOfLong: true };
  const two = { id: "1B", isOfLong: true };
  const both = [one, two];
  const told = (of: typeof one, id: string, more = {}) => ({ of, pdu: receiptOf(id, NUMBER, more) });
  const proposed = (receipts: Parameters<typeof receiptFindings>[1]) =>
    proposedSettings(receiptFindings(both, receipts), configured);
  assert.deepEqual(proposed([]), {});
  assert.deepEqual(proposed([told(one, "1A"), told(two, "1B")]), {});
  assert.deepEqual(proposed([told(one, "26"), told(two, "27")]), { receiptIds: "hex-to-decimal" });
  assert.deepEqual(proposed([told(one, "26"), told(two, "1B")]), { receiptIds: "either" }, "it writes both");
  assert.deepEqual(proposed([told(one, "1A"), told(two, "1B", { esm_class: 0 })]), { receiptsMarked: false });
  assert.deepEqual(proposed([told(two, "1B")]), { receiptsPer: "message" });
  assert.deepEqual(
    proposed([told(two, "1B", { stat: "ENROUTE" })]),
    {},
    "an intermediate word is no receipt of a part",
  );
});
