/** PDUs of SMPP put together to messages: those that carry parts of one go together, all others stand by themselves. */
import { DecodeError } from "../decode-error.ts";
import type { Pdu } from "../smpp/command.ts";
import { decodePdu } from "../smpp/pdu.ts";
import { tlvValue } from "../smpp/tlv.ts";
import { hasHeader, octetsOf, userDataOf } from "../smpp/user-data.ts";
import { decodeText } from "../sms/text.ts";
import { decodeUdh, encodeUdh } from "../sms/udh.ts";
import {
  NOTHING_READ as EMPTY,
  type Explored,
  type ExploredLayer,
  type ExploredMessage,
  type ExploreOptions,
  type Finding,
  type Source,
} from "./field.ts";
import { exploredPart } from "./inside.ts";
import { smppLayer } from "./smpp.ts";

type GivenPdu = {
  readonly octets: Uint8Array;
  readonly stream: string | null;
  readonly packet: number | null;
};
type ReadPdu = GivenPdu & { readonly pdu: Pdu; readonly layer: ExploredLayer };

/** In the order of their first PDU. */
export function messagesOfPdus(pdus: readonly GivenPdu[], options: ExploreOptions): ExploredMessage[] {
  const groups = new Map<string, ReadPdu[]>();
  const messages: (() => ExploredMessage)[] = [];
  for (const [index, given] of pdus.entries()) {
    const read = readPdu(given, index + 1);
    if ("code" in read) {
      messages.push(() => ({
        ...sourceOf([]),
        ...EMPTY,
        stream: given.stream,
        packets: given.packet === null ? [] : [given.packet],
        findings: [read],
      }));
      continue;
    }
    const key = groupOf(read, index);
    const known = groups.get(key);
    if (known) known.push(read);
    else {
      const group = [read];
      groups.set(key, group);
      messages.push(() => messageOf(group, options));
    }
  }
  return messages.map((make) => make());
}

function readPdu(given: GivenPdu, number: number): ReadPdu | Finding {
  try {
    const pdu = decodePdu(given.octets, { mode: "lenient" });
    return { ...given, pdu, layer: smppLayer(pdu, given.octets, number) };
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    return {
      code: "malformed",
      layer: "smpp",
      offset: error.offset,
      fact: `PDU ${number}: ${error.message}`,
      clause: "SMPP v3.4 §3.2",
    };
  }
}

type Carrier = Extract<Pdu, { readonly command: "submit_sm" | "deliver_sm" | "data_sm" }>;
const isCarrier = (pdu: Pdu): pdu is Carrier =>
  pdu.command === "submit_sm" || pdu.command === "deliver_sm" || pdu.command === "data_sm";

/** Ports and parts that stand in optional parameters are brought to the header that they stand for. */
function partOf(pdu: Carrier): Uint8Array {
  if (hasHeader(pdu)) {
    const { udh, data } = userDataOf(pdu);
    return Uint8Array.from([...udh, ...data]);
  }
  const { tlvs } = pdu;
  const [destPort, srcPort] = [tlvValue(tlvs, "destination_port"), tlvValue(tlvs, "source_port")];
  const [ref, total, seq] = [
    tlvValue(tlvs, "sar_msg_ref_num"),
    tlvValue(tlvs, "sar_total_segments"),
    tlvValue(tlvs, "sar_segment_seqnum"),
  ];
  const udh = encodeUdh({
    ...(destPort === undefined ? {} : { destPort, srcPort: srcPort ?? 0 }),
    ...(ref !== undefined && total !== undefined && seq !== undefined
      ? { concat: { refBits: 16, ref, total, seq } }
      : {}),
  });
  return Uint8Array.from([...udh, ...octetsOf(pdu)]);
}

/** One key for the parts of one message; one of its own for everything else. */
function groupOf({ pdu, stream }: ReadPdu, index: number): string {
  if (!isCarrier(pdu)) return `${index}`;
  try {
    const bytes = partOf(pdu);
    const { concat } =
      hasHeader(pdu) || bytes.length > octetsOf(pdu).length
        ? decodeUdh(bytes.subarray(0, 1 + (bytes[0] ?? 0)))
        : {};
    if (!concat) return `${index}`;
    return JSON.stringify([
      pdu.command,
      stream,
      pdu.source_addr,
      pdu.destination_addr,
      concat.refBits,
      concat.ref,
      concat.total,
    ]);
  } catch (error) {
    if (error instanceof DecodeError) return `${index}`;
    throw error;
  }
}

function messageOf(group: readonly ReadPdu[], options: ExploreOptions): ExploredMessage {
  const layers = group.map(({ layer }) => layer);
  const carriers = group.flatMap(({ pdu }) => (isCarrier(pdu) ? [pdu] : []));
  const inside = carriers.length === 0 ? EMPTY : insideOf(carriers, options);
  return { ...sourceOf(group), ...inside, layers: [...layers, ...inside.layers] };
}

function insideOf(carriers: readonly Carrier[], options: ExploreOptions): Explored {
  const [first] = carriers;
  const isData = carriers.every(
    (pdu) => hasHeader(pdu) || tlvValue(pdu.tlvs, "destination_port") !== undefined,
  );
  if (isData) return exploredPart(carriers.map(partOf), options);
  if (!first) return EMPTY;
  const text = textOf(first);
  return {
    ...EMPTY,
    layers: [{ layer: "text", title: text, at: null, length: octetsOf(first).length, fields: [] }],
  };
}

function textOf(pdu: Carrier): string {
  try {
    return decodeText(pdu.data_coding, octetsOf(pdu));
  } catch (error) {
    if (error instanceof DecodeError) return `${octetsOf(pdu).length} octets that are no text`;
    throw error;
  }
}

function sourceOf(group: readonly ReadPdu[]): Source {
  const [first] = group;
  const pdu = first && isCarrier(first.pdu) ? first.pdu : undefined;
  return {
    source: pdu?.source_addr ?? null,
    destination: pdu?.destination_addr ?? null,
    stream: first?.stream ?? null,
    packets: group.flatMap(({ packet }) => packet ?? []),
  };
}
