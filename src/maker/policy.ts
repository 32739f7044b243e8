/** Whom a manufacturer deals with, what it offers them, and what its decisions are made with. */

import type { KeyObject } from "node:crypto";
import type { KeyAccessPoint } from "../wire/message/device-key-form.ts";
import type { KeyRequest } from "../wire/message/maker-api.ts";
import type { Books } from "./books.ts";

/** An operator with a contract. Its certificate bears `urn:turnup:client:<id>`. */

export type MakerClient = {
  readonly id: string;
  /** What the operator is paid for each key that reached its handset, in minor units, and our part of it. */
  readonly feeMinor: number;
  /** 10,000 is all of the fee. */
  readonly portionBasisPoints: number;
  readonly currency: string;
};
type KeyOffer = {
  readonly accessPoints: readonly KeyAccessPoint[];
  readonly hosts: readonly string[];
};
export type MakerPolicy = {
  readonly issuer: string;
  readonly signingKey: KeyObject;
  /** Names handsets in memory and in the journal without their IMEIs. */
  readonly indexSecret: Uint8Array;
  readonly clients: readonly MakerClient[];
  /** The makes it answers for; without a list, all that `modelOf` knows. */
  readonly makes?: readonly string[];
  modelOf(tac: string): { readonly make: string; readonly model: string } | undefined;
  /** The access points on a network, if there is an agreement. */
  offerOf(network: KeyRequest["network"]): KeyOffer | undefined;
  isBlocked?(imei: string): boolean;
  /** Whether a request that names only a model gets a key bound to that model. */
  readonly allowModelOnly?: boolean;
  /** A client that wants a key to stay gets such a one all the same. */
  readonly deleteAfterUse: boolean;
  readonly validityMs: number;
};
/** What the decisions are made with. */
export type Maker = {
  readonly policy: MakerPolicy;
  readonly clients: ReadonlyMap<string, MakerClient>;
  readonly books: Books;
  freshOctets(octets: number): Uint8Array;
};
