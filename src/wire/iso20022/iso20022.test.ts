/**
 * Payment files and what banks say of them. The two vectors in test/vector/data/iso20022 were validated against the schemas of
 * pain.001.001.09 and camt.054.001.08 by xmllint; what we write is held to the schema's order of elements, which stands here.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "vitest";
import { drawsOf, SEED } from "../../../test/fixture/seed.ts";
import { readXml } from "../xml/read.ts";
import type { XmlElement } from "../xml/tree.ts";
import { readBankReport } from "./bank-report.ts";
import { encodePain001 } from "./pain001.ts";
import { bankText } from "./text.ts";

const localName = ({ name }: XmlElement): string => name;
const vector = (name: string): Buffer =>
  readFileSync(join(import.meta.dirname, "../../../test/vector/data/iso20022", name));

/** xs:sequence of pain.001.001.09: the children that may stand in an element, in their order. */
const ORDER: Readonly<Record<string, string>> = {
  Document: "CstmrCdtTrfInitn",
  CstmrCdtTrfInitn: "GrpHdr PmtInf SplmtryData",
  GrpHdr: "MsgId CreDtTm Authstn NbOfTxs CtrlSum InitgPty FwdgAgt",
  PmtInf:
    "PmtInfId PmtMtd BtchBookg NbOfTxs CtrlSum PmtTpInf ReqdExctnDt PoolgAdjstmntDt Dbtr DbtrAcct DbtrAgt DbtrAgtAcct InstrForDbtrAgt UltmtDbtr ChrgBr ChrgsAcct ChrgsAcctAgt CdtTrfTxInf",
  CdtTrfTxInf:
    "PmtId PmtTpInf Amt XchgRateInf ChrgBr ChqInstr UltmtDbtr IntrmyAgt1 CdtrAgt CdtrAgtAcct Cdtr CdtrAcct UltmtCdtr InstrForCdtrAgt InstrForDbtrAgt Purp RgltryRptg Tax RltdRmtInf RmtInf SplmtryData",
  PmtId: "InstrId EndToEndId UETR",
  PmtTpInf: "InstrPrty SvcLvl LclInstrm CtgyPurp",
  SvcLvl: "Cd Prtry",
  ReqdExctnDt: "Dt DtTm",
  Amt: "InstdAmt EqvtAmt",
  InitgPty: "Nm PstlAdr Id",
  Dbtr: "Nm PstlAdr Id",
  Cdtr: "Nm PstlAdr Id",
  PstlAdr:
    "AdrTp Dept SubDept StrtNm BldgNb BldgNm Flr PstBx Room PstCd TwnNm TwnLctnNm DstrctNm CtrySubDvsn Ctry AdrLine",
  DbtrAcct: "Id Tp Ccy Nm Prxy",
  CdtrAcct: "Id Tp Ccy Nm Prxy",
  DbtrAgt: "FinInstnId BrnchId",
  CdtrAgt: "FinInstnId BrnchId",
  FinInstnId: "BICFI ClrSysMmbId LEI Nm PstlAdr Othr",
  Othr: "Id SchmeNm Issr",
  SchmeNm: "Cd Prtry",
  RmtInf: "Ustrd Strd",
  Strd: "RfrdDocInf RfrdDocAmt CdtrRefInf Invcr Invcee TaxRmt GrnshmtRmt AddtlRmtInf",
  CdtrRefInf: "Tp Ref",
  Tp: "CdOrPrtry Issr",
  CdOrPrtry: "Cd Prtry",
};
/** Elements that stand in several parents with several contents. */
const ID = "IBAN Othr OrgId PrvtId";

