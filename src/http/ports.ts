/**
 * What the HTTP doors need from inside. The kernel's ports stand in the kernel; those below are only the doors' own
 * view of another room and are fulfilled in `app/`.
 */

import type { Changes } from "../kernel/account/changes.ts";
import type { Enrolments } from "../kernel/account/enrolment.ts";
import type { Erasure } from "../kernel/account/erasure.ts";
import type { OwnRecords } from "../kernel/account/own-records.ts";
import type { Acting } from "../kernel/account/person.ts";
import type { ProxyAccounts } from "../kernel/account/proxy-accounts.ts";
import type {
  AccessPoints,
  AuditLog,
  Datasets,
  ModelImports,
  Overrides,
  Pairings,
  Policies,
  Relations,
  Repeats,
  Tokens,
  WirelessNetworks,
} from "../kernel/account/registry.ts";
import type { SessionLimits, Sessions } from "../kernel/account/session.ts";
import type { TelephonePins } from "../kernel/account/telephone-pin.ts";
import type { CatalogStore } from "../kernel/catalog/catalog-store.ts";
import type { Surroundings } from "../kernel/catalog/check-catalog.ts";
import type { Peers } from "../kernel/catalog/peers.ts";
import type { SightingConflicts } from "../kernel/detection/conflict-view.ts";
import type { ImeiDoubts } from "../kernel/detection/doubts.ts";
import type { LiveSessions } from "../kernel/detection/live-session.ts";
import type { SaidSource } from "../kernel/detection/said-of-device.ts";
import type { Intake } from "../kernel/detection/sighting.ts";
import type { SourceView } from "../kernel/detection/source-view.ts";
import type { UnknownModel } from "../kernel/detection/unknown-model.ts";
import type { PortalPeople } from "../kernel/dialog/people.ts";
import type { EquipmentChecks, EquipmentLists } from "../kernel/equipment/equipment-lists.ts";
import type { SimLocks } from "../kernel/equipment/sim-locks.ts";
import type { EventFeed } from "../kernel/events/event-feed.ts";
import type { Approvals } from "../kernel/jobs/approval.ts";
import type { Imports } from "../kernel/jobs/imports.ts";
import type { Jobs } from "../kernel/jobs/job.ts";
import type { ModelProposals } from "../kernel/jobs/model-proposals.ts";
import type { KeyBatches } from "../kernel/keys/key-batches.ts";
import type { ManagedDevices } from "../kernel/management/exchange.ts";
import type { Relation } from "../kernel/operator/operator-terms.ts";
import type { OrderPolicy } from "../kernel/operator/policy.ts";
import type { Retention } from "../kernel/operator/retention.ts";
import type { Confirmations, OrderDesk, OrderReader, TextDesk } from "../kernel/order/order-reader.ts";
import type { Overviews } from "../kernel/order/overview.ts";
import type { RequestDesk } from "../kernel/order/request.ts";
import type { SelfCare } from "../kernel/order/self-care.ts";
import type { SettingsPages } from "../kernel/payload/settings-page.ts";
import type { RequestReader } from "../kernel/requested/request-reader.ts";
import type { AccessPoint, SettingsQuery } from "../kernel/settings/access-point.ts";
import type { Found } from "../kernel/settings/find-settings.ts";
import type { NetworkSuggestions, SimGroup } from "../kernel/settings/suggest.ts";
import type { TriedUse } from "../kernel/settings/try-out.ts";
import type { WirelessNetwork } from "../kernel/settings/wireless-network.ts";
import type { Collections } from "../kernel/settlement/collection.ts";
import type { CollectionReturns } from "../kernel/settlement/collection-return.ts";
import type { Creditors } from "../kernel/settlement/creditor.ts";
import type { Disputes, PaymentDesk, Statements } from "../kernel/settlement/payment-desk.ts";
import type { SupportReason, SupportVerdict } from "../kernel/support/decide-support.ts";
import type { FailedPolicyTest } from "../kernel/support/policy-tests.ts";
import type { Symptoms } from "../kernel/support/symptoms.ts";
import type { IssuerKey } from "../wire/message/issuer-key.ts";
import type { PortalDeps, PortalOperator } from "./d/ports.ts";

/** What is known of a device by its number, and the verdict with the rules that decided. */
export type DeviceDescription = {
  readonly imei: string;
  readonly tac: string;
  readonly make: string | null;
  readonly model: string | null;
  readonly modelCodes: readonly string[];
  readonly source: string | null;
  readonly dataVersion: string | null;
  readonly releasedYear: number | null;
  readonly ageWindow: { readonly from: number; readonly to: number } | null;
  readonly supportEnds: string | null;
  readonly verdict: SupportVerdict;
  /** Each rule that had a say and what it saw. */
  readonly reasons: readonly SupportReason[];
  /** Screen, bands, settings protocols and the like. */
  readonly facts: readonly DeviceFact[];
};

