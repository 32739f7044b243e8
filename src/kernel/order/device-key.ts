/** Device keys as the books have them (US 11,109,201): one a handset, with the order that it was issued under. */

export const KEY_STATES = ["issued", "downloaded", "used", "deleted", "revoked"] as const;

export type KeyState = (typeof KEY_STATES)[number];
export type IssuedKey = {
  readonly keyId: string;
  readonly operatorId: string;
  readonly orderId: string;
  readonly itemId: string | null;
  readonly bytes: Uint8Array;
};

/** A key that was given before: to which handset, by which order, and whether anybody was charged for it. */
export type TakenKey = {
  readonly id: string;
  readonly deviceId: string;
  readonly orderId: string;
  readonly state: KeyState;
  readonly isCharged: boolean;
};

/** Which make's stock a key is taken from, and for whose handset. */
export type StockQuestion = {
  readonly operatorId: string;
  readonly orderId: string;
  readonly itemId: string;
  /** As the relation names it: `*` has a stock for every make without one of its own. */
  readonly make: string;
  /** The handset's own make and model; null where nobody knows them. */
  readonly handset: { readonly make: string; readonly model: string } | null;
};
/** A key as its maker signed it, still to be bound, or that none is left. */
export type StockAnswer =
  | {
      readonly kind: "key";
      readonly bytes: Uint8Array;
      readonly stock: { readonly batchId: string; readonly left: number };
    }
  | { readonly kind: "failed"; readonly cause: "stock_empty" | "key_underway"; readonly reason: string };