/** @throws AssertionError an element that does not belong there, or stands before one that it follows */
function holdsOrder(parent: XmlElement): void {
  const children = parent.content.filter((part): part is XmlElement => typeof part !== "string");
  const name = localName(parent);
  if (children.length === 0) return;
  const wanted = (name === "Id" ? ID : (ORDER[name] ?? assert.fail(`${name} is known`))).split(" ");
  const places = children.map((child) => {
    const place = wanted.indexOf(localName(child));
    assert.ok(place >= 0, `${localName(child)} belongs into ${name}`);
    return place;
  });
  assert.deepEqual(
    places,
    [...places].sort((one, other) => one - other),
    `the order within ${name}`,
  );
  for (const child of children) holdsOrder(child);
}

const FILE: Parameters<typeof encodePain001>[0] = {
  messageId: "TURNUP-20260131-0001",
  createdAt: new Date("2026-01-31T09:00:00.123Z"),
  initiator: "Exämple Mobile & Söhne Ltd",
  orders: [
    {
      id: "SETTLE-2026-01-A",
      isSepa: true,
      executionDate: "2026-02-02",
      debtor: {
        name: "Example Mobile Ltd",
        address: { street: "Main Street", building: "1", postCode: "10115", town: "Berlin", country: "DE" },
        account: { iban: "DE89370400440532013000" },
        bic: null,
      },
      transfers: [
        {
          endToEndId: "FEE-2026-01-M1",
          amount: "150.00",
          currency: "EUR",
          creditor: {
            name: "Maker <One>",
            address: null,
            account: { iban: "GB29NWBK60161331926819" },
            bic: "NWBKGB2L",
          },
          remittance: { reference: "RF18539007547034" },
        },
        {
          endToEndId: "FEE-2026-01-M2",
          amount: "12.50",
          currency: "EUR",
          creditor: {
            name: "Łódź Ænima",
            address: null,
            account: { iban: "FR1420041010050500013M02606" },
            bic: null,
          },
          remittance: { text: "Fees 2026-01 // contract M2 \u2013 thanks" },
        },
      ],
    },
    {
      id: "SETTLE-2026-01-B",
      isSepa: false,
      executionDate: "2026-02-02",
      debtor: {
        name: "Example Mobile Ltd",
        address: null,
        account: { iban: "DE89370400440532013000" },
        bic: "COBADEFF",
      },
      transfers: [
        {
          endToEndId: "FEE-2026-01-M3",
          amount: "1250",
          currency: "JPY",
          creditor: {
            name: "Maker Three",
            address: { street: null, building: null, postCode: null, town: "Tokyo", country: "JP" },
            account: { number: "123-4567890", scheme: "ZENGIN" },
            bic: "BOTKJPJT",
          },
          remittance: { reference: "RF18539007547034" },
        },
      ],
    },
  ],
};

const rootOf = (text: string): XmlElement => readXml(Buffer.from(text)).root;
const textsOf = (parent: XmlElement, name: string): string[] =>
  parent.content.flatMap((part) => {
    if (typeof part === "string") return [];
    return localName(part) === name ? [part.content.join("")] : textsOf(part, name);
  });

test("a payment file has the elements of pain.001.001.09 in the schema's order, as the validated vector has", () => {
  holdsOrder(readXml(vector("pain001.xml")).root);
  const text = encodePain001(FILE);
  const root = rootOf(text);
  assert.equal(root.attributes[0]?.value, "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09");
  holdsOrder(root);
  assert.equal(encodePain001(FILE), text, "the same file for the same content");
});

