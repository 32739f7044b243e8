/** What banks say of payments: camt.054, camt.053 and pain.002 are read here and booked behind. */
import { createHash } from "node:crypto";
import Type, { type Static } from "typebox";
import { BANK_OUTCOMES } from "../../kernel/settlement/bank-fact.ts";
import type { BankEntryView, BankFile, TransferFact } from "../../kernel/settlement/payment-desk.ts";
import { TurnupError } from "../../term/error.ts";
import { minorOfDecimal } from "../../term/money.ts";
import { DecodeError } from "../../wire/decode-error.ts";
import { type BankReport, readBankReport } from "../../wire/iso20022/bank-report.ts";
import { BANK_FILE_OCTETS_MAX } from "../../wire/iso20022/document.ts";
import { answerPage, pageOf } from "../page.ts";
import { ok, route } from "../route.ts";
import {
  anything,
  id,
  instant,
  integerOrNull,
  named,
  page,
  pageQuery,
  textOrNull,
  words,
} from "../schema.ts";

import { CollectionReturn, writtenReturn } from "./collection-returns.ts";

export { BANK_FILE_OCTETS_MAX };

/** @throws TurnupError `bank_file_malformed`: with the octet; nothing of the file is repeated */
export function readBankFile(bytes: Uint8Array): BankFile {
  const { source, messageId, facts } = decoded(bytes);
  return {
    source,
    messageId,
    sha256: createHash("sha256").update(bytes).digest(),
    facts: facts.map(factOf),
  };
}

function decoded(bytes: Uint8Array): BankReport {
  try {
    return readBankReport(bytes);
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    throw new TurnupError(
      "bank_file_malformed",
      `This is no file from a bank that is read here: ${error.message}.`,
      {
        details: { offset: error.offset },
        nextStep: "Take it again from the bank, as camt.054, camt.053 or pain.002; nothing of it was booked.",
      },
    );
  }
}

function factOf(fact: BankReport["facts"][number]): TransferFact {
  if (fact.kind === "status") return fact;
  const { amount, collectedAmount, currency, ...movement } = fact;
  const amountMinor =
    amount === null || currency === null ? null : (minorOfDecimal(amount, currency) ?? null);
  const collectedMinor =
    collectedAmount === null || currency === null
      ? null
      : (minorOfDecimal(collectedAmount, currency) ?? null);
  return { ...movement, currency, amountMinor, collectedMinor };
}

const BankEntry = named(
  "BankEntry",
  Type.Object({
    id: Type.String(),
    source: Type.String({ description: "`camt.054`, `camt.053` or `pain.002`." }),
    endToEndId: textOrNull(),
    transferId: textOrNull(),
    amountMinor: integerOrNull(),
    currency: textOrNull(),
    direction: textOrNull({ description: "`debit`: it left the account." }),
    bookedOn: textOrNull(),
    outcome: words(
      BANK_OUTCOMES,
      "What it was taken for; `unknown`, `mismatch`, `conflict` and `early` booked nothing.",
    ),
    reason: Type.String(),
    importedBy: Type.String(),
    importedAt: instant(),
  }),
);

/** The writer of answers tells null from an integer by looking, and does not know those above 2^53. */
const written = ({ amountMinor, ...entry }: BankEntryView): Static<typeof BankEntry> => ({
  ...entry,
  amountMinor: amountMinor === null ? null : Number(amountMinor),
});

export const importBankFile = route({
  method: "POST",
  path: "/v1/bank-files",
  summary: "Book what a bank says: camt.054, camt.053 or pain.002; the same file again changes nothing",
  description: `At most ${BANK_FILE_OCTETS_MAX} octets. Movements that are neither a transfer of ours nor a sum of a subscriber that came back are counted and not kept.`,
  tag: "money",
  roles: ["admin"],
  errors: ["bank_file_malformed"],
  status: 200,
  body: anything("The file as the bank gave it."),
  checksOwnBody: true,
  consumes: ["application/xml", "text/xml"],
  takesNoJson: true,
  bodyLimitOctets: BANK_FILE_OCTETS_MAX,
  answer: Type.Object({
    entries: Type.Array(BankEntry),
    returns: Type.Array(CollectionReturn, { description: "Sums of subscribers that came back." }),
    foreign: Type.Integer(),
  }),
  async handle({ settlement }, { body, caller }) {
    if (!Buffer.isBuffer(body))
      throw new TurnupError("media_type_unsupported", "A file from a bank is XML.", {
        nextStep: "Send it as application/xml.",
      });
    const { entries, returns, foreign } = await settlement.payments.book(
      caller.operatorId,
      readBankFile(body),
      caller.label,
    );
    return ok({ entries: entries.map(written), returns: returns.map(writtenReturn), foreign });
  },
});

export const listBankEntries = route({
  method: "GET",
  path: "/v1/bank-entries",
  summary: "What banks said of transfers, newest first",
  tag: "money",
  roles: ["admin", "engineer"],
  errors: [],
  status: 200,
  query: {
    ...pageQuery,
    unsettled: Type.Optional(
      Type.Boolean({ description: "Only what booked nothing and a person has to look at." }),
    ),
    transferId: Type.Optional(id("Of the transfer.")),
  },
  answer: page(BankEntry),
  async handle({ settlement }, { query, caller, request }) {
    const { unsettled, transferId } = query;
    const filter = { unsettled, transferId };
    const { rows, nextCursor } = await settlement.payments.entries(caller.operatorId, filter, pageOf(query));
    return answerPage({ rows: rows.map(written), nextCursor }, request);
  },
});
