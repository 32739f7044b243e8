/**
 * A fleet of software handsets on a simulated network. Each attaches (and is seen), gets SMS from the message centre,
 * opens what its client lets it open, with a user where the model wants one, and then really connects: through the
 * packet gateway, on the access point that its own settings name. What a phone did is told as events.
 *
 * One reassembler and one pool of connections serve the whole fleet; a phone itself is a small state and a number.
 */

import type { AccessPointEntry } from "../../device/settings.ts";
import { onMessage, openPush, takeText } from "./fleet-inbox.ts";
import { attach, goOnline, sight } from "./fleet-phone.ts";
import {
  clientOf,
  type FleetOptions,
  type FleetState,
  type IncomingSms,
  newFleet,
  type Phone,
  type PhoneStatus,
  start,
} from "./fleet-state.ts";

import { type OutgoingMessage, type SendOutcome, sendMessage } from "./mms-application.ts";

/** Phones that are switched on together, at high rates. */
const TURN_MS = 20;

export type Fleet = ReturnType<typeof createFleet>;

export function createFleet(options: FleetOptions) {
  const fleet = newFleet(options);
  return {
    onMessage: (sms: IncomingSms) => onMessage(fleet, sms),
    /** A push, and a text, that the phone's other software put together and leaves to this one. */
    openPush: (index: number, push: { readonly from: string; readonly bytes: Uint8Array }): void =>
      openPush(fleet, phoneAt(fleet, index), push),
    takeText: (index: number, text: string): void => takeText(fleet, phoneAt(fleet, index), text),
    /** Switches one phone on. */
    attach: (index: number): Promise<void> => attach(fleet, index),
    /** Switches all phones on, `perSecond` of them a second. */
    attachAll: ({ perSecond }: { readonly perSecond: number }): Promise<void> => attachAll(fleet, perSecond),
    /** Puts the SIM of one phone into another: the SIMs change places, and the network sees both. */
    swapSims: (one: number, other: number): void => swapSims(fleet, one, other),
    /** Its user writes a multimedia message; resolves when the centre has answered, or nobody did. */
    sendMessage: async (index: number, message: OutgoingMessage): Promise<SendOutcome> =>
      sendMessage(fleet, phoneAt(fleet, index), message),
    /** Its user sets it up anew by hand: these access points, and none of those before. */
    setUp(index: number, accessPoints: readonly AccessPointEntry[]): void {
      const phone = phoneAt(fleet, index);
      phone.state = { ...phone.state, settings: { accessPoints } };
      phone.sessions.clear();
      start(fleet, () => goOnline(fleet, phone, accessPoints));
    },
    /** Whether a number is one of theirs. */
    has: (msisdn: string): boolean => fleet.byMsisdn.has(msisdn),
    phones: (): readonly PhoneStatus[] => fleet.phones.map(({ status }) => status),
    /** Resolves when no phone does anything; users who wait for a text are not counted. */
    idle: (): Promise<void> =>
      fleet.busy === 0 ? Promise.resolve() : new Promise((resolve) => fleet.idlers.push(resolve)),
    counts: () => ({ ...fleet.counts, busy: fleet.busy, unfinishedMessages: fleet.reassembler.pending }),
    close(): void {
      fleet.closed = true;
      fleet.pauses.end();
      fleet.network.end();
    },
  };
}

function phoneAt(fleet: FleetState, index: number): Phone {
  const phone = fleet.phones[index];
  if (!phone) throw new RangeError("no such phone");
  return phone;
}

async function attachAll(fleet: FleetState, perSecond: number): Promise<void> {
  const { phones } = fleet;
  const everyMs = Math.max(TURN_MS, 1_000 / perSecond);
  const perTurn = Math.max(1, Math.round((perSecond * everyMs) / 1_000));
  for (let at = 0; at < phones.length && !fleet.closed; at += perTurn) {
    for (let index = at; index < Math.min(at + perTurn, phones.length); index++)
      start(fleet, () => attach(fleet, index));
    await fleet.pauses.pause(everyMs);
  }
}

function swapSims(fleet: FleetState, one: number, other: number): void {
  const [a, b] = [fleet.phones[one], fleet.phones[other]];
  if (!a || !b) throw new RangeError("no such phone");
  const [sa, sb] = [a.status.spec, b.status.spec];
  for (const [phone, sim] of [[a, sb] as const, [b, sa] as const]) {
    phone.status.spec = { ...phone.status.spec, imsi: sim.imsi, msisdn: sim.msisdn };
    phone.sessions.clear(); // they were the SIM's
    phone.client = clientOf(fleet.options, phone.status.spec);
    fleet.byMsisdn.set(sim.msisdn, phone);
    sight(fleet, phone);
  }
}