/** Children without which an element is refused (minOccurs 1), and those of which exactly one may stand (xs:choice). */
const NEEDED: Readonly<Record<string, string>> = {
  Document: "CstmrCdtTrfInitn",
  CstmrCdtTrfInitn: "GrpHdr PmtInf",
  GrpHdr: "MsgId CreDtTm NbOfTxs InitgPty",
  PmtInf: "PmtInfId PmtMtd ReqdExctnDt Dbtr DbtrAcct DbtrAgt CdtTrfTxInf",
  CdtTrfTxInf: "PmtId Amt",
  PmtId: "EndToEndId",
  DbtrAcct: "Id",
  CdtrAcct: "Id",
  DbtrAgt: "FinInstnId",
  CdtrAgt: "FinInstnId",
  Othr: "Id",
  Tp: "CdOrPrtry",
};
const ONE_OF = ["SvcLvl", "ReqdExctnDt", "Amt", "SchmeNm", "CdOrPrtry", "Id"];
/** Children that may stand more than once. */
const REPEATED = ["PmtInf", "CdtTrfTxInf", "SvcLvl", "Ustrd", "Strd", "AdrLine", "AddtlRmtInf"];
const text = (max: number): RegExp => new RegExp(`^[\\s\\S]{1,${max}}$`, "u");
/** Simple types of the schema, by element, or by parent and element where they differ. */
const TYPES: Readonly<Record<string, RegExp>> = {
  MsgId: text(35),
  PmtInfId: text(35),
  EndToEndId: text(35),
  InstrId: text(35),
  UETR: /^[a-f0-9]{8}-[a-f0-9]{4}-4[a-f0-9]{3}-[89ab][a-f0-9]{3}-[a-f0-9]{12}$/,
  CreDtTm: /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})?$/,
  NbOfTxs: /^[0-9]{1,15}$/,
  CtrlSum: /^(?=(?:\D*\d){1,18}\D*$)\d+(\.\d{1,17})?$/,
  PmtMtd: /^(CHK|TRF|TRA)$/,
  BtchBookg: /^(true|false|1|0)$/,
  Dt: /^\d{4}-\d{2}-\d{2}$/,
  Nm: text(140),
  StrtNm: text(70),
  BldgNb: text(16),
  PstCd: text(16),
  TwnNm: text(35),
  Ctry: /^[A-Z]{2}$/,
  IBAN: /^[A-Z]{2}[0-9]{2}[a-zA-Z0-9]{1,30}$/,
  BICFI: /^[A-Z0-9]{4}[A-Z]{2}[A-Z0-9]{2}([A-Z0-9]{3})?$/,
  ChrgBr: /^(DEBT|CRED|SHAR|SLEV)$/,
  InstdAmt: /^(?=(?:\D*\d){1,18}\D*$)\d+(\.\d{1,5})?$/,
  Ustrd: text(140),
  Ref: text(35),
  Issr: text(35),
  "SvcLvl/Cd": text(4),
  "CdOrPrtry/Cd": /^(RADM|RPIN|FXDR|DISP|PUOR|SCOR)$/,
  "SchmeNm/Cd": text(4),
  Prtry: text(35),
  "Othr/Id": text(34), // of an account; of a bank 35
  Ccy: /^[A-Z]{3}$/,
};

/** @throws AssertionError what the schema's types, occurrences and choices do not allow */
function holdsTypes(parent: XmlElement): void {
  const name = localName(parent);
  const children = parent.content.filter((part): part is XmlElement => typeof part !== "string");
  const names = children.map(localName);
  for (const needed of (NEEDED[name] ?? "").split(" ").filter((one) => one !== ""))
    assert.ok(names.includes(needed), `${name} has its ${needed}`);
  if (ONE_OF.includes(name) && children.length > 0) assert.equal(children.length, 1, `${name} is a choice`);
  for (const one of names)
    if (!REPEATED.includes(one))
      assert.equal(names.filter((other) => other === one).length, 1, `one ${one} in ${name}`);
  for (const child of children) {
    const own = localName(child);
    if (child.content.some((part) => typeof part !== "string")) holdsTypes(child);
    else {
      const type =
        TYPES[`${name}/${own}`] ?? TYPES[own] ?? assert.fail(`the type of ${name}/${own} is known`);
      assert.match(child.content.join(""), type, `${name}/${own}`);
    }
    for (const attribute of child.attributes) {
      assert.deepEqual([own, attribute.name], ["InstdAmt", "Ccy"]);
      assert.match(attribute.value, /^[A-Z]{3}$/);
    }
  }
}

