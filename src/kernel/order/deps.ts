/** What the conductor needs from outside: everything that is not a decision comes in here. */
import type { KeyObject } from "node:crypto";
import type { CatalogItem, Lack } from "../catalog/catalog-item.ts";
import type { CatalogStore } from "../catalog/catalog-store.ts";
import type { Peers } from "../catalog/peers.ts";
import type { OperatorTerms } from "../operator/operator-terms.ts";
import type { SettingsChoice } from "../operator/settings-choice.ts";
import type { Judgement } from "../support/judge.ts";
import type { ChangeSet } from "./change-set.ts";
import type { KernelModules } from "./kernel-modules.ts";
import type { OrderDraft, Subscriber } from "./order-draft.ts";
import type { OrderStore } from "./order-store.ts";

export type ConductorDeps = {
  readonly store: OrderStore;
  /** A new UUIDv7. */
  readonly newId: () => string;
  readonly clock: () => Date;
  /** How far the clock of whoever confirms may differ (`detection/clock-tolerance.ts`). */
  readonly clockToleranceMs?: number | undefined;
  readonly randomBytes: (octets: number) => Uint8Array;
  readonly judge: (
    order: Pick<OrderDraft, "id" | "servingPlmn">,
    subject: Subscriber,
    terms: OperatorTerms,
    asOf: Date,
  ) => Judgement;
  /** What of an item's needs the model is without, by the lists that hold for the operator; absent: nothing is known of models. */
  readonly lackOf?: (operatorId: string, tac: string, requires: CatalogItem["requires"]) => Lack | undefined;
  readonly chooseSettings: (subject: Subscriber, terms: OperatorTerms) => SettingsChoice;
  /** Signs keys of the own store. */
  readonly ownIssuer: {
    readonly name: string;
    readonly privateKey: KeyObject;
    readonly publicKey: KeyObject;
  };
  readonly catalog: Pick<CatalogStore, "catalogWith" | "currentTerms" | "content">;
  /** Called after a change set is on disk, so that whoever sends or calls need not poll for it. */
  readonly onWritten: (written: ChangeSet) => void;
  /** ISO 3166 country of a mobile country code, by the lists that hold for the operator; absent: no list of networks is at hand. */
  readonly countryOf?: (mcc: string, operatorId: string | undefined) => string | null;
  /** The address of a page with settings. */
  readonly linkUrl: (token: string) => string;
  /** The address at which a device opens its management sessions. */
  readonly managementUrl: (token: string) => string;
  /** Octets of a module that another server keeps (R40); rejects where it cannot be had. */
  readonly fetchModule: (url: string) => Promise<Uint8Array>;
  /** The address of the screen of a request, and of what an offer names. */
  readonly requestUrl: (reference: string) => string;
  readonly offerUrl: (token: string) => string;
  /** Other provisioning servers; none where none is named. */
  readonly peers?: Peers;
  /** `host:port` of this server's door for proxies, as devices address it; null where it has none. */
  readonly landName?: () => string | null;
  /** Modules of the kernel other than the shipped ones, each for itself. */
  readonly modules?: Partial<KernelModules<unknown, unknown>>;
};