/** One fact of the catalog with where it comes from. */
type DeviceFact = {
  readonly name: string;
  readonly value: unknown;
  readonly source: string;
  readonly version: string;
};

/** What is known of devices, by the data of the operator and those that are shipped. */
interface DeviceDesk {
  /** @throws TurnupError of `parseImei` where the number is none of a sold device */
  describe(operatorId: string, imei: string): Promise<DeviceDescription>;
  /** Whether it is said of every model of a make that may take a device key that it runs one; `*` is every make. */
  runsKeys(operatorId: string, make: string): Promise<boolean>;
}

/** Models that ought to have rows in a dataset. */
interface UnknownModels {
  /** By TAC; `cursor` is the last TAC seen. */
  list(
    operatorId: string,
    page: { readonly limit: number; readonly cursor: string | undefined },
  ): Promise<{ readonly rows: readonly UnknownModel[]; readonly nextCursor: string | null }>;
}

/** What a SIM would get now. */
export type TriedSim = {
  readonly uses: readonly TriedUse[];
  /** What was not looked at before the SIM was taken for the network's own. */
  readonly unchecked: string | null;
  /** Null where it is in no handset that is known. */
  readonly device: {
    readonly make: string | null;
    readonly model: string | null;
    /** The form in which its model takes settings (docs/settings-formats.md). */
    readonly form: string | null;
    readonly protocol: string;
    /** Uses that the maker lets nobody set on the model. */
    readonly blockedUses: readonly string[];
  } | null;
};

/** Access points for whoever asks with a SIM and a device. */
interface SettingsDesk {
  /** For these SIMs, or for all networks of the operator. */
  suggest(operatorId: string, group: SimGroup | undefined): Promise<readonly NetworkSuggestions[]>;
  /** Undefined: there is no such SIM. A number alone is taken for a SIM that nobody saw yet. */
  tryOut(
    operatorId: string,
    sim: { readonly subscriberId: string } | { readonly imsi: string },
    imei: string | undefined,
  ): Promise<TriedSim | undefined>;
  /** The operator's own access points before the shipped ones. */
  find(operatorId: string, query: SettingsQuery): Promise<Found>;
}

/** The device's road (US 6,647,260) for those who ask for somebody else: staff, partners, the telephone menu. */
export type RequestDeps = {
  readonly desk: RequestDesk;
  readonly reader: RequestReader;
  readonly people: PortalPeople;
  /** Asked for on the telephone, beside the code by SMS. */
  readonly pins: TelephonePins;
  readonly selfCare: SelfCare;
  /** Undefined: no payment provider takes this operator's cards. */
  readonly cardsOf: PortalDeps["cardsOf"];
  /** The operator's own number of a subscriber's account; null takes it away. */
  readonly putAccountNumber: (given: {
    readonly operatorId: string;
    readonly subscriberId: string;
    readonly number: string | null;
  }) => Promise<void>;
  readonly operatorOf: (operatorId: string) => Promise<PortalOperator>;
  /** Who takes over from the telephone menu: "tel:+44..."; undefined: nobody. */
  readonly agentOf: (operatorId: string) => string | undefined;
  /** A voice platform that is known by its address, and whose callers it brings. */
  readonly voicePlatformAt?: (
    address: string,
  ) => Promise<{ readonly operatorId: string; readonly name: string } | undefined>;
  /** Of the public server, for links in SMS. */
  readonly publicUrl: () => string;
  readonly freshOctets: (octets: number) => Uint8Array;
  /** 32 octets, the same on every node: what stands in addresses of the telephone menu is sealed and signed with it. */
  readonly key: Uint8Array;
};

/** Who is paid, by which files, what banks and sides say of it. */
type SettlementDeps = {
  readonly creditors: Creditors;
  readonly payments: PaymentDesk;
  readonly disputes: Disputes;
  readonly statements: Statements;
  readonly collections: Collections;
  readonly returns: CollectionReturns;
};

/** Something without which the server must not be given work. */
export type ReadinessCheck = {
  readonly name: string;
  /** Resolves when it is well; rejects, or takes longer than a second, when it is not. */
  check(): Promise<void>;
};

