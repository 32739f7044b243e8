/**
 * The message centre as the outbox sees it: a part becomes a submit_sm, and whatever becomes of it one of three answers:
 * taken, refused for good, or to be tried again.
 */
import type { PartOutcome, PartToSubmit } from "../../kernel/conductor/outbox.ts";
import { TurnupError } from "../../term/error.ts";
import { formatRelativeTime } from "../../wire/smpp/time.ts";
import { hasHeader } from "../../wire/smpp/user-data.ts";
import { type DefaultAlphabet, recodeSeptets } from "../../wire/sms/default-alphabet.ts";
import { USER_DATA_OCTETS } from "../../wire/sms/split.ts";
import { DATA_CODING, decodeText } from "../../wire/sms/text.ts";
import type { Esme } from "./esme-api.ts";
import type { SubmitMessage, SubmitOutcome } from "./outcome.ts";

const MIN_VALIDITY_MS = 60_000;
/** A relative time holds less than 32 days. */
const MAX_VALIDITY_MS = 30 * 86_400_000;
/** A shorter number is one of the network's own services: a short code. */
const MIN_INTERNATIONAL_DIGITS = 7;

/** Type of number and numbering plan: SMPP v3.4 §5.2.5 and §5.2.6. */
type AddressKind = { readonly ton: number; readonly npi: number };
const INTERNATIONAL: AddressKind = { ton: 1, npi: 1 };

/** What differs from centre to centre in how a message is written. */
export type SmscForms = {
  /** Behind data_coding 0. Default `gsm7`. */
  readonly alphabet?: DefaultAlphabet;
  /** What kind of address a sender is, by what it is written with. */
  readonly sources?: Readonly<Record<"name" | "shortCode" | "number", AddressKind>>;
};
const SOURCES: NonNullable<SmscForms["sources"]> = {
  name: { ton: 5, npi: 0 },
  shortCode: { ton: 6, npi: 1 },
  number: INTERNATIONAL,
};

/** @param formsOf how messages are written for the centre now */
export const createCentrePort = (
  formsOf: () => SmscForms | undefined,
  esme: Pick<Esme, "submit">,
  clock: () => Date,
): { submit(part: PartToSubmit): Promise<PartOutcome>; canWrite(part: PartToSubmit): boolean } => ({
  canWrite: (part) => writtenFor(part, formsOf()) !== undefined,
  async submit(part) {
    const forms = formsOf();
    const written = writtenFor(part, forms);
    if (!written) return { kind: "refused", code: "alphabet_unfit", by: "us" };
    try {
      return partOutcome(await esme.submit(submitOf(written, clock(), forms)));
    } catch (error) {
      if (!(error instanceof TurnupError)) throw error;
      return { kind: "refused", code: error.code, by: "us" }; // the centre was not asked
    }
  },
});

/** The submit_sm of a part; its validity counts from now. A receipt is asked for always. */
function submitOf(part: PartToSubmit, now: Date, { sources = SOURCES }: SmscForms = {}): SubmitMessage {
  const validityMs = Math.min(
    MAX_VALIDITY_MS,
    Math.max(MIN_VALIDITY_MS, part.expiresAt.getTime() - now.getTime()),
  );
  const source = sources[sourceKind(part.from)];
  return {
    source_addr: part.from,
    source_addr_ton: source.ton,
    source_addr_npi: source.npi,
    destination_addr: part.to,
    dest_addr_ton: INTERNATIONAL.ton,
    dest_addr_npi: INTERNATIONAL.npi,
    esm_class: part.esmClass,
    data_coding: part.dataCoding,
    registered_delivery: 1,
    validity_period: formatRelativeTime(validityMs),
    short_message: part.userData,
    lane: part.lane,
    ...(part.partOf !== undefined && { partOf: part.partOf }),
  };
}

/** A sender is a name, a short code or a number, by what it is written with. */
function sourceKind(from: string): keyof NonNullable<SmscForms["sources"]> {
  if (!/^\d+$/.test(from)) return "name";
  return from.length < MIN_INTERNATIONAL_DIGITS ? "shortCode" : "number";
}

/**
 * The part in the alphabet that the centre has behind data_coding 0. A text that this cannot write goes in UCS-2 where it fits
 * one message; undefined where it does not, since its parts are cut already.
 */
function writtenFor(part: PartToSubmit, { alphabet = "gsm7" }: SmscForms = {}): PartToSubmit | undefined {
  if (part.dataCoding !== DATA_CODING.gsm7 || alphabet === "gsm7") return part;
  const headerOctets = hasHeader({ esm_class: part.esmClass }) ? (part.userData[0] ?? 0) + 1 : 0;
  const septets = part.userData.subarray(headerOctets);
  const octets = recodeSeptets(septets, alphabet);
  if (octets)
    return { ...part, userData: Uint8Array.from([...part.userData.subarray(0, headerOctets), ...octets]) };
  const ucs2 = Buffer.from(decodeText(DATA_CODING.gsm7, septets), "utf16le").swap16();
  if (headerOctets > 0 || ucs2.length > USER_DATA_OCTETS) return undefined;
  return { ...part, dataCoding: DATA_CODING.ucs2, userData: Uint8Array.from(ucs2) };
}

/** What nobody answered may have been taken all the same: it goes out again with the same reference. */
function partOutcome(outcome: SubmitOutcome): PartOutcome {
  switch (outcome.kind) {
    case "accepted":
      return { kind: "accepted", smscMessageId: outcome.messageId };
    case "refused":
      return { kind: outcome.permanent ? "refused" : "later", code: outcome.statusName };
    case "deferred":
      return { kind: "later", code: outcome.statusName ?? outcome.cause };
    case "unknown":
      return { kind: "later", code: outcome.cause, isPerhapsTaken: true };
  }
}
