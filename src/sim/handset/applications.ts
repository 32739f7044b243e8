/**
 * The applications of a phone as its user uses them: each is tried when the phone is switched on, and again whenever a new road
 * came, until it works.
 */
import { routeTo } from "../../device/settings.ts";
import type { ApplicationName, ApplicationState, Outcome } from "./application-state.ts";
import type { FleetState, Phone } from "./fleet-state.ts";
import { fetchWaiting, sendMessage } from "./mms-application.ts";
import { callServerOf, mmscOf, note } from "./roads.ts";
import { callVideo } from "./video-application.ts";

/** Users who try their applications at one time: a whole city that calls at once would be answered by nobody in time. */
const AT_ONCE = 24;

/** Tries what does not work yet, where the road is another one than last time; one run after the other. */
export function useApplications(fleet: FleetState, phone: Phone): Promise<void> {
  phone.using = phone.using
    .then(() => inTurn(fleet, () => tryAll(fleet, phone)))
    .catch(() => void fleet.counts.faults++);
  return phone.using;
}

async function inTurn(fleet: FleetState, work: () => Promise<void>): Promise<void> {
  if (fleet.users.busy >= AT_ONCE) await new Promise<void>((next) => fleet.users.waiting.push(next));
  else fleet.users.busy++;
  try {
    await work();
  } finally {
    const next = fleet.users.waiting.shift(); // who takes the place
    if (next) next();
    else fleet.users.busy--;
  }
}

async function tryAll(fleet: FleetState, phone: Phone): Promise<void> {
  await fetchWaiting(fleet, phone);
  for (const application of phone.uses) {
    if (fleet.closed) return;
    const server = serverOf(fleet, phone, application);
    if (server === undefined) continue;
    const use = application === "video_call" ? "internet" : "mms";
    const apn = routeTo(phone.state.settings, server, use)?.apn ?? null;
    const known = phone.status.applications[application];
    if (known && !isWorthTrying(phone, application, known, { server, apn })) continue;
    const outcome = await tryOne(fleet, phone, application, server);
    note(fleet, phone, application, { outcome, server, apn });
  }
}

/** An eager user sends by each centre that the phone is told of, so that each is seen to take it; else until it works. */
function isWorthTrying(
  { isEager }: Phone,
  application: ApplicationName,
  known: ApplicationState,
  { server, apn }: { readonly server: string; readonly apn: string | null },
): boolean {
  if (known.now === "fails") return known.server !== server || known.apn !== apn;
  return isEager && application === "mms" && known.server !== server;
}

/** Messages go to the centre of the settings that came last, a video call to the server that takes them. */
function serverOf(fleet: FleetState, phone: Phone, application: ApplicationName): string | undefined {
  if (application === "video_call") return callServerOf(fleet, phone);
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
