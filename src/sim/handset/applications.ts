/**
 * The applications of a phone as its user uses them: each is tried when the phone is switched on, and again whenever a new road
 * came, until it works.
 */
import { routeTo } from "../../device/settings.ts";
import type { ApplicationName, Outcome } from "./application-state.ts";
import type { FleetState, Phone } from "./fleet-state.ts";
import { fetchWaiting, sendMessage } from "./mms-application.ts";
import { makerServerOf, mmscOf, note } from "./roads.ts";
import { callVideo } from "./video-application.ts";

/** Tries what does not work yet, where the road is another one than last time; one run after the other. */
export function useApplications(fleet: FleetState, phone: Phone): Promise<void> {
  phone.using = phone.using.then(() => tryAll(fleet, phone)).catch(() => void fleet.counts.faults++);
  return phone.using;
}

async function tryAll(fleet: FleetState, phone: Phone): Promise<void> {
  await fetchWaiting(fleet, phone);
  for (const application of fleet.options.applications?.used ?? []) {
    if (fleet.closed) return;
    const server = serverOf(fleet, phone, application);
    if (server === undefined) continue;
    const apn = routeTo(phone.state.settings, server, "mms")?.apn ?? null;
    const known = phone.status.applications[application];
    if (known?.server === server && (known.now !== "fails" || known.apn === apn)) continue;
    const outcome = await tryOne(fleet, phone, application, server);
    note(fleet, phone, application, { outcome, server, apn });
  }
}

/** Messages go to the centre of the settings that came last, a video call to the maker's own server. */
function serverOf(fleet: FleetState, phone: Phone, application: ApplicationName): string | undefined {
  if (application === "video_call") return makerServerOf(fleet, phone);
  const url = mmscOf(fleet, phone);
  return url === undefined ? undefined : new URL(url).hostname;
}

async function tryOne(
  fleet: FleetState,
  phone: Phone,
  application: ApplicationName,
  server: string,
): Promise<Outcome> {
  if (application === "video_call") return (await callVideo(fleet, phone, server)) ? "works" : "fails";
  const own = phone.status.spec.msisdn;
  const contacts = fleet.options.applications?.contacts ?? [];
  const to = application === "mms" ? [own] : contacts;
  const sent = await sendMessage(fleet, phone, { to, text: `hello from ${phone.status.spec.model}` });
  if (sent.kind !== "sent") return "fails";
  // Its own message may have come back before the answer was read.
  return application === "mms" ? "sent" : "works";
}