test("each value has the schema's type, each element what it needs, whatever names, sums and addresses there are", () => {
  holdsTypes(readXml(vector("pain001.xml")).root);
  holdsTypes(rootOf(encodePain001(FILE)));
  const draw = drawsOf(SEED);
  const anyOf = <T>(...all: readonly [T, ...T[]]): T => {
    const [found = all[0]] = all.slice(draw(all.length));
    return found;
  };
  const words = (): string =>
    Array.from({ length: 1 + draw(160) }, () =>
      anyOf("a", "Z", "é", "ß", " ", "/", "<", "&", "株", "\u0301", "😀", "-", "_"),
    ).join("");
  const party = () => ({
    name: words(),
    address: anyOf(null, {
      street: anyOf(null, words()),
      building: anyOf(null, words()),
      postCode: anyOf(null, words()),
      town: words(),
      country: anyOf("DE", "JP"),
    }),
    account: anyOf<Order["debtor"]["account"]>(
      { iban: "DE89370400440532013000" },
      { number: "123-4567890", scheme: anyOf(null, "ZENGIN") },
    ),
    bic: anyOf(null, "COBADEFF", "COBADEFFXXX"),
  });
  for (let round = 0; round < 60; round++) {
    const file = {
      messageId: `B${"0".repeat(draw(34))}1`.slice(0, 35),
      createdAt: new Date(draw(2 ** 31) * 1_000),
      initiator: words(),
      orders: Array.from({ length: 1 + draw(3) }, (_, at) => ({
        id: `P${at}`,
        isSepa: anyOf(true, false),
        executionDate: "2026-02-02",
        debtor: party(),
        transfers: Array.from({ length: 1 + draw(3) }, () => ({
          endToEndId: "T".padEnd(1 + draw(34), "1"),
          amount: anyOf("0.01", "999999999.99", "1250", "1.234"),
          currency: anyOf("EUR", "JPY"),
          creditor: party(),
          remittance: anyOf<Order["transfers"][number]["remittance"]>(
            { reference: "RF18539007547034" },
            { text: words() },
          ),
        })),
      })),
    };
    const root = rootOf(encodePain001(file));
    holdsOrder(root);
    holdsTypes(root);
  }
});
type Order = Parameters<typeof encodePain001>[0]["orders"][number];

test("the rules that stand here refuse what banks refuse: a file of the release before, a country too long, two dates", () => {
  const good = encodePain001(FILE);
  for (const [from, to] of [
    ["<ReqdExctnDt><Dt>2026-02-02</Dt></ReqdExctnDt>", "<ReqdExctnDt>2026-02-02</ReqdExctnDt>"],
    ["<BICFI>", "<BIC>"],
    ["<Ctry>DE</Ctry>", "<Ctry>DEU</Ctry>"],
    ["<Dt>2026-02-02</Dt>", "<Dt>2026-02-02</Dt><DtTm>2026-02-02T00:00:00Z</DtTm>"],
    ["<PmtMtd>TRF</PmtMtd>", ""],
    ["<NbOfTxs>3</NbOfTxs>", "<NbOfTxs>three</NbOfTxs>"],
  ] as const) {
    const bad = good.replace(from, to).replace("</BICFI>", from === "<BICFI>" ? "</BIC>" : "</BICFI>");
    assert.notEqual(bad, good, from);
    assert.throws(() => {
      const root = rootOf(bad);
      holdsOrder(root);
      holdsTypes(root);
    }, `${from} is refused`);
  }
});

test("its counts and sums are those of its transfers, over all and of each order", () => {
  const root = rootOf(encodePain001(FILE));
  assert.deepEqual(textsOf(root, "NbOfTxs"), ["3", "2", "1"]);
  assert.deepEqual(textsOf(root, "CtrlSum"), ["1412.50", "162.50", "1250"]);
  assert.deepEqual(textsOf(root, "InstdAmt"), ["150.00", "12.50", "1250"]);
  assert.deepEqual(textsOf(root, "CreDtTm"), ["2026-01-31T09:00:00Z"]);
});

