/** What the portal's screens need from inside. */
import type { CardDoor } from "../../kernel/account/card.ts";
import type { AuditLog, Policies, Repeats } from "../../kernel/account/registry.ts";
import type { TelephonePins } from "../../kernel/account/telephone-pin.ts";
import type { CatalogStore } from "../../kernel/catalog/catalog-store.ts";
import type { Peers } from "../../kernel/catalog/peers.ts";
import type { PortalPeople } from "../../kernel/dialog/people.ts";
import type { OrderPolicy } from "../../kernel/operator/policy.ts";
import type { TextDesk } from "../../kernel/order/order-reader.ts";
import type { RequestDesk } from "../../kernel/order/request.ts";
import type { SelfCare } from "../../kernel/order/self-care.ts";
import type { GatewayRule } from "../../proxy/gateway-identity.ts";
import type { DeviceCapabilities } from "../../wire/screen/choose.ts";
import type { PortalLimits } from "../limits.ts";

/** Whose portal it is, and where its users find people. */
export type PortalOperator = {
  readonly id: string;
  readonly name: string;
  /** ISO 3166-1 alpha-2 of its home network: people write their numbers as it does. */
  readonly country?: string | null;
  /** Where people call, or look, for help: it is there before anything is provisioned (R23). */
  readonly care: { readonly phone: string | null; readonly url: string | null };
};

/** Everything that the portal's screens reach. */
export type PortalDeps = {
  /** What a model shows, where the data has it. */
  displayOf?(operatorId: string, imei: string): string | null;
  /** Whether a device is refused although its proxy let it through: it is blocked, or closed and the proxy does not know. */
  isShutOut?(operatorId: string, imei: string, proxy: string): Promise<boolean>;
  readonly clock: () => Date;
  /** Goes on whatever is done to the time of day: for limits and kept screens. */
  readonly monotonicMs: () => number;
  readonly freshOctets: (octets: number) => Uint8Array;
  /** 32 octets, the same on every node of one server: signs sessions and states. */
  readonly key: Uint8Array;
  /** Whose portal a proxy, or a host name of the public server, belongs to. */
  operatorAt(
    place: { readonly proxy: string } | { readonly host: string },
  ): Promise<PortalOperator | undefined>;
  readonly catalog: Pick<CatalogStore, "currentCatalog" | "currentTerms">;
  readonly policies: Pick<Policies<OrderPolicy>, "current">;
  /** Other provisioning servers; none where none is named. */
  readonly peers?: Peers;
  readonly desk: RequestDesk;
  readonly people: PortalPeople;
  /** What subscribers do about their own orders without a person (R124). */
  readonly selfCare: SelfCare;
  /** Of the telephone menu, chosen here. */
  readonly pins: TelephonePins;
  readonly audit: Pick<AuditLog, "record">;
  readonly repeats: Pick<Repeats, "begin" | "finish" | "abandon">;
  /** Undefined: no payment provider is there, and what needs a card cannot be ordered. */
  readonly cardsOf: (operatorId: string) => CardDoor | undefined;
  readonly texts: Pick<TextDesk, "send">;
  /** Of the public server, for links in SMS. */
  readonly publicUrl: () => string;
  /** The operator's own WAP gateways in front of the public server: their headers, and nobody else's, name the line. */
  readonly gateways: readonly GatewayRule[];
  /** Unless given, as shipped. */
  readonly limits?: PortalLimits;
  /** What a model can show, where it is known. */
  readonly capabilitiesOf?: (tac: string) => DeviceCapabilities | undefined;
  /** Which screen a subscriber saw last: for E-CARE. */
  readonly onShown?: (seen: {
    readonly operatorId: string;
    readonly subscriberId: string;
    readonly screen: string;
    readonly at: Date;
  }) => void;
  /** A failure that the visitor is told nothing about; never an identifier in it. */
  readonly onFault: (name: string, error: unknown) => void;
};
