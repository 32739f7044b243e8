/**
 * The three modules of the provisioning kernel (US 6,647,260, figure 4:444: Registration, Services, Device Feature), as the rest
 * of the kernel knows them. Each can be replaced by another without the other two (`ConductorDeps.modules`); what the shipped
 * ones decide stands in `requested/begin.ts` with `registration/`, in `fulfilment/service.ts` and `fulfilment/feature.ts`. What a
 * module decides it writes through its turn's scribe alone, so that it is on disk with the rest of its transaction.
 */
import type { AccountFacts } from "../account/account-facts.ts";
import type { CatalogItem } from "../catalog/catalog-item.ts";
import type { Catalog, Expansion, LackOf } from "../catalog/expand.ts";
import type { OutboundCall } from "./outbound-call.ts";
import type { AnswerAir, DeviceOutcome, NewRequest } from "./request.ts";

/** Of the machine that was asked; each module knows those of its own calls. */
type Answer = { readonly kind: string };

/** What is looked at when a request comes in, and not again. */
export type ComingRequest = {
  readonly request: NewRequest;
  readonly items: readonly CatalogItem[];
  readonly facts: AccountFacts;
};

/** Coordinates a request: verifies its parts, and matches what is asked for with what can be had. */
export interface RegistrationModule<Turn> {
  match(
    catalog: Catalog,
    request: NewRequest,
    had: {
      readonly here: ReadonlySet<string>;
      /** Of that, what is there in an older version than the one on offer. */
      readonly outdated: ReadonlySet<string>;
      readonly all: ReadonlySet<string>;
      readonly hasClient: boolean;
      /** What the model is known to be without, of what an item needs. */
      readonly lackOf?: LackOf;
    },
  ): Expansion;
  /** Takes the order on from `received`: approved, rejected, or waiting for who was asked. */
  begin(turn: Turn, coming: ComingRequest): void;
  /** A body outside that it asked has answered. */
  answered(turn: Turn, call: OutboundCall<"identity_check" | "card_check">, answer: Answer): void;
}

/** Registers users at service servers, and brings what gives access to the device. */
export interface ServicesModule<Turn, Item> {
  register(turn: Turn, item: Item): void;
  isRegistered(turn: Turn, item: Item): boolean;
  /** Asked to end what nobody here knows of. */
  registrationUnknown(turn: Turn, item: Item): void;
  remove(turn: Turn, item: Item): void;
  /** The last of the network's elements has ended an item that is being removed. */
  elementsEnded(turn: Turn, item: Item): void;
  answered(turn: Turn, call: OutboundCall<"service_registration">, answer: Answer): void;
  /** @throws TurnupError `nothing_to_answer`, `field_unknown` */
  fieldsSupplied(turn: Turn, itemId: string, fields: Readonly<Record<string, string>>): void;
  accessDelivered(turn: Turn, item: Item, reason: string): void;
  accessLost(turn: Turn, item: Item, why: string): void;
  /** The software that the new version of a service needs is on the device: what gives access may go there too. */
  bringAccess(turn: Turn, item: Item): void;
  /** The new version is there: what its service server, or another one, holds of the version before is ended. */
  tookOver(turn: Turn, item: Item): void;
  /** Its item came to nothing: what the service server holds of it is ended, or put back where it was another version's. */
  takeBack(turn: Turn, item: Item): void;
  endRegistration(turn: Turn, item: Item, dueAt: Date): void;
}

/** Brings software, activations, parameters and security data onto the device, and believes the device alone. */
export interface DeviceFeatureModule<Turn, Item> {
  send(turn: Turn, item: Item): void;
  /** Content that is there to be fetched now. */
  hasContent(item: Item): boolean;
  fetched(turn: Turn, item: Item, octets: number, air: AnswerAir): void;
  /** It is more than the device's bearer carries, and was not sent. */
  heldBack(turn: Turn, item: Item, octets: number, air: AnswerAir): void;
  /** False where nothing changed by it. */
  reported(turn: Turn, itemId: string, outcome: DeviceOutcome, channel: string): boolean;
  /** @throws TurnupError `nothing_to_answer` */
  chosen(turn: Turn, itemId: string, choice: "retransmit" | "give_up", channel: string): void;
  /** @throws TurnupError `nothing_to_resend` */
  resend(turn: Turn, items: readonly Item[], actor: string): void;
}

/** `Turn` and `Item` are those of `turn.ts`, which itself knows of these ports. */
export type KernelModules<Turn, Item> = {
  readonly registration: RegistrationModule<Turn>;
  readonly services: ServicesModule<Turn, Item>;
  readonly features: DeviceFeatureModule<Turn, Item>;
};