test("a transfer within the euro payments area says so; another shares its charges; an unknown bank is told as such", () => {
  const text = encodePain001(FILE);
  const root = rootOf(text);
  assert.deepEqual(textsOf(root, "ChrgBr"), ["SLEV", "SHAR"]);
  assert.equal(text.split("<SvcLvl><Cd>SEPA</Cd></SvcLvl>").length, 2);
  assert.match(text, /<DbtrAgt><FinInstnId><Othr><Id>NOTPROVIDED<\/Id><\/Othr><\/FinInstnId><\/DbtrAgt>/);
  assert.match(text, /<Othr><Id>123-4567890<\/Id><SchmeNm><Prtry>ZENGIN<\/Prtry><\/SchmeNm><\/Othr>/);
});

test("names are written in the letters that every bank takes, whatever they hold", () => {
  const root = rootOf(encodePain001(FILE));
  assert.deepEqual(textsOf(root, "Nm"), [
    "Example Mobile + Sohne Ltd",
    "Example Mobile Ltd",
    "Maker .One.",
    "Lodz AEnima",
    "Example Mobile Ltd",
    "Maker Three",
  ]);
  assert.deepEqual(textsOf(root, "Ustrd"), ["Fees 2026-01 / contract M2 . thanks"]);
  assert.equal(bankText("株式会社", 70), "....");
  assert.equal(bankText(" // ", 70), undefined);
});

test("a notification of the bank: what was paid, to whom, when", () => {
  assert.deepEqual(readBankReport(vector("camt054.xml")), {
    source: "camt.054",
    messageId: "TURNUP-N-0001",
    facts: [
      {
        kind: "movement",
        endToEndId: "FEE-2026-01-M1",
        amount: "150.00",
        currency: "EUR",
        direction: "debit",
        isReversal: false,
        isBooked: true,
        bookedOn: "2026-02-02",
        bankReference: null,
        otherNames: [],
        isIssuedDebit: false,
        collectedAmount: null,
        returnReason: null,
      },
    ],
  });
});

const camt = (entries: string, message = "camt.053.001.02", body = "BkToCstmrStmt", part = "Stmt"): Buffer =>
  Buffer.from(
    `<d:Document xmlns:d="urn:iso:std:iso:20022:tech:xsd:${message}"><d:${body}><d:GrpHdr><d:MsgId>M</d:MsgId></d:GrpHdr><d:${part}>${entries}</d:${part}></d:${body}></d:Document>`,
  );

test("an entry of several transactions is as many movements, of version 02 and with prefixes too", () => {
  const report = readBankReport(
    camt(
      `<d:Ntry><d:Amt Ccy="EUR">3.00</d:Amt><d:CdtDbtInd>DBIT</d:CdtDbtInd><d:Sts>BOOK</d:Sts><d:BookgDt><d:DtTm>2026-02-02T23:00:00+01:00</d:DtTm></d:BookgDt>
       <d:AcctSvcrRef>A1</d:AcctSvcrRef><d:NtryDtls>
       <d:TxDtls><d:Refs><d:EndToEndId>ONE</d:EndToEndId></d:Refs><d:AmtDtls><d:TxAmt><d:Amt Ccy="EUR">1.00</d:Amt></d:TxAmt></d:AmtDtls></d:TxDtls>
       <d:TxDtls><d:Refs><d:EndToEndId>NOTPROVIDED</d:EndToEndId></d:Refs></d:TxDtls></d:NtryDtls></d:Ntry>
       <d:Ntry><d:Amt Ccy="EUR">1.00</d:Amt><d:CdtDbtInd>CRDT</d:CdtDbtInd><d:RvslInd>true</d:RvslInd><d:Sts>PDNG</d:Sts></d:Ntry>`,
    ),
  );
  assert.deepEqual(
    report.facts.map((fact) =>
      fact.kind === "movement"
        ? [
            fact.endToEndId,
            fact.amount,
            fact.direction,
            fact.isBooked,
            fact.isReversal,
            fact.bankReference,
            fact.bookedOn,
          ]
        : [],
    ),
    [
      ["ONE", "1.00", "debit", true, false, "A1", "2026-02-02"],
      [null, null, "debit", true, false, "A1", "2026-02-02"], // one sum for both says nothing of the second
      [null, "1.00", "credit", false, true, null, null],
    ],
  );
});

