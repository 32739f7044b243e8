/**
 * One phone of the fleet: attaches, does what its client says, answers for its user, and connects through the packet gateway on the
 * access points that its own settings name.
 */
import type { HandsetEffect, Step } from "../../device/client.ts";
import { type AccessPointEntry, routeTo } from "../../device/settings.ts";
import { useApplications } from "./applications.ts";
import { type FleetState, type Phone, start } from "./fleet-state.ts";
import { takeAccount } from "./management/take-account.ts";
import { ask } from "./roads.ts";

const CONNECT_TRIES = 3;
const CONNECT_RETRY_MS = 200;
const REPORT_TRIES = 5;
const REPORT_RETRY_MS = 200;
const EIGHT_BIT = 0x04;

/** Switches a phone on: it opens its old session, its application tries the manufacturer, the network sees it. */
export async function attach(fleet: FleetState, index: number): Promise<void> {
  const phone = fleet.phones[index];
  if (!phone || fleet.closed) return;
  const { spec } = phone.status;
  phone.status.attached = true;
  const host = fleet.options.makerHostOf?.(spec);
  if (host !== undefined) {
    phone.status.before = (await isReached(fleet, phone, host)) ? "alive" : "dead";
    phone.status.now = phone.status.before;
  }
  fleet.onEvent({ kind: "attached", phone: phone.status, before: phone.status.before });
  sight(fleet, phone);
}

export function sight(fleet: FleetState, { status: { spec } }: Phone): void {
  const { imei, imsi, msisdn } = spec;
  fleet.options.onSighting({
    imei,
    imsi,
    msisdn,
    plmn: fleet.options.plmn,
    seenAt: fleet.now(),
    source: "simulator",
  });
}

/** Whether its application for messages reaches the manufacturer: by a message of its own, or by a touch where it sends none. */
async function isReached(fleet: FleetState, phone: Phone, host: string): Promise<boolean> {
  if (fleet.options.applications) {
    await useApplications(fleet, phone);
    return phone.status.applications.mms?.now !== "fails";
  }
  const touch = { application: "mms", method: "GET", url: `http://${host}/` } as const;
  const asked = await ask(fleet, phone, touch);
  return asked.kind === "answered" && asked.answer.status < 500; // the session stays open, as a phone's first one does
}

/** Takes the client's new state and does what its effects say. */
export function act(fleet: FleetState, phone: Phone, { state, effects }: Step): void {
  phone.state = state;
  phone.status.waitsForUser = state.prompts.length;
  for (const effect of effects) {
    note(phone, effect);
    fleet.onEvent({ ...effect, phone: phone.status });
    switch (effect.kind) {
      case "prompt":
        start(fleet, () => answerPrompt(fleet, phone, effect.promptId, effect.needs));
        break;
      case "report":
        start(fleet, () => report(fleet, phone, effect));
        break;
      case "connect":
        start(fleet, () => connect(fleet, phone, effect));
        break;
      case "applied":
        if (effect.what === "settings") {
          if (effect.account) takeAccount(fleet, phone, effect.account);
          start(fleet, () => goOnline(fleet, phone, effect.entries));
        }
        break;
      case "repeated":
        if (effect.what === "settings") start(fleet, () => goOnline(fleet, phone, givenTo(phone)));
        break;
    }
  }
}

function note({ status }: Phone, effect: HandsetEffect): void {
  if (effect.kind === "applied" && effect.what === "key") status.keyOpened = true;
  if (effect.kind === "applied" && effect.what === "settings") status.settingsApplied++;
  if (effect.kind === "deleted") status.keyDeleted = true;
  if (effect.kind === "refused") status.refused = [...status.refused, effect.cause];
}

/** The user: reads the PIN from the last text that holds one, says yes, or no as often as the options say. */
export async function answerPrompt(
  fleet: FleetState,
  phone: Phone,
  promptId: number,
  needs: "consent" | "pin",
): Promise<void> {
  await fleet.pauses.pause(userDelayMs(fleet));
  const accepted = !fleet.chance.is(fleet.options.user?.declines ?? 0);
  const pin = needs === "pin" && accepted ? pinIn(phone.texts) : undefined;
  if (needs === "pin" && accepted && pin === undefined) {
    phone.pinless.push(promptId);
    return;
  }
  const at = fleet.now();
  act(
    fleet,
    phone,
    phone.client.answer(phone.state, { promptId, accepted, at, ...(pin === undefined ? {} : { pin }) }),
  );
}

