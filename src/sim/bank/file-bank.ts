/**
 * A bank that takes payment files and gives back what it did, as files: pain.002 when it looked at one, camt.054 when money moved.
 * It knows ISO 20022 and nothing of Turnup. By an account's number it refuses, pays a part, or brings a payment back.
 */
import { all, at, readBankDocument, textAt } from "../../wire/iso20022/document.ts";
import { element, type XmlElement, xmlText } from "../../wire/xml/tree.ts";

/** What becomes of payments to an account; paid in full unless said. */
type AccountHabit = { readonly refuse: string } | { readonly pay: string } | { readonly comesBack: string };

type TakenPayment = {
  readonly endToEndId: string;
  readonly account: string;
  readonly amount: string;
  readonly currency: string;
  readonly reference: string;
};

export function createFileBank(habits: ReadonlyMap<string, AccountHabit> = new Map()) {
  const taken: TakenPayment[] = [];
  const files = new Set<string>();
  let entries = 0;
  return {
    /** Every payment that it carried out, in order. */
    taken: (): readonly TakenPayment[] => taken,
    /** What it says at once: pain.002. A file that it had before is refused as a whole. */
    take(file: string): { readonly status: string; readonly notices: readonly string[] } {
      const { messageId, payments } = read(file);
      if (files.has(messageId)) return { status: refusedFile(messageId), notices: [] };
      files.add(messageId);
      const good = payments.filter(({ account }) => !("refuse" in (habits.get(account) ?? {})));
      taken.push(...good);
      const number = (): string => `B${String(++entries).padStart(6, "0")}`;
      return {
        status: statusOf(messageId, payments, habits),
        notices: [
          noticeOf(
            `${messageId}-D`,
            good.map((one) => entryOf(one, number(), habits.get(one.account))),
          ),
          ...returnsOf(good, habits).map((one) => noticeOf(`${messageId}-R`, [returnOf(one, number())])),
        ],
      };
    },
  };
}

function read(file: string): { readonly messageId: string; readonly payments: readonly TakenPayment[] } {
  const { message, root } = readBankDocument(Buffer.from(file));
  if (message !== "pain.001") throw new Error(`a ${message} is no payment file`);
  const body = at(root, "CstmrCdtTrfInitn");
  const payments = all(body, "PmtInf").flatMap((order) =>
    all(order, "CdtTrfTxInf").map((one) => ({
      endToEndId: textAt(one, "PmtId", "EndToEndId") ?? "",
      account: textAt(one, "CdtrAcct", "Id", "IBAN") ?? textAt(one, "CdtrAcct", "Id", "Othr", "Id") ?? "",
      amount: textAt(one, "Amt", "InstdAmt") ?? "",
      currency: at(one, "Amt", "InstdAmt")?.attributes[0]?.value ?? "",
      reference: textAt(one, "RmtInf", "Strd", "CdtrRefInf", "Ref") ?? textAt(one, "RmtInf", "Ustrd") ?? "",
    })),
  );
  return { messageId: textAt(body, "GrpHdr", "MsgId") ?? "", payments };
}

const returnsOf = (payments: readonly TakenPayment[], habits: ReadonlyMap<string, AccountHabit>) =>
  payments.flatMap((one) => {
    const habit = habits.get(one.account);
    return habit && "comesBack" in habit ? [{ ...one, why: habit.comesBack }] : [];
  });

const text = (name: string, content: string): XmlElement => element(name, {}, content);
const document = (message: string, body: XmlElement): string =>
  `<?xml version="1.0" encoding="UTF-8"?>\n${xmlText(element("Document", { xmlns: `urn:iso:std:iso:20022:tech:xsd:${message}` }, body))}`;
const header = (id: string): XmlElement =>
  element("GrpHdr", {}, text("MsgId", id), text("CreDtTm", "2026-02-02T12:00:00Z"));

function statusOf(
  messageId: string,
  payments: readonly TakenPayment[],
  habits: ReadonlyMap<string, AccountHabit>,
): string {
  const states = payments.map(({ endToEndId, account }) => {
    const habit = habits.get(account);
    const refusal = habit && "refuse" in habit ? habit.refuse : undefined;
    return element(
      "TxInfAndSts",
      {},
      text("OrgnlEndToEndId", endToEndId),
      text("TxSts", refusal === undefined ? "ACCP" : "RJCT"),
      refusal === undefined ? undefined : element("StsRsnInf", {}, element("Rsn", {}, text("Cd", refusal))),
    );
  });
  return document(
    "pain.002.001.10",
    element(
      "CstmrPmtStsRpt",
      {},
      header(`${messageId}-S`),
      element(
        "OrgnlGrpInfAndSts",
        {},
        text("OrgnlMsgId", messageId),
        text("OrgnlMsgNmId", "pain.001.001.09"),
      ),
      element("OrgnlPmtInfAndSts", {}, text("OrgnlPmtInfId", "NOTPROVIDED"), states),
    ),
  );
}

const refusedFile = (messageId: string): string =>
  document(
    "pain.002.001.10",
    element(
      "CstmrPmtStsRpt",
      {},
      header(`${messageId}-X`),
      element(
        "OrgnlGrpInfAndSts",
        {},
        text("OrgnlMsgId", `${messageId}-again`),
        text("GrpSts", "RJCT"),
        element("StsRsnInf", {}, element("Rsn", {}, text("Cd", "DU01"))),
      ),
    ),
  );

const noticeOf = (id: string, entries: readonly XmlElement[]): string =>
  document(
    "camt.054.001.08",
    element(
      "BkToCstmrDbtCdtNtfctn",
      {},
      header(id),
      element("Ntfctn", {}, text("Id", id), text("CreDtTm", "2026-02-02T12:00:00Z"), entries),
    ),
  );

function entryOf(payment: TakenPayment, number: string, habit: AccountHabit | undefined): XmlElement {
  const amount = habit && "pay" in habit ? habit.pay : payment.amount;
  return movement({ ...payment, amount }, number, "DBIT");
}

const returnOf = (payment: TakenPayment & { readonly why: string }, number: string): XmlElement =>
  movement(payment, number, "CRDT", element("RtrInf", {}, element("Rsn", {}, text("Cd", payment.why))));

function movement(
  { endToEndId, amount, currency }: TakenPayment,
  number: string,
  direction: "DBIT" | "CRDT",
  more?: XmlElement,
): XmlElement {
  const sum = element("Amt", { Ccy: currency }, amount);
  return element(
    "Ntry",
    {},
    sum,
    text("CdtDbtInd", direction),
    element("Sts", {}, text("Cd", "BOOK")),
    element("BookgDt", {}, text("Dt", "2026-02-02")),
    text("AcctSvcrRef", number),
    element("BkTxCd", {}, element("Prtry", {}, text("Cd", "TRF"))),
    element(
      "NtryDtls",
      {},
      element(
        "TxDtls",
        {},
        element("Refs", {}, text("AcctSvcrRef", number), text("EndToEndId", endToEndId)),
        sum,
        text("CdtDbtInd", direction),
        more,
      ),
    ),
  );
}
