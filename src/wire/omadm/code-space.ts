/**
 * The tokens of OMA Device Management 1.2: SyncML's messages, the meta information inside them, and trees of nodes (TNDS).
 * Source: OMA-TS-DM_RepPro 1.2.1, OMA-TS-SyncML_MetaInfo 1.2, OMA-TS-DM_TND 1.2.1.
 */
import { type CodeSpace, type Pages, page, type Row } from "../wbxml/code-space.ts";

const SYNCML: readonly Row[] = [
  [
    0x05,
    "Add Alert Archive Atomic Chal Cmd CmdID CmdRef Copy Cred Data Delete Exec Final Get Item Lang LocName LocURI Map MapItem " +
      "Meta MsgID MsgRef NoResp NoResults Put Replace RespURI Results Search Sequence SessionID SftDel Source SourceRef Status " +
      "Sync SyncBody SyncHdr SyncML Target TargetRef - VerDTD VerProto NumberOfChanges MoreData Field Filter Record FilterType " +
      "SourceParent TargetParent Move Correlator",
  ],
];
const METINF: readonly Row[] = [
  [
    0x05,
    "Anchor EMI Format FreeID FreeMem Last Mark MaxMsgSize Mem MetInf Next NextNonce SharedMem Size Type Version MaxObjSize " +
      "FieldLevel",
  ],
];
const TREE: readonly Row[] = [
  [
    0x05,
    "AccessType ACL Add b64 bin bool chr CaseSense CIS Copy CS date DDFName DefaultValue Delete Description DFFormat " +
      "DFProperties DFTitle DFType Dynamic Exec float Format Get int Man MgmtTree MIME Mod Name Node node NodeName null " +
      "Occurrence One OneOrMore OneOrN Path Permanent Replace RTProperties Scope Size time Title TStamp Type Value VerDTD VerNo " +
      "xml ZeroOrMore ZeroOrN ZeroOrOne",
  ],
];

const rowsOf = (rows: readonly Row[]) => page(rows, (name) => name);
const NO_ATTRIBUTES: Pages<never> = [[]];

/** A tree of nodes, root `MgmtTree`: it stands as OPAQUE octets in a message. */
const MGMT_TREE: CodeSpace = {
  title: "a management tree",
  version: 0x02,
  // No number is assigned: senders spell the identifier out, or say that it is unknown.
  publicId: 0x01,
  publicIdText: "-//OMA//DTD-DM-DDF 1.2//EN",
  tags: [[], [], rowsOf(TREE)],
  attributeStarts: NO_ATTRIBUTES,
  attributeValues: NO_ATTRIBUTES,
  splitsValues: false,
};

/** A message, root `SyncML`. */
export const SYNCML_DM: CodeSpace = {
  title: "a SyncML message",
  version: 0x02,
  publicId: 0x1201,
  publicIdText: "-//SYNCML//DTD SyncML 1.2//EN",
  tags: [rowsOf(SYNCML), rowsOf(METINF), rowsOf(TREE)],
  attributeStarts: NO_ATTRIBUTES,
  attributeValues: NO_ATTRIBUTES,
  splitsValues: false,
  embedded: { root: "MgmtTree", codeSpace: MGMT_TREE },
};
