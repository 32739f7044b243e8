/** What an operator said and agreed, as decisions read it: policy, relations to manufacturers, access points, overrides. */
import type { KeyAccessPoint } from "../../wire/message/device-key-form.ts";
import type { AccessPoint } from "../settings/access-point.ts";
import type { WirelessNetwork } from "../settings/wireless-network.ts";
import type { SupportOverride } from "../support/decide-support.ts";
import type { Level, OrderPolicy } from "./policy.ts";

/** A host that runs the network of its SIMs itself (`mno`), or one of the kinds that sell what another's network carries (R84). */
export type NetworkKind = "mno" | "mvno" | "secondary" | "tertiary";

export const PORTION_PAID_BY = ["payment_system", "payment_file"] as const;
type PortionPaidBy = (typeof PORTION_PAID_BY)[number];

/** Where a key comes from: made here, asked for at its maker, or out of a maker's batch that was stored beforehand. */
export type KeySource = "own" | "maker" | "stock";

/** By what a maker is asked for a key (US 11,109,201, claims 3 and 16). */
export const KEY_REQUESTS = ["model_and_imei", "model", "imei"] as const;

/** What was agreed about a make's keys beside their price. */
type KeyTerms = {
  readonly keyRequestBy: (typeof KEY_REQUESTS)[number];
  /** Keys are made so, and asked for so, that they delete themselves from the handset once they worked (R104). */
  readonly deleteAfterUse: boolean;
  /** A key's access points may go as ordinary settings to a handset that runs no key. */
  readonly keyApnsAsSettings: boolean;
  /** So many keys left in stock are told as few. */
  readonly keyStockLow: number;
};

/** Of a relation that does not say. */
export const DEFAULT_KEY_TERMS: KeyTerms = {
  keyRequestBy: "model_and_imei",
  deleteAfterUse: true,
  keyApnsAsSettings: false,
  keyStockLow: 20,
};

/** What the operator agreed with one manufacturer; `make` is `*` for all that have no row of their own. */
export type Relation = KeyTerms & {
  readonly make: string;
  readonly deal: boolean;
  readonly keySource: KeySource | "none";
  readonly keyServer: string | null;
  readonly accessPoints: readonly KeyAccessPoint[];
  readonly appHosts: readonly string[];
  /** Issuer name -> its Ed25519 public key, SPKI in base64. */
  readonly keyIssuers: Readonly<Record<string, string>>;
  readonly feeMinor: bigint;
  readonly currency: string;
  readonly feeLevel: Level;
  readonly portionBasisPoints: number;
  /** How the manufacturer's portion is paid: at once by the payment system, or with others by a file that a bank takes. */
  readonly portionPaidBy: PortionPaidBy;
};

/** An operator as the conductor sees it: its policy and its relations, by lower-case make. */
export type OperatorTerms = {
  readonly operatorId: string;
  /** Its short name. */
  readonly operatorSlug: string;
  readonly operatorName: string;
  readonly kind: NetworkKind;
  /** Networks whose SIMs it issues, `MCC/MNC`. */
  readonly homePlmns: readonly string[];
  readonly policy: OrderPolicy;
  /** Which version of the policy it is: 0 is the shipped one. */
  readonly policyVersion: number;
  readonly relations: ReadonlyMap<string, Relation>;
  /** Its own access points, which come before every shipped one. */
  readonly accessPoints: readonly AccessPoint[];
  /** Its own Wi-Fi networks. */
  readonly wirelessNetworks?: readonly WirelessNetwork[];
  /** Its word about devices, above all data: by `imei:<hex of the blind index>`, `tac:<TAC>`, `model:<make/model>`. */
  readonly overrides: ReadonlyMap<string, SupportOverride>;
};

export const relationOf = (terms: OperatorTerms, make: string | null): Relation | undefined =>
  (make ? terms.relations.get(make.toLowerCase()) : undefined) ?? terms.relations.get("*");