async function report(
  fleet: FleetState,
  phone: Phone,
  { to, bytes }: Extract<HandsetEffect, { kind: "report" }>,
): Promise<void> {
  const { msisdn } = phone.status.spec;
  const sms = { from: msisdn, to, esmClass: 0, dataCoding: EIGHT_BIT, udh: new Uint8Array(0), data: bytes };
  for (let attempt = 1; attempt <= REPORT_TRIES; attempt++) {
    try {
      return await fleet.options.submitMo(sms);
    } catch {
      await fleet.pauses.pause(REPORT_RETRY_MS * attempt);
    }
  }
  fleet.counts.lostReports++;
}

/** The application with its new road: opens a session on the key's access point and shows the key's proof. */
async function connect(
  fleet: FleetState,
  phone: Phone,
  effect: Extract<HandsetEffect, { kind: "connect" }>,
): Promise<void> {
  const host = effect.host.replace(/:\d+$/, "");
  const isHost = /^[A-Za-z0-9.-]+$/.test(host); // it goes into a request line
  const post = {
    keyId: effect.keyId,
    proof: Buffer.from(effect.proof).toString("base64"),
    application: "mms",
  };
  for (let attempt = 1; attempt <= CONNECT_TRIES && isHost && !fleet.closed; attempt++) {
    const point = routeTo(phone.state.settings, host, "mms");
    const opened = point && (await fleet.network.open(phone.status.spec, point));
    if (point && opened?.kind === "open") {
      const { status } = await fleet.network.sendLast(opened.session, "POST", `http://${host}/m`, post);
      if (status === 200) return arrived(fleet, phone, effect.keyId, host, point.apn);
    }
    if (attempt < CONNECT_TRIES) await fleet.pauses.pause(CONNECT_RETRY_MS * attempt);
  }
  phone.status.now = "dead";
  const apn = routeTo(phone.state.settings, host, "mms")?.apn ?? "none";
  fleet.onEvent({ kind: "connect_failed", phone: phone.status, host, apn });
}

function arrived(fleet: FleetState, phone: Phone, keyId: string, host: string, apn: string): void {
  phone.status.now = "alive";
  fleet.onEvent({ kind: "works", phone: phone.status, host, apn });
  act(fleet, phone, phone.client.connected(phone.state, { keyId, reached: true, at: fleet.now() }));
  start(fleet, () => useApplications(fleet, phone));
}

const givenTo = (phone: Phone): readonly AccessPointEntry[] =>
  phone.state.settings.accessPoints.filter(({ origin }) => origin === "settings");

/** After new settings a phone opens its data session anew, and its applications use each access point that they were given. */
export async function goOnline(
  fleet: FleetState,
  phone: Phone,
  given: readonly AccessPointEntry[],
): Promise<void> {
  for (const point of given) {
    if (fleet.closed) return;
    const opened = await fleet.network.open(phone.status.spec, point);
    if (opened.kind === "open") phone.sessions.set(point.apn, Promise.resolve(opened.session));
    fleet.onEvent({
      kind: opened.kind === "open" ? "online" : "offline",
      phone: phone.status,
      apn: point.apn,
    });
  }
  await useApplications(fleet, phone);
}

export function userDelayMs(fleet: FleetState): number {
  const [least, most] = fleet.options.user?.delayMs ?? [0, 0];
  return fleet.chance.between(least, most);
}

/** The last run of 4 to 8 digits that stands alone in the newest text that has one. */
function pinIn(texts: readonly string[]): string | undefined {
  for (const text of [...texts].reverse()) {
    const pins = text.match(/(?<!\d)\d{4,8}(?!\d)/g);
    if (pins) return pins.at(-1);
  }
  return undefined;
}
