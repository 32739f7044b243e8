/**
 * A message of OMA Device Management 1.2 as a value. Source: OMA-TS-DM_RepPro 1.2.1, OMA-TS-SyncML_RepPro 1.2.2.
 * Commands and codes keep the specification's spelling.
 */
import type { WbxmlElement } from "../wbxml/element.ts";

/** `Cred`: what the sender proves itself by; `type` is `syncml:auth-basic` or `syncml:auth-md5`. */
export type Credential = { readonly type: string; readonly format: string | null; readonly data: string };

/** `Chal`: what the other side is to prove itself by, and the nonce for the next time. */
export type Challenge = { readonly type: string; readonly nextNonce: Uint8Array | null };

/** A node's address with its value; `source` where the sender tells of its own. */
export type Item = {
  readonly target?: string | undefined;
  readonly source?: string | undefined;
  readonly format?: string | undefined;
  readonly type?: string | undefined;
  /** Of a generic alert: how grave. */
  readonly mark?: string | undefined;
  /** Octets of a large object, in its first chunk. */
  readonly size?: number | undefined;
  /** A text, or a tree of nodes (TNDS). */
  readonly data?: string | WbxmlElement | undefined;
  readonly moreData?: true | undefined;
};

/** The commands that carry items alone. */
export const ITEM_COMMANDS = ["Add", "Copy", "Delete", "Exec", "Get", "Replace"] as const;
/** Those that hold others. */
export const GROUP_COMMANDS = ["Atomic", "Sequence"] as const;

export type StatusCommand = {
  readonly name: "Status";
  readonly cmdId: string;
  readonly msgRef: string;
  /** "0" is the header. */
  readonly cmdRef: string;
  readonly cmd: string;
  readonly targetRefs: readonly string[];
  readonly sourceRefs: readonly string[];
  readonly challenge?: Challenge | undefined;
  readonly code: number;
  readonly items: readonly Item[];
};
export type ResultsCommand = {
  readonly name: "Results";
  readonly cmdId: string;
  readonly msgRef?: string | undefined;
  readonly cmdRef: string;
  /** Meta of its own, for all items. */
  readonly format?: string | undefined;
  readonly type?: string | undefined;
  readonly items: readonly Item[];
};
export type AlertCommand = {
  readonly name: "Alert";
  readonly cmdId: string;
  readonly code: number;
  readonly correlator?: string | undefined;
  readonly items: readonly Item[];
};
export type ItemCommand = {
  readonly name: (typeof ITEM_COMMANDS)[number];
  readonly cmdId: string;
  readonly correlator?: string | undefined;
  readonly format?: string | undefined;
  readonly type?: string | undefined;
  readonly items: readonly Item[];
};
export type GroupCommand = {
  readonly name: (typeof GROUP_COMMANDS)[number];
  readonly cmdId: string;
  readonly commands: readonly DmCommand[];
};
export type DmCommand = StatusCommand | ResultsCommand | AlertCommand | ItemCommand | GroupCommand;

export type DmMessage = {
  /** As written: hexadecimal; some clients of little-endian machines swap its two octets. */
  readonly sessionId: string;
  readonly msgId: string;
  readonly target: string;
  readonly source: string;
  /** `Source/LocName`: the user that a digest is of. */
  readonly sourceName?: string | undefined;
  readonly respUri?: string | undefined;
  readonly credential?: Credential | undefined;
  readonly maxMsgSize?: number | undefined;
  readonly maxObjSize?: number | undefined;
  readonly commands: readonly DmCommand[];
  /** The package ends here. */
  readonly isFinal: boolean;
};