test("a day that the calendar lacks is none: the entry is read without it", () => {
  const entry = (day: string) =>
    `<d:Ntry><d:Amt Ccy="EUR">1.00</d:Amt><d:CdtDbtInd>DBIT</d:CdtDbtInd><d:Sts>BOOK</d:Sts><d:BookgDt><d:Dt>${day}</d:Dt></d:BookgDt></d:Ntry>`;
  const { facts } = readBankReport(camt(entry("2026-02-30") + entry("2026-02-28")));
  assert.deepEqual(
    facts.map((fact) => fact.kind === "movement" && fact.bookedOn),
    [null, "2026-02-28"],
  );
});

test("what became of a file: of all of it, of an order, of one payment", () => {
  const report = readBankReport(
    Buffer.from(
      `<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.10"><CstmrPmtStsRpt><GrpHdr><MsgId>S</MsgId></GrpHdr>
       <OrgnlGrpInfAndSts><OrgnlMsgId>B1</OrgnlMsgId><GrpSts>PART</GrpSts></OrgnlGrpInfAndSts>
       <OrgnlPmtInfAndSts><OrgnlPmtInfId>P1</OrgnlPmtInfId><PmtInfSts>ACCP</PmtInfSts>
       <TxInfAndSts><OrgnlEndToEndId>E1</OrgnlEndToEndId><TxSts>RJCT</TxSts><StsRsnInf><Rsn><Cd>AC01</Cd></Rsn></StsRsnInf></TxInfAndSts>
       </OrgnlPmtInfAndSts></CstmrPmtStsRpt></Document>`,
    ),
  );
  const nothing = { endToEndId: null, paymentInfoId: null, messageId: null, reason: null };
  assert.deepEqual(report.facts, [
    { kind: "status", ...nothing, messageId: "B1", status: "PART" },
    { kind: "status", ...nothing, paymentInfoId: "P1", status: "ACCP" },
    { kind: "status", ...nothing, endToEndId: "E1", status: "RJCT", reason: "AC01" },
  ]);
});

test("hostile files are refused before anything of them is used", () => {
  const good = vector("camt054.xml").toString();
  const refused: readonly (readonly [string, RegExp])[] = [
    [
      good.replace("<Document", '<!DOCTYPE a [<!ENTITY b "b">]><Document'),
      /name of an element|document type/,
    ],
    [good.replace("<Document", '<!DOCTYPE a SYSTEM "file:///etc/passwd"><Document'), /document type/],
    [good.replace("150.00", "&x;"), /unknown entity/],
    [good.replace("camt.054.001.08", "pacs.008.001.08"), /pacs\.008/],
    [good.replace("urn:iso:std:iso:20022:tech:xsd:", "urn:x:"), /another namespace/],
    [good.replace("<CdtDbtInd>DBIT</CdtDbtInd>", "").replace("<CdtDbtInd>DBIT</CdtDbtInd>", ""), /direction/],
    [`<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.054.001.08">${"<a>".repeat(40)}`, /deep/],
  ];
  for (const [text, message] of refused)
    assert.throws(
      () => readBankReport(Buffer.from(text)),
      { name: "DecodeError", message },
      text.slice(0, 90),
    );
  for (let cut = 1; cut < good.length - 1; cut += 7)
    assert.throws(() => readBankReport(Buffer.from(good.slice(0, cut))), { name: "DecodeError" });
  assert.throws(() => readBankReport(Buffer.alloc(9 * 1_048_576, 0x20)), { message: /octets/ });
});
