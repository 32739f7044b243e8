/** The PDUs that an ESME makes of what it was asked, and the one shape that it gives to what comes in two. */
import type { DeliverSm, Pdu, PduOf, SubmitSm } from "../../wire/smpp/command.ts";
import { makePdu } from "../../wire/smpp/pdu.ts";
import { NO_TLVS } from "../../wire/smpp/tlv.ts";
import type { EsmeOptions } from "./esme-api.ts";
import type { SubmitMessage } from "./outcome.ts";

const INTERFACE_VERSION = 0x34;

/** Its number is given when it leaves. */
export type WritableSubmit = { -readonly [K in keyof SubmitSm]: SubmitSm[K] };

export function bindPdu(options: EsmeOptions, sequence: number, password: string): Pdu {
  return makePdu(`bind_${options.bind ?? "transceiver"}`, sequence, {
    system_id: options.systemId,
    password,
    system_type: options.systemType ?? "",
    interface_version: INTERFACE_VERSION,
    address_range: options.addressRange ?? "",
  });
}

/** Written out, so that every submit is an object of one shape. */
export function submitSmOf(message: SubmitMessage): WritableSubmit {
  return {
    command: "submit_sm",
    command_status: 0,
    sequence_number: 0,
    service_type: message.service_type ?? "",
    source_addr_ton: message.source_addr_ton ?? 0,
    source_addr_npi: message.source_addr_npi ?? 0,
    source_addr: message.source_addr ?? "",
    dest_addr_ton: message.dest_addr_ton ?? 0,
    dest_addr_npi: message.dest_addr_npi ?? 0,
    destination_addr: message.destination_addr,
    esm_class: message.esm_class ?? 0,
    protocol_id: message.protocol_id ?? 0,
    priority_flag: message.priority_flag ?? 0,
    schedule_delivery_time: message.schedule_delivery_time ?? "",
    validity_period: message.validity_period ?? "",
    registered_delivery: message.registered_delivery ?? 0,
    replace_if_present_flag: message.replace_if_present_flag ?? 0,
    data_coding: message.data_coding ?? 0,
    sm_default_msg_id: message.sm_default_msg_id ?? 0,
    short_message: message.short_message ?? EMPTY,
    tlvs: message.tlvs ?? NO_TLVS,
  };
}

const EMPTY = new Uint8Array(0);

/** A message that came by data_sm, in the shape of the usual one; its text stays in message_payload. */
export function deliverSmOf({ command: _, ...pdu }: PduOf<"data_sm">): DeliverSm {
  const made = makePdu("deliver_sm", pdu.sequence_number, {});
  return { ...made, ...pdu };
}
