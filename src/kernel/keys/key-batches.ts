/**
 * A maker's keys that are stored beforehand (US 11,109,201 Fig. 2 and 5A): imported by the batch, whole or not at all, and used up
 * one by one. What a batch must be to be taken is `checkBatch`.
 */
import type { KeyObject } from "node:crypto";
import { TurnupError } from "../../term/error.ts";
import { verifyDeviceKey } from "../../wire/message/device-key.ts";
import type { DeviceKey } from "../../wire/message/device-key-form.ts";
import type { KeyBatch } from "../../wire/message/maker-api.ts";
import { isModelListed } from "../devices/names.ts";
import { uuidOf } from "./key-id.ts";

/** A key that lies in stock: as its maker signed it, bound to nobody. */
type StockKey = {
  readonly id: string;
  readonly bytes: Uint8Array;
  readonly notBefore: Date;
  readonly notAfter: Date;
};
export type CheckedBatch = {
  readonly id: string;
  readonly make: string;
  /** Sorted; empty is for all models. */
  readonly models: readonly string[];
  readonly issuer: string;
  readonly keys: readonly StockKey[];
};

/** How many keys of a batch stand where. Each is in one of `free`, `bound`, `sent`, `expired`, `withdrawn`. */
export type BatchView = {
  readonly id: string;
  readonly make: string;
  /** For these models alone; empty is for all. */
  readonly models: readonly string[];
  readonly issuer: string;
  readonly keys: number;
  readonly free: number;
  /** Given to a handset, and not sent to it yet. */
  readonly bound: number;
  readonly sent: number;
  readonly expired: number;
  readonly withdrawn: number;
  readonly importedBy: string;
  readonly importedAt: string;
  readonly withdrawnAt: string | null;
};

/** What is left of one make's keys, where its relation takes them from stock. */
export type StockView = {
  /** As the relation names it. */
  readonly make: string;
  /** For these alone, as a batch names them; empty: for every model. */
  readonly models: readonly string[];
  readonly free: number;
  /** Of the free ones: when the first is of no use any more. */
  readonly nextExpiryAt: string | null;
  readonly low: number;
  readonly state: "enough" | "low" | "empty";
  readonly nextAction: string;
};

/** Keys of one operator that lie in stock. Every change is audited under `actor`. */
export interface KeyBatches {
  /**
   * The same batch again changes nothing. Orders that wait for a key of stock are looked at again at once.
   * @throws TurnupError `key_batch_conflict`: another batch has this name, or a key of it is known
   */
  put(
    operatorId: string,
    batch: CheckedBatch,
    actor: string,
  ): Promise<{ readonly created: boolean; readonly batch: BatchView }>;
  /** Newest first. */
  list(operatorId: string): Promise<readonly BatchView[]>;
  /** Its keys that nobody has are given to nobody from now on; undefined where there is no such batch. */
  withdraw(operatorId: string, batchId: string, actor: string): Promise<BatchView | undefined>;
  stocks(operatorId: string): Promise<readonly StockView[]>;
}

export function stockStateOf(free: number, low: number): StockView["state"] {
  if (free === 0) return "empty";
  return free <= low ? "low" : "enough";
}

export const stockAction = (
  { make, models }: Pick<StockView, "make" | "models">,
  state: StockView["state"],
): string => {
  const whose = make === "*" ? "the makes without a relation of their own" : make;
  const which = models.length === 0 ? "" : ` for ${models.join(", ")}`;
  return state === "enough" ? "none" : `import a batch of keys of ${whose}${which}`;
};

/**
 * The batches of a make that may serve a handset, in the order in which they are used up: what is for its model before what is for
 * all, each as it came. A handset of no known model gets what is for all.
 */
export function batchesFor<Batch extends { readonly models: readonly string[] }>(
  batches: readonly Batch[],
  handset: { readonly make: string; readonly model: string } | null,
): Batch[] {
  const isListed = (pattern: string): boolean =>
    handset !== null && isModelListed(pattern, handset.make, handset.model);
  return [
    ...batches.filter(({ models }) => models.some(isListed)),
    ...batches.filter(({ models }) => models.length === 0),
  ];
}

type BatchTerms = {
  /** The relation's word on whose signature counts, by the issuer's name. */
  readonly publicKeyOf: (issuer: string) => KeyObject | undefined;
  /** Our issuer's public key, 32 octets: whom the maker must have named. */
  readonly binder: Uint8Array;
  readonly now: Date;
};

/**
 * @throws TurnupError `key_batch_invalid`: it names the first key that cannot be taken, and why; none of the batch is
 */
export function checkBatch({ batchId, make, models = [], keys }: KeyBatch, terms: BatchTerms): CheckedBatch {
  for (const pattern of models)
    if (!isOfMake(pattern, make)) throw invalid(`Batch ${batchId}: ${pattern} is no model of ${make}.`);
  const ids = new Set<string>();
  const issuers = new Set<string>();
  const checked = keys.map((bytes, at): StockKey => {
    const refuse = (why: string): TurnupError => invalid(`Key ${at + 1} of batch ${batchId}: ${why}.`);
    const key = stockKey(bytes, terms, refuse);
    const id = uuidOf(key.keyId);
    if (ids.has(id)) throw refuse("it stands in the batch twice");
    ids.add(id);
    issuers.add(key.issuer);
    return { id, bytes, notBefore: key.notBefore, notAfter: key.notAfter };
  });
  const [issuer, ...others] = issuers;
  if (issuer === undefined || others.length > 0)
    throw invalid(`Batch ${batchId} has ${issuers.size} issuers.`);
  return { id: batchId, make, models: [...new Set(models)].sort(), issuer, keys: checked };
}

/** `make/model`; the make is the batch's, whichever it is where that is for all the others. */
function isOfMake(pattern: string, make: string): boolean {
  const [ofMake = "", model = ""] = pattern.split("/");
  if (ofMake.trim() === "" || model.trim() === "") return false;
  return make === "*" || ofMake.trim().toLowerCase() === make.trim().toLowerCase();
}

/** Signed by who may, in its time or before it, and to be bound by us alone. */
function stockKey(bytes: Uint8Array, terms: BatchTerms, refuse: (why: string) => TurnupError): DeviceKey {
  const verdict = verifyDeviceKey(bytes, terms.publicKeyOf, null, terms.now);
  // Keys for later are stored too: none is used before its time.
  const key = verdict.kind === "valid" || verdict.reason === "not_yet_valid" ? verdict.key : undefined;
  if (!key) throw refuse(verdict.kind === "refused" ? verdict.detail : "it cannot be read");
  if (!key.binder || key.bound)
    throw refuse("it is bound by its maker, and no key to be bound at its first use");
  if (key.boundTo !== "none")
    throw refuse("it is for one model alone: ask for such a key when a handset needs it");
  if (!Buffer.from(key.binder).equals(terms.binder))
    throw refuse("it names another binder than this installation");
  return key;
}

const invalid = (fact: string): TurnupError =>
  new TurnupError("key_batch_invalid", fact, {
    nextStep:
      "Nothing of it was stored. `turnup issuer show` prints the binder that its maker has to name, and the relation's keyIssuers say whose signature counts.",
  });
