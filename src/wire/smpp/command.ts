/**
 * Every PDU of SMPP v3.4 §4 in one table: its number, its mandatory fields in wire order, whether optional parameters
 * may follow. The types of decoded PDUs are read from the table, so that the two cannot drift apart.
 */
import { keysOf, recordOf } from "../../term/record.ts";
import type { Tlv } from "./tlv.ts";

/** Text sizes count the ending NUL, as the specification does. A time is empty or 16 characters (§7.1.1). */
export type Field =
  | { readonly kind: "uint8" | "uint32" | "time" | "short_message" | "dest_address" | "unsuccess_sme" }
  | {
      readonly kind: "text";
      readonly max: number;
      /** What is written all the same, for peers that take more than the specification has. */
      readonly written?: number;
    };

const uint8 = { kind: "uint8" } as const;
const time = { kind: "time" } as const;
const text = (max: number) => ({ kind: "text", max }) as const;

/** Some centres give passwords of more than eight octets; who may use one is the configuration's to say. */
const LONG_PASSWORD = 65;
const BIND = {
  system_id: text(16),
  password: { kind: "text", max: 9, written: LONG_PASSWORD } as const,
  system_type: text(13),
  interface_version: uint8,
  addr_ton: uint8,
  addr_npi: uint8,
  address_range: text(41),
} as const;
const BIND_RESP = { system_id: text(16) } as const;
const SOURCE = { source_addr_ton: uint8, source_addr_npi: uint8, source_addr: text(21) } as const;
const DESTINATION = { dest_addr_ton: uint8, dest_addr_npi: uint8, destination_addr: text(21) } as const;
/** sm_length is not a field of its own: it is the length of short_message. */
const MESSAGE = {
  esm_class: uint8,
  protocol_id: uint8,
  priority_flag: uint8,
  schedule_delivery_time: time,
  validity_period: time,
  registered_delivery: uint8,
  replace_if_present_flag: uint8,
  data_coding: uint8,
  sm_default_msg_id: uint8,
  short_message: { kind: "short_message" },
} as const;
const SHORT_MESSAGE = { service_type: text(6), ...SOURCE, ...DESTINATION, ...MESSAGE } as const;
const MESSAGE_ID = { message_id: text(65) } as const;

type Layout = {
  readonly id: number;
  readonly fields: Readonly<Record<string, Field>>;
  /** May optional parameters follow the fields? */
  readonly optional: boolean;
};

/** The table: each command's `command_id` (big-endian on the wire) and its fields in wire order. */
export const COMMAND = {
  generic_nack: { id: 0x80000000, optional: false, fields: {} },
  bind_receiver: { id: 0x00000001, optional: false, fields: BIND },
  bind_receiver_resp: { id: 0x80000001, optional: true, fields: BIND_RESP },
  bind_transmitter: { id: 0x00000002, optional: false, fields: BIND },
  bind_transmitter_resp: { id: 0x80000002, optional: true, fields: BIND_RESP },
  query_sm: { id: 0x00000003, optional: false, fields: { ...MESSAGE_ID, ...SOURCE } },
  query_sm_resp: {
    id: 0x80000003,
    optional: false,
    fields: { ...MESSAGE_ID, final_date: time, message_state: uint8, error_code: uint8 },
  },
  submit_sm: { id: 0x00000004, optional: true, fields: SHORT_MESSAGE },
  submit_sm_resp: { id: 0x80000004, optional: false, fields: MESSAGE_ID },
  deliver_sm: { id: 0x00000005, optional: true, fields: SHORT_MESSAGE },
  /** message_id is "unused" (§4.6.2), yet some peers fill it. */
  deliver_sm_resp: { id: 0x80000005, optional: false, fields: MESSAGE_ID },
  unbind: { id: 0x00000006, optional: false, fields: {} },
  unbind_resp: { id: 0x80000006, optional: false, fields: {} },
  replace_sm: {
    id: 0x00000007,
    optional: false,
    fields: {
      ...MESSAGE_ID,
      ...SOURCE,
      schedule_delivery_time: time,
      validity_period: time,
      registered_delivery: uint8,
      sm_default_msg_id: uint8,
      short_message: { kind: "short_message" },
    },
  },
  replace_sm_resp: { id: 0x80000007, optional: false, fields: {} },
  cancel_sm: {
    id: 0x00000008,
    optional: false,
    fields: { service_type: text(6), ...MESSAGE_ID, ...SOURCE, ...DESTINATION },
  },
  cancel_sm_resp: { id: 0x80000008, optional: false, fields: {} },
  bind_transceiver: { id: 0x00000009, optional: false, fields: BIND },
  bind_transceiver_resp: { id: 0x80000009, optional: true, fields: BIND_RESP },
  outbind: { id: 0x0000000b, optional: false, fields: { system_id: text(16), password: text(9) } },
  enquire_link: { id: 0x00000015, optional: false, fields: {} },
  enquire_link_resp: { id: 0x80000015, optional: false, fields: {} },
  submit_multi: {
    id: 0x00000021,
    optional: true,
    fields: {
      service_type: text(6),
      ...SOURCE,
      /** number_of_dests is its length: 1 to 254. */
      dest_address: { kind: "dest_address" },
      ...MESSAGE,
    },
  },
  submit_multi_resp: {
    id: 0x80000021,
    optional: false,
    /** no_unsuccess is the length of unsuccess_sme. */
    fields: { ...MESSAGE_ID, unsuccess_sme: { kind: "unsuccess_sme" } },
  },
  alert_notification: {
    id: 0x00000102,
    optional: true,
    fields: {
      source_addr_ton: uint8,
      source_addr_npi: uint8,
      source_addr: text(65),
      esme_addr_ton: uint8,
      esme_addr_npi: uint8,
      esme_addr: text(65),
    },
  },
  data_sm: {
    id: 0x00000103,
    optional: true,
    fields: {
      service_type: text(6),
      source_addr_ton: uint8,
      source_addr_npi: uint8,
      source_addr: text(65),
      dest_addr_ton: uint8,
      dest_addr_npi: uint8,
      destination_addr: text(65),
      esm_class: uint8,
      registered_delivery: uint8,
      data_coding: uint8,
    },
  },
  data_sm_resp: { id: 0x80000103, optional: true, fields: MESSAGE_ID },
} as const satisfies Record<string, Layout>;

