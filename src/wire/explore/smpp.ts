/** Fields of an SMPP PDU with where they stand. Source: SMPP v3.4. */

import { keysOf } from "../../term/record.ts";
import { hexOf } from "../hex.ts";
import { COMMAND, FIELDS, type Pdu } from "../smpp/command.ts";
import { HEADER_OCTETS } from "../smpp/pdu.ts";
import { statusName } from "../smpp/status.ts";
import { TLV, type TlvName } from "../smpp/tlv.ts";
import { type ExploredField, type ExploredLayer, fieldsOf } from "./field.ts";

const TLV_NAMES: ReadonlyMap<number, TlvName> = new Map(keysOf(TLV).map((name) => [TLV[name].tag, name]));

const CLAUSES: Readonly<Record<string, string>> = {
  esm_class: "SMPP v3.4 §5.2.12",
  protocol_id: "SMPP v3.4 §5.2.13",
  registered_delivery: "SMPP v3.4 §5.2.17",
  data_coding: "SMPP v3.4 §5.2.19",
  short_message: "SMPP v3.4 §5.2.22",
  validity_period: "SMPP v3.4 §5.2.16",
};
/** §4 has a clause for each command. */
const CLAUSE_OF_COMMAND: Readonly<Record<string, string>> = {
  submit_sm: "SMPP v3.4 §4.4.1",
  submit_sm_resp: "SMPP v3.4 §4.4.2",
  deliver_sm: "SMPP v3.4 §4.6.1",
  deliver_sm_resp: "SMPP v3.4 §4.6.2",
  data_sm: "SMPP v3.4 §4.7.1",
  data_sm_resp: "SMPP v3.4 §4.7.2",
};

/** @param bytes the whole PDU that `pdu` was read from */
export function smppLayer(pdu: Pdu, bytes: Uint8Array, number: number): ExploredLayer {
  const field = fieldsOf(bytes);
  const clause = CLAUSE_OF_COMMAND[pdu.command] ?? "SMPP v3.4 §4";
  const id = COMMAND[pdu.command].id;
  const fields: ExploredField[] = [
    field("command_length", [0, 4], { value: bytes.length, clause: "SMPP v3.4 §5.1.1" }),
    field("command_id", [4, 8], {
      value: `0x${id.toString(16).padStart(8, "0")}`,
      meaning: pdu.command,
      clause: "SMPP v3.4 §5.1.2",
    }),
    field("command_status", [8, 12], {
      value: pdu.command_status,
      meaning: statusName(pdu.command_status),
      clause: "SMPP v3.4 §5.1.3",
    }),
    field("sequence_number", [12, 16], { value: pdu.sequence_number, clause: "SMPP v3.4 §5.1.4" }),
  ];
  let at = HEADER_OCTETS;
  const values: Readonly<Record<string, unknown>> = pdu;
  for (const [name, { kind }] of FIELDS[pdu.command]) {
    if (at >= bytes.length || kind === "dest_address" || kind === "unsuccess_sme") break;
    const value = values[name];
    const length =
      kind === "uint8"
        ? 1
        : kind === "uint32"
          ? 4
          : kind === "short_message"
            ? 1 + (bytes[at] ?? 0)
            : textLength(bytes, at);
    const isSecret = name === "password";
    const told =
      value instanceof Uint8Array ? `${value.length} octets` : isSecret ? "***" : String(value ?? "");
    const one = field(name, [at, at + length], {
      value: told,
      meaning: meaningOf(name, value),
      clause: CLAUSES[name] ?? clause,
    });
    fields.push(isSecret ? { ...one, octets: "" } : one);
    at += length;
  }
  return {
    layer: "smpp",
    title: `${number}: ${pdu.command}`,
    at: null,
    length: bytes.length,
    fields: [...fields, ...tlvFields(bytes, at)],
  };
}

const textLength = (bytes: Uint8Array, at: number): number => {
  const end = bytes.indexOf(0, at);
  return end < 0 ? bytes.length - at : end + 1 - at;
};

function tlvFields(bytes: Uint8Array, from: number): ExploredField[] {
  const field = fieldsOf(bytes);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const fields: ExploredField[] = [];
  for (let at = from; at + 4 <= bytes.length; ) {
    const tag = view.getUint16(at);
    const end = Math.min(bytes.length, at + 4 + view.getUint16(at + 2));
    const name = TLV_NAMES.get(tag) ?? `tag 0x${tag.toString(16).padStart(4, "0")}`;
    const isLong = name === "message_payload";
    const value = bytes.subarray(at + 4, end);
    fields.push(
      field(name, [at, end], {
        value: isLong ? `${value.length} octets` : hexOf(value),
        meaning: "optional parameter",
        clause: "SMPP v3.4 §5.3.2",
      }),
    );
    at = end;
  }
  return fields;
}

const UDHI = 0x40;
const MODES = ["default mode", "datagram", "transaction", "store and forward"] as const;

function meaningOf(name: string, value: unknown): string | null {
  if (typeof value !== "number") return null;
  switch (name) {
    case "esm_class": {
      const kind = (value & 0x3c) === 4 ? "delivery receipt, " : "";
      return `${kind}${MODES[value & 3]}${value & UDHI ? ", user data header (UDHI)" : ""}`;
    }
    case "data_coding":
      return value === 4 || value === 0xf5
        ? "8-bit data"
        : value === 0
          ? "the centre's default alphabet"
          : value === 8
            ? "UCS-2"
            : null;
    case "registered_delivery":
      return value & 3 ? "a receipt is asked for" : "no receipt";
    default:
      return null;
  }
}
