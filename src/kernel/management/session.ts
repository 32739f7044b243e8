/**
 * A management session as a value, and what is still to be set in it. One message of the device has one answer, so both count
 * their messages alike. Source: OMA-TS-DM_Protocol 1.2.1 §6, §8.
 *
 *   asking -> setting -> done
 *      asking: which roots the device has, what it is; setting: nodes, until each has its Status; done: nothing more is sent
 */
import type { SettingsPoint } from "../payload/settings-values.ts";
import { MANAGEMENT_TREES, type ManagementTree, type TreeNode } from "./trees.ts";

/** A node on its way to the device. */
export type PlannedNode = TreeNode & {
  readonly by: "Add" | "Replace";
  readonly state: "due" | "asked" | "set" | "failed";
  /** How often it was sent. */
  readonly tries: number;
  /** The last Status; 0: the device said nothing of it. */
  readonly code?: number;
};

/** A command that waits for its Status: the uri of a Get, or the place of its node in `nodes`; neither: a group. */
export type AskedCommand = { readonly cmdId: string; readonly get?: string; readonly node?: number };

export type ManagementSession = {
  /** As the device writes it. */
  readonly id: string;
  readonly lastMsgId: number;
  /** Each message bears a MAC; else a digest at the beginning was enough. */
  readonly isByMac: boolean;
  /** The device took our own proof. */
  readonly isServerProved: boolean;
  readonly serverTries: number;
  readonly phase: "asking" | "setting" | "done";
  readonly asked: readonly AskedCommand[];
  /** The message of ours that they stood in. */
  readonly askedIn: number;
  /** Without Sequence, which some devices lack. */
  readonly isPlain: boolean;
  /** Most octets of a message that the device takes; null: it did not say. */
  readonly maxMsgSize: number | null;
  /** Roots that it has, with the names of their children. */
  readonly roots: Readonly<Record<string, readonly string[]>>;
  /** What the device says of itself, by address. */
  readonly facts: Readonly<Record<string, string>>;
  readonly tree: string | null;
  readonly nodes: readonly PlannedNode[];
};

/** What is to be set on a device. */
export type ManagementTask = { readonly name: string; readonly points: readonly SettingsPoint[] };

/** What a session shows of an order. */
export type ManagementFact =
  | { readonly kind: "began" }
  | {
      readonly kind: "applied";
      readonly tree: string;
      readonly nodes: number;
      readonly firmware: string | null;
    }
  | { readonly kind: "refused"; readonly cause: string; readonly reason: string };

export const newSession = (id: string, lastMsgId: number, isByMac: boolean): ManagementSession => ({
  id,
  lastMsgId,
  isByMac,
  isServerProved: false,
  serverTries: 0,
  phase: "asking",
  asked: [],
  askedIn: 0,
  isPlain: false,
  maxMsgSize: null,
  roots: {},
  facts: {},
  tree: null,
  nodes: [],
});

/** Hexadecimal of any case, with or without zeros in front; else letter for letter. */
export const isSameSession = (one: string, other: string): boolean => sessionKey(one) === sessionKey(other);
const sessionKey = (id: string): string =>
  /^[0-9a-f]+$/i.test(id) ? id.toUpperCase().replace(/^0+(?=.)/, "") : id;

/** What is asked first: the device's versions, and which of the trees it has. */
export const FIRST_GETS: readonly string[] = [
  "./DevDetail/FwV",
  "./DevDetail/SwV",
  ...MANAGEMENT_TREES.map(({ root }) => root),
];

export const treeOf = ({ roots }: ManagementSession): ManagementTree | undefined =>
  MANAGEMENT_TREES.find(({ root }) => roots[root] !== undefined);

/** Nodes that an earlier session left are replaced, others added; a wrong guess is put right by the device's Status. */
export function plan(
  tree: ManagementTree,
  { name, points }: ManagementTask,
  roots: ManagementSession["roots"],
): PlannedNode[] {
  const known = (roots[tree.root] ?? []).map((child) => `${tree.root}/${child}`);
  const isKnown = (uri: string): boolean => known.some((one) => uri === one || uri.startsWith(`${one}/`));
  return points
    .flatMap((point) => tree.nodesOf(point, name))
    .filter(({ uri, value }) => value !== null || !isKnown(uri))
    .map((node) => ({ ...node, by: isKnown(node.uri) ? "Replace" : "Add", state: "due", tries: 0 }));
}

/** So often is a node sent: once as a new one, once in the place of an old one, and once more without Sequence. */
const TRIES_MAX = 3;

const EXISTS = 418;
const NOT_FOUND = 404;

/** What its Status means for a node. */
export function answered(node: PlannedNode, code: number): PlannedNode {
  const isInterior = node.value === null;
  if (code === 200 || (code === EXISTS && isInterior)) return { ...node, state: "set", code };
  if (node.tries < TRIES_MAX && node.by === "Add" && code === EXISTS)
    return { ...node, by: "Replace", state: "due", code };
  if (node.tries < TRIES_MAX && node.by === "Replace" && code === NOT_FOUND)
    return { ...node, by: "Add", state: "due", code };
  return { ...node, state: "failed", code };
}

/** Status codes of OMA-TS-DM_RepPro 1.2.1 §10, as the causes of a failed item. */
const MEANINGS: Readonly<Record<number, string>> = {
  0: "no_status",
  215: "not_executed",
  216: "rolled_back",
  400: "bad_request",
  401: "server_not_believed",
  403: "forbidden",
  404: "not_found",
  405: "not_allowed",
  406: "not_supported",
  407: "server_not_believed",
  412: "incomplete_command",
  413: "too_large",
  414: "uri_too_long",
  415: "format_not_supported",
  416: "size_too_large",
  418: "exists",
  420: "full",
  424: "size_mismatch",
  425: "permission_denied",
  500: "command_failed",
  503: "busy",
  507: "atomic_failed",
  510: "store_failed",
  516: "rollback_failed",
  517: "answer_too_large",
};

export const meaningOf = (code: number): string => MEANINGS[code] ?? `status_${code}`;
