/**
 * Lists of handsets that an operator keeps by itself, beside those that its files name: named, with a status, a priority, a reason. What
 * they hold has versions: each change makes one, and a former one can be put back.
 */
import type { Acting } from "../account/person.ts";
import type { EquipmentList } from "./status-index.ts";
import type { EquipmentVerdict } from "./verdict.ts";

export const EQUIPMENT_STATUSES = ["white", "grey", "black"] as const;

export type EquipmentListView = EquipmentList & {
  readonly id: string;
  /** Why a handset stands in it. */
  readonly reason: string;
  readonly entries: number;
  /** Of its entries. */
  readonly version: number;
  /** The first version that can be put back. */
  readonly oldestVersion: number;
  /** Null: no registry's files belong to it. */
  readonly exchange: EquipmentExchange | null;
  readonly changedAt: string;
  readonly changedBy: string;
};
/** How the files of a registry look that belong to a list; columns are counted from 0 (`wire/equipment/exchange.ts` tells more). */
export type EquipmentExchange = {
  readonly separator: "," | ";" | "\t" | "|";
  readonly header: { readonly mark: string; readonly organisation: number };
  readonly trailer: { readonly mark: string; readonly count?: number | undefined };
  readonly record: {
    readonly mark?: string | undefined;
    readonly action: number;
    readonly reason: number;
    readonly from: number;
    readonly to: number;
  };
  readonly insert: string;
  readonly remove: string;
  readonly reasons: Readonly<Record<string, string>>;
  readonly organisations: readonly string[];
};
export type EquipmentListWish = EquipmentList & { readonly reason: string };

/** As it is kept and exported. */
export type OwnEquipmentEntry = {
  /** As `writeEquipmentDevice` writes it. */
  readonly device: string;
  /** SIMs that are let in although the list is black; 6 to 15 digits each. */
  readonly imsis: readonly string[];
  /** Why this one stands in it; null: as all of the list. */
  readonly note: string | null;
  /** Organisation in whose name a registry's file put it there; it alone takes it away by such a file. */
  readonly owner: string | null;
};
/** `line`: where it was given, for what is told of it. */
export type EquipmentEdit = {
  readonly entry: OwnEquipmentEntry;
  readonly isRemoval: boolean;
  /** It covers more handsets than a model has serial numbers. */
  readonly isWide: boolean;
  readonly line: number;
};

export type EquipmentChanged = {
  readonly version: number;
  readonly entries: number;
  readonly added: number;
  readonly changed: number;
  readonly removed: number;
  /** Asked for, and so already. */
  readonly unchanged: number;
};
export type EquipmentVersion = Omit<EquipmentChanged, "unchanged"> & {
  readonly madeAt: string;
  readonly madeBy: string;
  readonly reason: string;
};
export type EquipmentSwitch = {
  readonly answersBlack: boolean;
  readonly reason: string | null;
  readonly changedBy: string | null;
  readonly changedAt: string | null;
};

export const EQUIPMENT_FORMS = ["lines", "exchange"] as const;
/** What a file is: all that the list is to hold, or edits of what it holds. */
export const EQUIPMENT_IMPORTS = ["replace", "add", "remove"] as const;
export type EquipmentImportAsked = {
  readonly mode: "dry_run" | "approve" | "live";
  readonly how: (typeof EQUIPMENT_IMPORTS)[number];
  readonly form: (typeof EQUIPMENT_FORMS)[number];
};

type Said = { readonly actor: string; readonly reason: string };

export interface EquipmentLists {
  list(operatorId: string): Promise<readonly EquipmentListView[]>;
  /** @throws TurnupError `equipment_list_taken`, `equipment_list_full` */
  make(operatorId: string, id: string, wish: EquipmentListWish, actor: string): Promise<EquipmentListView>;
  /** @throws TurnupError `equipment_list_not_found`, `equipment_list_taken` */
  alter(
    operatorId: string,
    id: string,
    wish: {
      readonly priority?: number | undefined;
      readonly reason?: string | undefined;
      readonly exchange?: EquipmentExchange | undefined;
    },
    actor: string,
  ): Promise<EquipmentListView>;
  /** @throws TurnupError `equipment_list_not_found`; `equipment_change_too_large`: it is black and not nearly empty */
  remove(operatorId: string, id: string, actor: string): Promise<void>;
  /**
   * All of it or nothing.
   * @throws TurnupError `equipment_list_not_found`, `equipment_list_full`; `equipment_change_too_large`: a second person has to agree
   */
  change(
    operatorId: string,
    id: string,
    edits: readonly EquipmentEdit[],
    said: Said,
  ): Promise<EquipmentChanged>;
  /** Newest first. @throws TurnupError `equipment_list_not_found` */
  versions(operatorId: string, id: string): Promise<readonly EquipmentVersion[]>;
  /** @throws TurnupError `equipment_list_not_found`, `equipment_version_gone` */
  restore(operatorId: string, id: string, version: number, said: Said): Promise<EquipmentChanged>;
  /** What is in force, told in the audit. @throws TurnupError `equipment_list_not_found` */
  entries(operatorId: string, id: string, actor: string): Promise<AsyncIterable<OwnEquipmentEntry>>;
  /** A file becomes a job; answers its id. @throws TurnupError `equipment_list_not_found`, `input_too_long` */
  bring(
    operatorId: string,
    id: string,
    file: AsyncIterable<Uint8Array>,
    asked: EquipmentImportAsked,
    by: Acting,
  ): Promise<string>;
  switchOf(operatorId: string): Promise<EquipmentSwitch>;
  setSwitch(operatorId: string, answersBlack: boolean, said: Said): Promise<EquipmentSwitch>;
}

/** What this server answers a core. */
export interface EquipmentChecks {
  verdictOf(
    operatorId: string,
    handset: {
      readonly imei: string;
      readonly softwareVersion: string | undefined;
      readonly imsi: string | undefined;
    },
  ): EquipmentVerdict;
}

/** Below so many a share says nothing. */
const ENTRIES_MIN = 20;
/** Shares of a black list above which a second person must say that it is meant. */
const REMOVED_MAX = 0.1;
const ADDED_MAX = 0.5;

/**
 * Why a change of a list is not taken on one person's word; sentences, none where it is. Of lists that shut nobody out none: who takes
 * a handset from a white list shuts it out by another list's word alone.
 */
export function equipmentRisksOf(
  { status }: Pick<EquipmentList, "status">,
  before: number,
  { added, removed, wide }: { readonly added: number; readonly removed: number; readonly wide: number },
): readonly string[] {
  if (status !== "black") return [];
  const risks: string[] = [];
  if (before >= ENTRIES_MIN && removed > before * REMOVED_MAX)
    risks.push(`${removed} of ${before} handsets, ranges and models would be let in again.`);
  if (before >= ENTRIES_MIN && added > before * ADDED_MAX)
    risks.push(`${added} would be shut out beside the ${before} that are.`);
  if (wide > 0) risks.push(`${wide} of its ranges are wider than a model.`);
  return risks;
}
