/**
 * The older software of a phone beside its client module: it takes settings that are pushed or typed in, opens its data sessions with
 * them, and has the applications that use them. What the module leaves to others comes here; the rest is a handset of a fleet of one.
 */
import { APPLICATIONS, type ApplicationName } from "../handset/application-state.ts";
import { createFleet } from "../handset/fleet.ts";
import type { FleetEvent, FleetOptions } from "../handset/fleet-state.ts";
import type { PhoneEvent, PhoneOptions } from "./phone-state.ts";

/** Where such phones are: one network, and what their users do with it. */
export type OwnSoftwareSurroundings = Pick<FleetOptions, "gateway" | "plmn" | "openLink" | "callHostOf"> & {
  /** Whom their users write to. */
  readonly contacts: readonly string[];
  onEvent?(event: FleetEvent): void;
};
type OwnSoftwareOptions = Pick<PhoneOptions, "imei" | "imsi" | "msisdn" | "seed" | "submitMo"> & {
  readonly model: string;
  /** Applications that it claims to have; none is tried that it does not. */
  readonly applications: readonly ApplicationName[];
};
export type OwnSoftware = ReturnType<typeof createOwnSoftware>;

const TAC_DIGITS = 8;

export function createOwnSoftware(
  { imei, imsi, msisdn, seed, submitMo, model, applications }: OwnSoftwareOptions,
  { contacts, ...network }: OwnSoftwareSurroundings,
) {
  const tac = imei.slice(0, TAC_DIGITS);
  const capability = { opensBy: "itself", takes: ["omacp"] } as const;
  const fleet = createFleet({
    ...network,
    phones: [{ imei, imsi, msisdn, tac, make: "", model, factoryApn: "", capability, claims: applications }],
    settings: [], // it was sold without
    applications: { used: APPLICATIONS, contacts },
    seed,
    submitMo,
    publicKeyOf: () => undefined, // keys are the module's affair
    onSighting: () => undefined, // and sightings the network's
  });
  return {
    /** Takes what the module does not. */
    take(event: PhoneEvent): void {
      if (event.kind === "other_push") fleet.openPush(0, event);
      if (event.kind === "text") fleet.takeText(0, event.text);
    },
    applications: () => fleet.phones()[0]?.applications ?? {},
    idle: fleet.idle,
    close: fleet.close,
  };
}
