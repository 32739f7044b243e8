/**
 * A notice to the client module on the device: what waits for the user, how far a request is, what a service gave.
 * Travels as a WAP push of type application/vnd.turnup.notice to port 2948; the envelope stands in `sealed-message.ts`.
 *
 *   magic 4E 01
 *   body: | kind : 1 | at, seconds since 1970 : 4 | reference : 8 | item : 1, its octets 0 or 16 | item id | text : 2 + n |
 *         | content : 2 + n | fields : 1, their number | each: name 1 + n, value 2 + n |
 *         | server : 1 + n, only where the server named itself |
 *
 * A content package that is small enough travels in a notice of kind `content`, so that the narrowband channel alone is
 * enough (US 6,647,260 claims 18 and 19). Names of fields ascend, so one notice has one encoding.
 */
import { DecodeError } from "../decode-error.ts";
import {
  joined,
  numberOctets,
  type OctetReader,
  readOctets,
  sizedOctets,
  textOctets,
  timeOctets,
  uuidOctets,
  uuidOf,
} from "./octets.ts";
import { type Envelope, openMessage, SEALED_HEADER_OCTETS, sealMessage } from "./sealed-message.ts";

/** Media type of a notice in a WAP push. */
export const NOTICE_CONTENT_TYPE = "application/vnd.turnup.notice";
/** The WAP push port (WAP-203-WDP). */
export const NOTICE_PORT = 2948;
/** Some ten SMS; what is longer goes wideband, and a notice says that it is there. */
const MAX_NOTICE_OCTETS = 1_200;
/** Of the text in UTF-8. */
export const MAX_NOTICE_TEXT_OCTETS = 600;
/** Values beside the text. */
const MAX_NOTICE_FIELDS = 16;
/** What a content package may have to go in a notice. */
export const MAX_NOTICE_CONTENT_OCTETS = 1_000;

/** The octet on the wire is the place in this list: append only. */
export const NOTICE_KINDS = [
  "terms",
  "status",
  "content_ready",
  "content",
  "access_data",
  "offer",
  "needs_information",
  "choice",
  "done",
  "unavailable",
  "conflict",
  "declined",
] as const;
export type NoticeKind = (typeof NOTICE_KINDS)[number];

/** What a device's client module is told, before it is sealed and after it was opened. */
export type Notice = {
  /** 8 octets, drawn at random for each message; a repeat has the same. */
  readonly messageId: Uint8Array;
  readonly kind: NoticeKind;
  /** Of the request: 8 letters and digits. */
  readonly reference: string;
  /** UUID of the order's item; null where the notice speaks of the whole request. */
  readonly itemId: string | null;
  /** For the user, in the request's language. */
  readonly text: string;
  /** Values by name: a link, a user name, a password. */
  readonly fields: Readonly<Record<string, string>>;
  /** Of kind `content`: the signed package (`content.ts`). */
  readonly content?: Uint8Array;
  readonly at: Date;
  /** `host:port` of the provisioning server that wrote it, as devices address it through a proxy; null where it has no such door. */
  readonly server?: string | null;
};

const ENVELOPE: Envelope = { magic: [0x4e, 0x01], label: "notice", limit: MAX_NOTICE_OCTETS };
/** The rule for a request's reference: 8 letters and digits. */
const REFERENCE = { min: 8, max: 8, pattern: /^[0-9A-Za-z]{8}$/ } as const;
const TEXT = { max: MAX_NOTICE_TEXT_OCTETS, lines: true } as const;
const FIELD_NAME = { min: 1, max: 40, pattern: /^[A-Za-z][A-Za-z0-9_.-]*$/ } as const;
const FIELD_VALUE = { max: 400 } as const;
const SERVER = {
  min: 3,
  max: 255,
  pattern: /^(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\]):\d{1,5}$/,
} as const;
const UUID_OCTETS = 16;

/**
 * The same notice under the same key gives the same octets.
 * @throws RangeError: a value that the format cannot hold
 */
export function encodeNotice(notice: Notice, noticeKey: Uint8Array): Uint8Array {
  return sealMessage(ENVELOPE, notice.messageId, bodyOf(notice), noticeKey);
}

