/** What a simulated world is made of, and where it finds the server. */
import type { BankFaults } from "../../sim/bank/bank.ts";
import type { AccountingServer } from "../../sim/core/radius-accounting.ts";
import type { FleetOptions } from "../../sim/handset/fleet-state.ts";
import type { HandsetModel } from "../../sim/handset/phones.ts";
import type { SmscOptions } from "../../sim/smsc/smsc.ts";
import type { DeviceWorldServer } from "./device-world.ts";

export type WorldOptions = {
  readonly folder: string;
  readonly phones: number;
  readonly seed: number;
  readonly models: readonly HandsetModel[];
  /** Makes whose keys the manufacturer's server issues; the others' keys come from the operator's own store. */
  readonly keyServerMakes: readonly string[];
  readonly smscPassword: string;
  readonly bankSecret: string;
  readonly faults?: SmscOptions["faults"];
  readonly radio?: { readonly loss?: number; readonly duplicates?: number; readonly reorderMs?: number };
  readonly user?: NonNullable<FleetOptions["user"]>;
  readonly bankFaults?: BankFaults;
  /** Sees every message that the centre took. */
  readonly onAccepted?: NonNullable<SmscOptions["onAccepted"]>;
  /** Wait before an absent handset is tried again. */
  readonly smscRetryMs?: number;
  /** A second message centre, with the same account and the same handsets behind it. */
  readonly secondCentre?: boolean;
  /** How many phones of the fleet, one of each model at least, have a user who tries all applications; the others send one message. */
  readonly eagerUsers?: number;
  /** Phones with the client module that ask by themselves, and what stands around their road; none without it. */
  readonly newPhones?: number;
};

/** Where the world tells what it sees, and with which tokens. */
export type TurnupAddress = {
  readonly url: string;
  readonly probeToken: string;
  readonly makerToken: string;
  /** Issuers of the operator's own keys that handsets trust besides the maker. */
  readonly trusted: readonly { readonly name: string; readonly spki: string }[];
  /** Its door for proxies. */
  readonly land?: DeviceWorldServer;
  /** Its door for RADIUS accounting; without it the packet gateway tells of sessions by the API. */
  readonly radius?: AccountingServer;
};
