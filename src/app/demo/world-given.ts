/** What the parties of the simulated world are started with, and to whom its messages go. */
import type { KeyObject } from "node:crypto";
import type { Fleet } from "../../sim/handset/fleet.ts";
import type { FleetEvent } from "../../sim/handset/fleet-state.ts";
import type { DeviceWorld } from "./device-world.ts";
import type { WorldOptions } from "./world-options.ts";
import type { Reporter } from "./world-reporter.ts";

/** What each party is started with. */
export type Given = {
  readonly options: WorldOptions;
  readonly turnup: Reporter;
  readonly onEvent: (event: FleetEvent) => void;
  readonly onFault: (error: unknown) => void;
  /** Whose keys handsets run: issuer -> Ed25519 public key. */
  readonly trusted: Map<string, KeyObject>;
};

/** To whom an SMS goes. The message centre is there before them. */
export type Handsets = {
  fleet: Fleet | undefined;
  road: DeviceWorld | undefined;
  contacts: Fleet | undefined;
  /** The subscriber register: IMSI -> number. */
  readonly numbers: Map<string, string>;
};
