/**
 * What can be asked for: features of the device, services of a service server, and packages of both (US 6,647,260,
 * columns 5 to 7). A version is a value that nobody edits; an order names the version it was made with.
 */

import type { HardwareNeeds } from "../devices/hardware.ts";

export const CATALOG_KINDS = ["package", "feature", "service"] as const;
export type CatalogKind = (typeof CATALOG_KINDS)[number];

/** A text by BCP 47 language; `en` is there always and stands in for languages that are not. */
export type Localized = Readonly<Record<string, string>>;

/**
 * In minor units of an ISO 4217 currency; null where the item has no price of its own: a package then costs what its members
 * do, and anything else nothing (`charges.ts`).
 */
export type Price = {
  readonly onceMinor: number;
  readonly monthlyMinor: number;
  readonly currency: string;
  /** For its use: so much for each message, MB, minute; rated by whoever bills the network's use. */
  readonly use?: readonly { readonly minor: number; readonly per: Localized }[];
  /** What the sums say of taxes, `incl. VAT`: shown beside them as it stands, and never reckoned with. */
  readonly tax?: Localized;
} | null;

/** How a feature comes onto the device, or that nothing needs to. */
export type FeatureContent =
  /** A software module, signed by who made it; the octets stand here (`sha256` in catalog_content) or at `url`. */
  | {
      readonly kind: "module";
      readonly module: string;
      readonly version: string;
      readonly sha256: string;
      readonly octets: number;
      readonly url: string | null;
    }
  /** Software that is on the device already and sleeps (R18). */
  | { readonly kind: "activation"; readonly module: string }
  /** Parameters for the device's own applications. */
  | { readonly kind: "parameters"; readonly values: Readonly<Record<string, string>> }
  /** The access points that the operator's settings name, as an OMA CP or Nokia document (the other road's). */
  | { readonly kind: "settings" }
  /** Network elements alone. */
  | { readonly kind: "none" };

/** A field that a service server asks for, beyond what an account has; or a feature, for the elements of the network and the device. */
export type NeededField = {
  readonly name: string;
  readonly label: Localized;
  readonly kind: "text" | "digits" | "phone" | "email" | "secret" | "date";
  readonly required: boolean;
};

/** Elements of the network that serve the device (R48). */
export const NETWORK_ELEMENTS = [
  "billing-plan",
  "voice-mail",
  "forwarding",
  "e-mail",
  "hlr-profile",
] as const;
export type NetworkElement = (typeof NETWORK_ELEMENTS)[number];

/** How sure we are who asks, strongest first. */
export const ASSURANCES = ["cert", "aka", "network", "link", "otp", "none"] as const;
export type Assurance = (typeof ASSURANCES)[number];
/** 0 is the strongest. */
const assuranceRank = (assurance: Assurance): number => ASSURANCES.indexOf(assurance);
export const isAssuredEnough = (given: Assurance, needed: Assurance): boolean =>
  assuranceRank(given) <= assuranceRank(needed);
export const weakerAssurance = (one: Assurance, other: Assurance): Assurance =>
  isAssuredEnough(one, other) ? other : one;

/** Provisioned, billed and agreed to at another server: nothing of it is done here. */
export const isElsewhere = ({ provisioningServer }: Pick<CatalogItem, "provisioningServer">): boolean =>
  provisioningServer !== null;

export type CatalogItem = {
  /** `a-z 0-9 -`, at most 63. */
  readonly id: string;
  readonly version: number;
  readonly kind: CatalogKind;
  readonly name: Localized;
  readonly description: Localized;
  readonly price: Price;
  /** Id of the terms that must be agreed to; null where none need be. */
  readonly terms: string | null;
  /** Ids of items that must be there, or asked for with it. */
  readonly needs: readonly string[];
  /** Ids of items that it cannot stand beside (R42). */
  readonly conflicts: readonly string[];
  /** Of a package: what it expands to. */
  readonly includes: readonly string[];
  /** Shown, but not to be had now (R41). */
  readonly available: boolean;
  /** Origin of the provisioning server that takes requests for it; null for this one (R6). */
  readonly provisioningServer: string | null;
  /** Of a feature. */
  readonly content: FeatureContent;
  /**
   * Of a feature: what whoever wants it gives with the request, such as the number that calls are forwarded to. Told to the
   * network's elements; a parameter whose value is `{name}` takes it onto the device. Left out: nothing is asked for.
   */
  readonly fields?: readonly NeededField[];
  /** Of a service: its server's URI (R43), the module that it needs on the device, what its registration asks for. */
  readonly service: {
    readonly uri: string;
    readonly module: FeatureContent | null;
    readonly fields: readonly NeededField[];
  } | null;
  readonly elements: readonly NetworkElement[];
  readonly requires: {
    readonly assurance: Assurance;
    /** A user who was not verified before is verified. */
    readonly verification: boolean;
    readonly card: boolean;
    /** A model that is known to be without is not sent it, nor offered it; one of which nobody knows is. */
  } & HardwareNeeds;
};

/** What keeps an item off the device in hand: see `lackOf` of `devices/hardware.ts`. */
export type { Lack } from "../devices/hardware.ts";
