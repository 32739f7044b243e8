/**
 * The phone's own key and certificate, and its way to the proxy by them: the factory's until the phone enrolled, renewed in time.
 */

import { type Enrolment, enrol, isDueForRenewal, renew } from "../../client/enrolment.ts";
import type { Credential } from "../../client/link.ts";
import type { ClientEvent } from "../../device/client-turn.ts";
import { type DeviceStore, readJson } from "../../device/store.ts";
import { type Air, openAir } from "./air.ts";
import { guarded, type PhoneState, type Running, tell } from "./phone-state.ts";

const CREDENTIAL = "credential";
/** For a phone whose maker stored no address: nothing answers there. */
const NOWHERE = "https://none.invalid";

export function airWith({ options, chance, radio }: PhoneState, credential: Credential | null): Air {
  const { proxyUri, proxyAuthority, gatewayHeaders } = options;
  return openAir({
    proxy: proxyUri !== null && URL.canParse(proxyUri) ? proxyUri : NOWHERE,
    credential,
    chance,
    radio,
    ...(proxyAuthority === undefined ? {} : { authority: proxyAuthority }),
    ...(gatewayHeaders && { gatewayHeaders }),
  });
}

/** What the phone enrolled; undefined where it never did. */
export const enrolledIn = (store: DeviceStore): Credential | undefined =>
  readJson<Credential>(store, CREDENTIAL);

export async function enrolKey(phone: PhoneState, on: Running): Promise<ClientEvent> {
  const { imei, enrolmentToken: token } = phone.options;
  const isKept = keepKey(phone, on, await enrol(on.air, { imei, ...(token && { token }) }));
  return isKept
    ? { kind: "enrolled", reference: CREDENTIAL }
    : { kind: "enrolment_failed", cause: "no certificate came" };
}

/** The new certificate is on the medium before it is used; the proxy takes the old one until then. */
function keepKey(phone: PhoneState, on: Running, outcome: Enrolment): boolean {
  if (outcome.kind === "failed" || phone.running !== on) {
    const cause = outcome.kind === "failed" ? outcome.cause : "switched off";
    tell(phone, { kind: "enrolment_failed", cause });
    return false;
  }
  let isKept = false;
  guarded(phone, () => {
    on.store.commit({ [CREDENTIAL]: new TextEncoder().encode(JSON.stringify(outcome.credential)) });
    on.air.leave();
    on.air = airWith(phone, outcome.credential);
    isKept = true;
    tell(phone, { kind: "enrolled" });
  });
  return isKept;
}

/** Beside all else, at each start. */
export function renewInTime(phone: PhoneState, on: Running, credential: Credential): void {
  if (!isDueForRenewal(credential, phone.now())) return;
  on.open++;
  void renew(on.air, credential).then((outcome) => {
    on.open--;
    keepKey(phone, on, outcome);
    phone.watch.changed();
  });
}
