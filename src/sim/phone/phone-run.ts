/**
 * The phone runs its client module: leads events to it, does what its effects say, and sleeps until it wants the clock.
 */
import type { ClientEffect, ClientEvent } from "../../device/client-turn.ts";
import { DATA_CODING } from "../../wire/sms/text.ts";
import type { MobileOriginated } from "../handset/fleet-state.ts";
import { enrolKey } from "./phone-key.ts";
import { guarded, type PhoneState, type Running, tell } from "./phone-state.ts";

/** A timer never sleeps longer, so that a clock that was set is noticed. */
const MAX_SLEEP_MS = 60_000;

/** Lets the module decide, and does what it says. A cut of power ends all of it. */
export function feed(phone: PhoneState, on: Running, event: ClientEvent): void {
  if (phone.running !== on) return; // it was switched off meanwhile
  guarded(phone, () => {
    for (const effect of on.client.handle(event, phone.now())) act(phone, on, effect);
    sleep(phone, on);
    draw(phone, on);
  });
  phone.watch.changed();
}

function sleep(phone: PhoneState, on: Running): void {
  clearTimeout(on.timer);
  const at = on.client.nextClockAt();
  if (at === undefined || phone.running !== on) return;
  const sleepMs = Math.min(phone.options.sleepMsMax ?? MAX_SLEEP_MS, Math.max(0, at - phone.now().getTime()));
  on.timer = setTimeout(() => feed(phone, on, { kind: "clock" }), sleepMs);
}

function draw(phone: PhoneState, on: Running): void {
  const lines = on.client.lines();
  if (lines.join("\n") !== on.lines) tell(phone, { kind: "display", lines });
  on.lines = lines.join("\n");
}

function act(phone: PhoneState, on: Running, effect: ClientEffect): void {
  switch (effect.kind) {
    case "request":
      return start(phone, on, () => ask(phone, on, effect));
    case "sms":
      return start(phone, on, () => sendReply(phone, effect));
    case "enrol":
      return start(phone, on, () => enrolKey(phone, on));
    default:
      return tell(phone, effect);
  }
}

/** What runs beside; a phone that was switched off does not hear of its end. */
function start(phone: PhoneState, on: Running, action: () => Promise<ClientEvent>): void {
  on.open++;
  void action().then((event) => {
    on.open--;
    feed(phone, on, event);
  });
}

async function ask(
  phone: PhoneState,
  on: Running,
  { id, request }: Extract<ClientEffect, { kind: "request" }>,
): Promise<ClientEvent> {
  tell(phone, { kind: "request", method: request.method, path: request.path });
  const answer = await on.air.send(request);
  const status = answer.kind === "answer" ? answer.status : null;
  tell(phone, {
    kind: "answer",
    path: request.path,
    status,
    channel: answer.headers?.["turnup-channel"] ?? null,
  });
  return { kind: "answered", id, answer };
}

async function sendReply(
  phone: PhoneState,
  { id, to, bytes }: Extract<ClientEffect, { kind: "sms" }>,
): Promise<ClientEvent> {
  const isTaken = await taken(phone, {
    from: phone.options.msisdn,
    to,
    esmClass: 0,
    dataCoding: DATA_CODING.binary,
    udh: new Uint8Array(0),
    data: bytes,
  });
  return { kind: "sms_sent", id, isTaken };
}

async function taken(phone: PhoneState, sms: MobileOriginated): Promise<boolean> {
  if (phone.chance.is(phone.radio.smsLoss ?? 0)) return false;
  tell(phone, { kind: "sms_out", octets: sms.data.length });
  try {
    await phone.options.submitMo(sms);
    return true;
  } catch {
    return false; // the module sends it once more
  }
}