/** Everything that the routes reach. */
export type HttpDeps = {
  readonly clock: () => Date;
  /** What handsets check our signatures with. */
  readonly issuer: IssuerKey;
  /** Goes on whatever is done to the time of day: for limits and for how long something is remembered. */
  readonly monotonicMs: () => number;
  /** Word of what changed, here and on other servers. */
  readonly changes: Changes;
  /** A new UUIDv7. */
  readonly newId: () => string;
  readonly tokens: Tokens;
  /** Of people in a browser, each for a token. */
  readonly sessions: Sessions;
  readonly sessionLimits: SessionLimits;
  readonly repeats: Repeats;
  readonly audit: AuditLog;
  readonly policies: Policies<OrderPolicy>;
  /** The tests that a policy carries, asked of the devices that they name. */
  readonly policyTests: {
    failing(operatorId: string, policy: OrderPolicy): Promise<readonly FailedPolicyTest[]>;
  };
  /** Verdicts of the past under another policy: a job, whose rows say which would be others and why. */
  readonly policyReplays: {
    /** Answers the job's id, which is that of the request: the same again asks for nothing. */
    ask(
      operatorId: string,
      asked: {
        readonly id: string;
        readonly since: Date;
        readonly policy: OrderPolicy;
        readonly fromVersion: number;
        readonly askedBy: Acting;
      },
    ): Promise<string>;
  };
  /** Another operator's list of TACs beside our verdicts: a job, whose rows say where they differ and why. Answers the job's id. */
  readonly policyComparisons: {
    ask(
      operatorId: string,
      asked: {
        /** As it was brought (`imports.bring`). */
        readonly fileId: string;
        readonly sha256: string;
        readonly fileName: string;
        readonly askedBy: Acting;
      },
    ): Promise<string>;
  };
  readonly retention: Retention;
  /** Everything that changes, for whoever wants to know of it. */
  readonly events: EventFeed;
  readonly erasure: Erasure;
  readonly relations: Relations<Relation>;
  readonly keyBatches: KeyBatches;
  readonly accessPoints: AccessPoints<AccessPoint>;
  readonly overrides: Overrides;
  readonly datasets: Datasets;
  readonly models: ModelImports;
  readonly wirelessNetworks: WirelessNetworks<WirelessNetwork>;
  readonly ownRecords: OwnRecords;
  /** Of devices, at the operator's proxies; those that this server knows now. */
  readonly proxyAccounts: ProxyAccounts & {
    readonly known: (operatorId: string) => Promise<readonly string[]>;
  };
  readonly pairings: Pairings;
  readonly intake: Intake;
  /** What takes longer than a request. */
  readonly jobs: Jobs;
  /** An operator's own data, as files. */
  readonly imports: Imports;
  /** Of handsets, whose status cores ask for. */
  readonly equipmentLists: EquipmentLists;
  readonly equipmentChecks: EquipmentChecks;
  /** Of SIMs to their devices. */
  readonly simLocks: SimLocks;
  /** What waits for a person to agree to it. */
  readonly approvals: Approvals;
  readonly orders: OrderReader;
  readonly overviews: Overviews;
  readonly orderDesk: OrderDesk;
  readonly confirmations: Confirmations;
  readonly symptoms: Symptoms;
  /** Data sessions that gateways told of, and what these are asked. */
  readonly dataSessions: LiveSessions;
  readonly texts: TextDesk;
  readonly devices: DeviceDesk;
  readonly unknownModels: UnknownModels;
  /** Rows about unknown models that wait for a person. */
  readonly modelProposals: ModelProposals;
  /** What the sources of sightings tell, and how they fare. */
  readonly sightingSources: SourceView;
  /** SIMs that two of them see in two handsets. */
  readonly sightingConflicts: SightingConflicts;
  /** Whether handsets are what their IMEIs say. */
  readonly imeiDoubts: ImeiDoubts;
  /** What a handset said of itself, as somebody who heard it tells; kept where the operator has seen the handset. */
  readonly heardOfDevice: (heard: {
    readonly operatorId: string;
    readonly device: { readonly imei: string };
    readonly source: SaidSource;
    readonly value: string;
    readonly at: Date;
  }) => void;
  readonly settings: SettingsDesk;
  readonly pages: SettingsPages;
  readonly managed: ManagedDevices;
  /** What signs configuration profiles now; without one they go out unsigned, and the page says so. */
  readonly profileSigner?: () => ((profile: Uint8Array) => Promise<Uint8Array>) | undefined;
  readonly catalog: CatalogStore;
  /** Other provisioning servers; none where none is named. */
  readonly peers?: Peers;
  readonly hasServer?: Surroundings["hasServer"];
  readonly requests: RequestDeps;
  readonly enrolments: Enrolments;
  readonly settlement: SettlementDeps;
  readonly readiness: readonly ReadinessCheck[];
  /** The message centres, by the names that measures give them, and whether each is bound. */
  readonly messageCentres?: () => readonly { readonly name: string; readonly bound: boolean }[];
  /** Machines of others that refuse our credentials now. */
  readonly refusals?: () => readonly { readonly machine: string; readonly since: Date }[];
};