/** @throws DecodeError: of another key, changed on the way, or of another form; offsets count in the whole message */
export function decodeNotice(bytes: Uint8Array, noticeKey: Uint8Array): Notice {
  const { messageId, body } = openMessage(ENVELOPE, bytes, noticeKey);
  const reader = readOctets(body, SEALED_HEADER_OCTETS);
  const kindAt = reader.at;
  const kind = NOTICE_KINDS[reader.number(1, "kind")];
  if (!kind) throw new DecodeError("a kind of notice that is not known", kindAt);
  const at = new Date(reader.number(4, "time") * 1_000);
  const reference = referenceIn(reader);
  const itemId = itemIn(reader);
  const text = reader.text(2, TEXT, "text");
  const content = reader.sized(2, MAX_NOTICE_CONTENT_OCTETS, "content");
  const fields = fieldsIn(reader);
  const server = reader.left > 0 ? serverIn(reader) : undefined;
  if (reader.left > 0) throw new DecodeError("octets after a notice", reader.at);
  const known = {
    ...{ messageId, kind, reference, itemId, text, fields, at },
    ...(server === undefined ? {} : { server }),
  };
  return content.length > 0 ? { ...known, content } : known;
}

function bodyOf({
  kind,
  at,
  reference,
  itemId,
  text,
  content,
  fields,
  server = null,
}: Omit<Notice, "messageId">): Uint8Array {
  const names = Object.keys(fields).sort();
  if (names.length > MAX_NOTICE_FIELDS)
    throw new RangeError(`a notice has at most ${MAX_NOTICE_FIELDS} fields`);
  if (content && content.length > MAX_NOTICE_CONTENT_OCTETS)
    throw new RangeError(`content of at most ${MAX_NOTICE_CONTENT_OCTETS} octets goes in a notice`);
  return joined([
    numberOctets(1, NOTICE_KINDS.indexOf(kind), "kind"),
    timeOctets(at),
    referenceOctets(reference),
    itemOctets(itemId),
    textOctets(2, text, TEXT, "text"),
    sizedOctets(2, content ?? new Uint8Array(0)),
    numberOctets(1, names.length, "fields"),
    ...names.flatMap((name) => [
      textOctets(1, name, FIELD_NAME, "a field's name"),
      textOctets(2, fields[name] ?? "", FIELD_VALUE, `field ${name}`),
    ]),
    ...(server === null ? [] : [serverOctets(server)]),
  ]);
}

function fieldsIn(reader: OctetReader): Record<string, string> {
  const countAt = reader.at;
  const count = reader.number(1, "fields");
  if (count > MAX_NOTICE_FIELDS) throw new DecodeError(`more than ${MAX_NOTICE_FIELDS} fields`, countAt);
  const fields: [string, string][] = [];
  let last = ""; // a name has a character at least
  for (let index = 0; index < count; index++) {
    const at = reader.at;
    const name = reader.text(1, FIELD_NAME, "name of a field");
    if (name <= last) throw new DecodeError("a field out of its order", at);
    fields.push([name, reader.text(2, FIELD_VALUE, "value of a field")]);
    last = name;
  }
  return Object.fromEntries(fields);
}

/**
 * The server's `host:port` behind one octet of length.
 * @throws RangeError: a text that is no `host:port`
 */
export const serverOctets = (server: string): Uint8Array => textOctets(1, server, SERVER, "a server");
/**
 * Reads what `serverOctets` wrote.
 * @throws DecodeError: cut short, or no `host:port`
 */
export const serverIn = (reader: OctetReader): string => reader.text(1, SERVER, "server");

/**
 * A reference is 8 letters and digits, without a length in front. Notices and replies write it alike.
 * @throws RangeError: other than 8 letters and digits
 */
export function referenceOctets(reference: string): Uint8Array {
  return textOctets(1, reference, REFERENCE, "a reference").subarray(1);
}

/**
 * Reads 8 octets that are a request's reference.
 * @throws DecodeError with the offset: cut short, or other characters than letters and digits
 */
export function referenceIn(reader: OctetReader): string {
  const at = reader.at;
  const reference = Buffer.from(reader.octets(REFERENCE.max, "reference")).toString("latin1");
  if (!REFERENCE.pattern.test(reference))
    throw new DecodeError("a reference of other characters than letters and digits", at);
  return reference;
}

/**
 * An item's UUID as 16 octets behind their length; length 0 where a message speaks of the whole request.
 * @throws RangeError: no UUID
 */
export const itemOctets = (itemId: string | null): Uint8Array =>
  sizedOctets(1, itemId === null ? new Uint8Array(0) : uuidOctets(itemId));

/**
 * Reads what `itemOctets` wrote: a UUID, or null for the whole request.
 * @throws DecodeError with the offset: cut short, or another length than 0 or 16
 */
export function itemIn(reader: OctetReader): string | null {
  const at = reader.at;
  const octets = reader.sized(1, UUID_OCTETS, "item");
  if (octets.length !== 0 && octets.length !== UUID_OCTETS)
    throw new DecodeError("an item id has 16 octets", at);
  return octets.length === 0 ? null : uuidOf(octets);
}
