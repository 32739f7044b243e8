/**
 * What the client module says back: that a message came, that an installation worked or failed, what the user chose.
 * One binary SMS (data coding 04) to the address that the notice came from; the envelope stands in `sealed-message.ts`.
 *
 *   magic 41 01
 *   body: | kind : 1 | reference : 8 | item : 1, its octets 0 or 16 | item id | cause : 1 + n |
 *
 * The message id is that of the notice it answers, or one of its own where it answers none. The same kind, message id and
 * item say the same thing however often they come.
 */
import { DecodeError } from "../decode-error.ts";
import { itemIn, itemOctets, referenceIn, referenceOctets } from "./notice.ts";
import { joined, numberOctets, readOctets, textOctets } from "./octets.ts";
import {
  type Envelope,
  openMessage,
  type Peeked,
  peekMessage,
  SEALED_HEADER_OCTETS,
  sealMessage,
} from "./sealed-message.ts";

/** One SMS without a header. */
const MAX_REPLY_OCTETS = 140;

/** The octet on the wire is the place in this list: append only. */
const REPLY_KINDS = ["ack", "installed", "failed", "accept", "decline", "retransmit", "give_up"] as const;
export type ReplyKind = (typeof REPLY_KINDS)[number];

/** What the client module says back, before it is sealed and after it was opened. */
export type Reply = {
  readonly kind: ReplyKind;
  /** 8 octets. */
  readonly messageId: Uint8Array;
  readonly reference: string;
  readonly itemId: string | null;
  /** Of `failed`: a word such as `bad_signature` or `memory_full`; null elsewhere. */
  readonly cause: string | null;
};

const ENVELOPE: Envelope = { magic: [0x41, 0x01], label: "reply", limit: MAX_REPLY_OCTETS };
const CAUSE = { max: 40, pattern: /^[a-z0-9_]*$/ } as const;

/** @throws RangeError: a value that the format cannot hold */
export function encodeReply(reply: Reply, noticeKey: Uint8Array): Uint8Array {
  const body = joined([
    numberOctets(1, REPLY_KINDS.indexOf(reply.kind), "kind"),
    referenceOctets(reply.reference),
    itemOctets(reply.itemId),
    textOctets(1, reply.cause ?? "", CAUSE, "a cause"),
  ]);
  return sealMessage(ENVELOPE, reply.messageId, body, noticeKey);
}

/** Whose reply it seems to be, to find the key for `openReply`; undefined where it is none. */
export const peekReply = (bytes: Uint8Array): Peeked | undefined => peekMessage(ENVELOPE, bytes);

/** @throws DecodeError: of another key, changed on the way, or of another form; offsets count in the whole message */
export function openReply(bytes: Uint8Array, noticeKey: Uint8Array): Reply {
  const { messageId, body } = openMessage(ENVELOPE, bytes, noticeKey);
  const reader = readOctets(body, SEALED_HEADER_OCTETS);
  const kindAt = reader.at;
  const kind = REPLY_KINDS[reader.number(1, "kind")];
  if (!kind) throw new DecodeError("a kind of reply that is not known", kindAt);
  const reference = referenceIn(reader);
  const itemId = itemIn(reader);
  const cause = reader.text(1, CAUSE, "cause") || null;
  if (reader.left > 0) throw new DecodeError("octets after a reply", reader.at);
  return { kind, messageId, reference, itemId, cause };
}
