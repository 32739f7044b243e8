/**
 * A payment file: ISO 20022 customer credit transfer initiation, pain.001.001.09 (the message of the 2019 release, which SEPA and
 * the Swiss banks take). Elements stand in the order of the schema, which is fixed; what banks ask beyond it stands here too:
 * counts and sums at both levels, the characters of `text.ts`, addresses with town and country or not at all.
 *
 *   CstmrCdtTrfInitn  GrpHdr (who, when, how many, how much)
 *                     PmtInf 1..n (from one account on one day)  CdtTrfTxInf 1..n (to whom, how much, what for)
 */
import { element, type XmlContent, type XmlElement, xmlText } from "../xml/tree.ts";
import { bankText } from "./text.ts";

const NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09";

type Address = {
  readonly street: string | null;
  readonly building: string | null;
  readonly postCode: string | null;
  readonly town: string;
  /** ISO 3166, two letters. */
  readonly country: string;
};
/** An IBAN, or a number of another kind with the name of its scheme. */
type Account = { readonly iban: string } | { readonly number: string; readonly scheme: string | null };
export type PaymentParty = {
  readonly name: string;
  readonly address: Address | null;
  readonly account: Account;
  readonly bic: string | null;
};
export type CreditTransfer = {
  /** 1 to 35 characters; comes back with the booking. */
  readonly endToEndId: string;
  /** Above zero, with the decimals of its currency: `150.00`. */
  readonly amount: string;
  readonly currency: string;
  readonly creditor: PaymentParty;
  /** ISO 11649, or a text of up to 140 characters. */
  readonly remittance: { readonly reference: string } | { readonly text: string };
};
export type PaymentOrder = {
  readonly id: string;
  /** Within the single euro payments area, for its service level and shared charges. */
  readonly isSepa: boolean;
  /** `2026-02-02`. */
  readonly executionDate: string;
  readonly debtor: PaymentParty;
  readonly transfers: readonly CreditTransfer[];
};
type PaymentFile = {
  readonly messageId: string;
  readonly createdAt: Date;
  readonly initiator: string;
  readonly orders: readonly PaymentOrder[];
};

/** The longest that banks of the single euro payments area take; the schema allows 140. */
const NAME_CHARACTERS_MAX = 70;
const REMITTANCE_CHARACTERS_MAX = 140;

/** The file's text, the same for the same content. */
export function encodePain001(file: PaymentFile): string {
  const transfers = file.orders.flatMap((order) => order.transfers);
  const document = element(
    "Document",
    { xmlns: NAMESPACE },
    element(
      "CstmrCdtTrfInitn",
      {},
      element(
        "GrpHdr",
        {},
        text("MsgId", file.messageId),
        text("CreDtTm", file.createdAt.toISOString().replace(/\.\d+Z$/, "Z")),
        ...totalsOf(transfers),
        element("InitgPty", {}, text("Nm", nameOf(file.initiator))),
      ),
      file.orders.map(orderElement),
    ),
  );
  return `<?xml version="1.0" encoding="UTF-8"?>\n${xmlText(document)}\n`;
}

function orderElement(order: PaymentOrder): XmlElement {
  const { id, isSepa, executionDate, debtor, transfers } = order;
  return element(
    "PmtInf",
    {},
    text("PmtInfId", id),
    text("PmtMtd", "TRF"),
    text("BtchBookg", "false"), // each transfer its own entry on the statement: that is what bookings are matched with
    ...totalsOf(transfers),
    isSepa ? element("PmtTpInf", {}, element("SvcLvl", {}, text("Cd", "SEPA"))) : undefined,
    element("ReqdExctnDt", {}, text("Dt", executionDate)),
    partyElement("Dbtr", debtor),
    accountElement("DbtrAcct", debtor),
    agentElement("DbtrAgt", debtor.bic),
    text("ChrgBr", isSepa ? "SLEV" : "SHAR"),
    transfers.map(transferElement),
  );
}

function transferElement({ endToEndId, amount, currency, creditor, remittance }: CreditTransfer): XmlElement {
  return element(
    "CdtTrfTxInf",
    {},
    element("PmtId", {}, text("EndToEndId", endToEndId)),
    element("Amt", {}, element("InstdAmt", { Ccy: currency }, amount)),
    creditor.bic === null ? undefined : agentElement("CdtrAgt", creditor.bic),
    partyElement("Cdtr", creditor),
    accountElement("CdtrAcct", creditor),
    element("RmtInf", {}, remittanceElement(remittance)),
  );
}

const remittanceElement = (remittance: CreditTransfer["remittance"]): XmlElement =>
  "reference" in remittance
    ? element(
        "Strd",
        {},
        element(
          "CdtrRefInf",
          {},
          element("Tp", {}, element("CdOrPrtry", {}, text("Cd", "SCOR")), text("Issr", "ISO")),
          text("Ref", remittance.reference),
        ),
      )
    : text("Ustrd", bankText(remittance.text, REMITTANCE_CHARACTERS_MAX) ?? "-");

const partyElement = (name: string, { name: who, address }: PaymentParty): XmlElement =>
  element(
    name,
    {},
    text("Nm", nameOf(who)),
    address
      ? element(
          "PstlAdr",
          {},
          maybe("StrtNm", address.street, 70),
          maybe("BldgNb", address.building, 16),
          maybe("PstCd", address.postCode, 16),
          maybe("TwnNm", address.town, 35),
          text("Ctry", address.country),
        )
      : undefined,
  );

const accountElement = (name: string, { account }: PaymentParty): XmlElement =>
  element(
    name,
    {},
    element(
      "Id",
      {},
      "iban" in account
        ? text("IBAN", account.iban)
        : element(
            "Othr",
            {},
            text("Id", account.number),
            account.scheme === null ? undefined : element("SchmeNm", {}, text("Prtry", account.scheme)),
          ),
    ),
  );

/** The schema needs the payer's bank; where its code is not known, the file says so. */
const agentElement = (name: string, bic: string | null): XmlElement =>
  element(
    name,
    {},
    element(
      "FinInstnId",
      {},
      bic === null ? element("Othr", {}, text("Id", "NOTPROVIDED")) : text("BICFI", bic),
    ),
  );

const totalsOf = (transfers: readonly CreditTransfer[]): XmlElement[] => [
  text("NbOfTxs", String(transfers.length)),
  text("CtrlSum", sumOf(transfers.map(({ amount }) => amount))),
];

/** The sum of decimals, whatever their currencies, without a float. */
function sumOf(amounts: readonly string[]): string {
  const decimals = Math.max(0, ...amounts.map((amount) => amount.split(".")[1]?.length ?? 0));
  const sum = amounts.reduce((total, amount) => {
    const [whole = "0", fraction = ""] = amount.split(".");
    return total + BigInt(whole + fraction.padEnd(decimals, "0"));
  }, 0n);
  const digits = sum.toString().padStart(decimals + 1, "0");
  return decimals === 0 ? digits : `${digits.slice(0, -decimals)}.${digits.slice(-decimals)}`;
}

const nameOf = (name: string): string => bankText(name, NAME_CHARACTERS_MAX) ?? "-";
const text = (name: string, content: XmlContent): XmlElement => element(name, {}, content);
function maybe(name: string, content: string | null, charactersMax: number): XmlElement | undefined {
  const plain = content === null ? undefined : bankText(content, charactersMax);
  return plain === undefined ? undefined : text(name, plain);
}