/** A command's name, as the specification spells it. */
export type Command = keyof typeof COMMAND;

/** One destination of submit_multi: a subscriber (dest_flag 1) or a distribution list (dest_flag 2), §4.5.1.1. */
export type DestAddress =
  | {
      readonly dest_flag: 1;
      readonly dest_addr_ton: number;
      readonly dest_addr_npi: number;
      readonly destination_addr: string;
    }
  | { readonly dest_flag: 2; readonly dl_name: string };

/** A destination that submit_multi could not reach, §4.5.2.1. */
export type UnsuccessSme = {
  readonly dest_addr_ton: number;
  readonly dest_addr_npi: number;
  readonly destination_addr: string;
  readonly error_status_code: number;
};

type ValueOf<K> = K extends "text" | "time"
  ? string
  : K extends "short_message"
    ? Uint8Array
    : K extends "dest_address"
      ? readonly DestAddress[]
      : K extends "unsuccess_sme"
        ? readonly UnsuccessSme[]
        : number;
type Fields<C extends Command> = (typeof COMMAND)[C]["fields"];

/** The mandatory fields of a command, in the specification's spelling. */
export type FieldsOf<C extends Command> = {
  readonly [F in keyof Fields<C>]: Fields<C>[F] extends { readonly kind: infer K } ? ValueOf<K> : never;
};
/** A PDU of one command: header (without its length), fields, optional parameters in the order met. */
export type PduOf<C extends Command> = {
  readonly command: C;
  readonly command_status: number;
  readonly sequence_number: number;
} & FieldsOf<C> & { readonly tlvs: readonly Tlv[] };

/** Any PDU; `command` tells which. */
export type Pdu = { [C in Command]: PduOf<C> }[Command];
/** A message from us to the centre (§4.4.1). */
export type SubmitSm = PduOf<"submit_sm">;
/** The centre's answer, with the id that its receipt will name (§4.4.2). */
export type SubmitSmResp = PduOf<"submit_sm_resp">;
/** A message, or a delivery receipt, from the centre to us (§4.6.1). */
export type DeliverSm = PduOf<"deliver_sm">;
/** How a session opens: for sending, for receiving, or for both (§4.1). */
export type BindCommand = "bind_transmitter" | "bind_receiver" | "bind_transceiver";

/** Set in the `command_id` of every response. */
export const RESPONSE_BIT = 0x80000000;

/** The table seen without its literal types, for loops over it. */
const LAYOUT: Readonly<Record<Command, Layout>> = COMMAND;

/** The fields of each command, in the order of the wire. */
export const FIELDS = recordOf(keysOf(COMMAND), (command) => Object.entries(LAYOUT[command].fields));

const NAME_OF: ReadonlyMap<number, Command> = new Map(
  keysOf(COMMAND).map((command) => [COMMAND[command].id, command]),
);

/** The command of a `command_id`; undefined where v3.4 has none of that number. */
export function commandOf(id: number): Command | undefined {
  return NAME_OF.get(id);
}

/** Whether it answers a request; a generic_nack does too. */
export function isResponse(command: Command): boolean {
  return COMMAND[command].id >= RESPONSE_BIT;
}
