/**
 * The message centre as the outbox sees it: a part becomes a submit_sm, and whatever becomes of it one of three answers:
 * taken, refused for good, or to be tried again.
 */
import type { PartOutcome, PartToSubmit, SmscPort } from "../../kernel/conductor/outbox.ts";
import { formatRelativeTime } from "../../wire/smpp/time.ts";
import type { Esme } from "./esme-api.ts";
import type { SubmitMessage, SubmitOutcome } from "./outcome.ts";

const MIN_VALIDITY_MS = 60_000;
/** A relative time holds less than 32 days. */
const MAX_VALIDITY_MS = 30 * 86_400_000;
/** A shorter number is one of the network's own services: a short code. */
const MIN_INTERNATIONAL_DIGITS = 7;

/** Type of number and numbering plan: SMPP v3.4 §5.2.5 and §5.2.6. */
const TON = { international: 1, alphanumeric: 5, abbreviated: 6 } as const;
const NPI = { unknown: 0, isdn: 1 } as const;

/** @param nameOf the centre that a message would go to now */
export const createSmscPort = (
  nameOf: () => string,
  esme: Pick<Esme, "submit">,
  clock: () => Date,
): SmscPort => ({
  get name() {
    return nameOf();
  },
  submit: async (part) => partOutcome(await esme.submit(submitOf(part, clock()))),
});

/** The submit_sm of a part; its validity counts from now. A receipt is asked for always. */
function submitOf(part: PartToSubmit, now: Date): SubmitMessage {
  const validityMs = Math.min(
    MAX_VALIDITY_MS,
    Math.max(MIN_VALIDITY_MS, part.expiresAt.getTime() - now.getTime()),
  );
  return {
    ...sourceAddress(part.from),
    destination_addr: part.to,
    dest_addr_ton: TON.international,
    dest_addr_npi: NPI.isdn,
    esm_class: part.esmClass,
    data_coding: part.dataCoding,
    registered_delivery: 1,
    validity_period: formatRelativeTime(validityMs),
    short_message: part.userData,
    ...(part.partOf !== undefined && { partOf: part.partOf }),
  };
}

/** A sender is a name, a short code or a number, by what it is written with. */
function sourceAddress(
  from: string,
): Pick<SubmitMessage, "source_addr" | "source_addr_ton" | "source_addr_npi"> {
  if (!/^\d+$/.test(from))
    return { source_addr: from, source_addr_ton: TON.alphanumeric, source_addr_npi: NPI.unknown };
  const ton = from.length < MIN_INTERNATIONAL_DIGITS ? TON.abbreviated : TON.international;
  return { source_addr: from, source_addr_ton: ton, source_addr_npi: NPI.isdn };
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
      return { kind: "later", code: outcome.cause };
  }
}
