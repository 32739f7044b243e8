/** The handsets of the simulated world: which there are, what they are set up with, and what their users do. */
import type { AccessPointEntry } from "../../device/settings.ts";
import type { PacketGateway } from "../../sim/core/packet-gateway.ts";
import { APPLICATIONS, type ApplicationName } from "../../sim/handset/application-state.ts";
import type { createFleet } from "../../sim/handset/fleet.ts";
import type { FleetSighting, MobileOriginated, PhoneStatus } from "../../sim/handset/fleet-state.ts";
import { buildPhones } from "../../sim/handset/phones.ts";
import { WORLD } from "./world-facts.ts";
import type { Given } from "./world-given.ts";
import { CONTACT_NUMBERS } from "./world-messaging.ts";

/** Applications, each with how many phones of the fleet had a user who tried it. */
export type Tried = { readonly [Name in ApplicationName]: number };
/** Users who try every application: all of a fleet of so many, evenly spread over a larger one, so that its run is not doubled. */
const EAGER_USERS = 500;
export const PLMN = `${WORLD.network.mcc}-${WORLD.network.mnc}`;

export const triedIn = (phones: readonly Pick<PhoneStatus, "applications">[]): Tried => {
  const tried = { mms: 0, group_message: 0, video_call: 0 };
  for (const { applications } of phones)
    for (const name of APPLICATIONS) if (applications[name]) tried[name]++;
  return tried;
};

export function fleetOf(
  { options, turnup, onEvent, trusted }: Given,
  { host, port }: PacketGateway,
  submitMo: (sms: MobileOriginated) => Promise<void>,
): Parameters<typeof createFleet>[0] {
  const { models, phones: count, seed, keyServerMakes } = options;
  const { network, factoryApn } = WORLD;
  return {
    phones: buildPhones({ models, count, seed, network, factoryApn }),
    seed,
    plmn: PLMN,
    gateway: { host, port },
    publicKeyOf: (issuer) => trusted.get(issuer),
    onSighting: (sighting: FleetSighting) => turnup.sighting(sighting),
    submitMo,
    onEvent,
    makerHostOf: ({ make }) => (keyServerMakes.includes(make) ? WORLD.makerHost : WORLD.ownHost),
    applications: {
      used: APPLICATIONS,
      contacts: CONTACT_NUMBERS,
      eagerShare: Math.min(1, (options.eagerUsers ?? EAGER_USERS) / Math.max(1, count)),
    },
    openLink: (url, { make }) => turnup.openLink(url, make),
    manage: (post) => turnup.manage(post),
    ...(options.radio ? { radio: options.radio } : {}),
    ...(options.user ? { user: options.user } : {}),
  };
}

/** What a phone with the operator's settings has. */
export const operatorMms = (): AccessPointEntry => ({
  apn: WORLD.operatorApns.mms,
  uses: ["mms"],
  authType: "none",
  mmsc: `http://${WORLD.mmscHost}/mms`,
  proxy: WORLD.mmsProxy.host,
  port: WORLD.mmsProxy.port,
  hosts: [],
  origin: "settings",
});
