/** What the conductor needs from outside: everything that is not a decision comes in here. */
import type { KeyObject } from "node:crypto";
import type { CatalogStore } from "../catalog/catalog-store.ts";
import type { SettingsValues } from "../payload/settings-values.ts";
import type { ChangeSet } from "./change-set.ts";
import type { OperatorTerms } from "./operator-terms.ts";
import type { Verdict } from "./order.ts";
import type { OrderDraft, Subscriber } from "./order-draft.ts";
import type { OrderStore } from "./order-store.ts";
import type { Peers } from "./peers.ts";
import type { CutOffApplication } from "./symptoms.ts";

/** How settings reach a model: over the air in one of two protocols, or as a text with a link. */
export type SettingsProtocol = "omacp" | "nokiaota" | "link";

export type Judgement = {
  readonly make: string | null;
  readonly model: string | null;
  readonly verdict: Verdict;
  /** The rules that decided and what each saw; kept with the order as they are. */
  readonly reasons: unknown;
  readonly protocol: SettingsProtocol;
  /** Applications that the data says are cut off on this model. */
  readonly cutOff?: readonly CutOffApplication[];
  /** Whether a device key is sent to it: the data or the operator says that its client runs one, or it is tried. */
  readonly takesKey: boolean;
  /** It is said that its client runs one: a receipt for the key's message is a success. Else only its own report is. */
  readonly isKeyKnown: boolean;
  /** Of a model that gets none: why. */
  readonly whyNoKey?: string;
};

/** What is sent to this subscriber, or why nothing may be. */
export type SettingsChoice =
  | {
      readonly kind: "chosen";
      readonly values: SettingsValues;
      readonly confirmed: boolean;
      readonly source: string;
      /** Uses for which nothing is sent, each with the reason. */
      readonly withheld?: Readonly<Record<string, string>>;
      /** What was not looked at before the SIM was taken for the network's own. */
      readonly unchecked?: string;
    }
  | {
      readonly kind: "refused";
      /** Stable; docs/operations.md lists every one. */
      readonly code: string;
      readonly reason: string;
      readonly nextAction?: string;
    };

export type ConductorDeps = {
  readonly store: OrderStore;
  /** A new UUIDv7. */
  readonly newId: () => string;
  readonly clock: () => Date;
  /** How far the clock of whoever confirms may differ (`detection/clock-tolerance.ts`). */
  readonly clockToleranceMs?: number | undefined;
  readonly randomBytes: (octets: number) => Uint8Array;
  readonly judge: (
    order: Pick<OrderDraft, "id">,
    subject: Subscriber,
    terms: OperatorTerms,
    asOf: Date,
  ) => Judgement;
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
  /** The address of a page with settings. */
  readonly linkUrl: (token: string) => string;
  /** Octets of a module that another server keeps (row 40); rejects where it cannot be had. */
  readonly fetchModule: (url: string) => Promise<Uint8Array>;
  /** The address of the screen of a request, and of what an offer names. */
  readonly requestUrl: (reference: string) => string;
  readonly offerUrl: (token: string) => string;
  /** Other provisioning servers; none where none is named. */
  readonly peers?: Peers;
  /** `host:port` of this server's door for proxies, as devices address it; null where it has none. */
  readonly landName?: () => string | null;
};
