/**
 * A fleet of software handsets on a simulated network. Each attaches (and is seen), gets SMS from the message centre,
 * opens what its client lets it open, with a user where the model wants one, and then really connects: through the
 * packet gateway, on the access point that its own settings name. What a phone did is told as events.
 *
 * One reassembler and one pool of connections serve the whole fleet; a phone itself is a small state and a number.
 */
import type { KeyObject } from "node:crypto";
import {
  createHandsetClient,
  freshHandset,
  type HandsetClient,
  type HandsetEffect,
  type HandsetState,
  type Step,
} from "../../device/client.ts";
import { type AccessPointEntry, type ApnUse, insert, routeTo } from "../../device/settings.ts";
import { DecodeError } from "../../wire/decode-error.ts";
import { createReassembler, type WholeMessage } from "../../wire/sms/reassembly.ts";
import { decodeText } from "../../wire/sms/text.ts";
import { chanceFrom } from "./chance.ts";
import { createHandsetNetwork } from "./network.ts";
import type { PhoneSpec } from "./phones.ts";

/** WAP push, and Nokia settings. */
const PUSH_PORTS: readonly (number | undefined)[] = [2948, 49_999];
const REASSEMBLY = { limitOctets: 64 * 1_048_576, timeoutMs: 3_600_000 } as const;
const MIN_UNFINISHED = 1_000;
/** Phones that are switched on together, at high rates. */
const TURN_MS = 20;
const CONNECT_TRIES = 3;
const CONNECT_RETRY_MS = 200;
const REPORT_TRIES = 5;
const REPORT_RETRY_MS = 200;
const EIGHT_BIT = 0x04;
const MAX_INBOX_TEXTS = 8;
/** The GSM and SMPP data codings that hold octets, not text. */
const isBinary = (dataCoding: number): boolean =>
  dataCoding === 0x02 || dataCoding === 0x04 || (dataCoding & 0xf4) === 0xf4 || (dataCoding & 0xcc) === 0x04;

export type IncomingSms = {
  readonly to: string;
  readonly from: string;
  readonly esmClass: number;
  readonly dataCoding: number;
  /** With its length octet; empty where there is none. */
  readonly udh: Uint8Array;
  readonly data: Uint8Array;
};
export type MobileOriginated = IncomingSms;
export type FleetSighting = {
  readonly imei: string;
  readonly imsi: string;
  readonly msisdn: string;
  readonly plmn: string;
  readonly seenAt: Date;
  readonly source: string;
};
export type FleetEvent = { readonly phone: PhoneStatus } & (
  | { readonly kind: "attached"; readonly before: "dead" | "alive" | "unchecked" }
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "works" | "connect_failed"; readonly apn: string; readonly host: string }
  | { readonly kind: "online" | "offline"; readonly apn: string }
  | HandsetEffect
);
/** What is known of a phone from outside it. */
export type PhoneStatus = {
  readonly spec: PhoneSpec;
  readonly attached: boolean;
  /** Whether its application reached the manufacturer before anything was done, and whether it does now. */
  readonly before: "dead" | "alive" | "unchecked";
  readonly now: "dead" | "alive" | "unchecked";
  readonly keyOpened: boolean;
  readonly keyDeleted: boolean;
  readonly settingsApplied: number;
  readonly waitsForUser: number;
  readonly refused: readonly string[];
};

export type FleetOptions = {
  readonly phones: readonly PhoneSpec[];
  readonly seed: number;
  readonly plmn: string;
  readonly gateway: { readonly host: string; readonly port: number };
  publicKeyOf(issuer: string): KeyObject | undefined;
  onSighting(sighting: FleetSighting): void;
  /** Hands an SMS of a phone to the message centre. */
  submitMo(sms: MobileOriginated): Promise<void>;
  onEvent?(event: FleetEvent): void;
  /** The manufacturer's host that the application was built for; without it the state before is not checked. */
  makerHostOf?(spec: PhoneSpec): string | undefined;
  /** What a user does with a link in a text: the access points that the page names, typed in by hand; none without a page. */
  openLink?(url: string, spec: PhoneSpec): Promise<readonly TypedPoint[]>;
  readonly user?: { readonly delayMs?: readonly [number, number]; readonly declines?: number };
  readonly radio?: { readonly loss?: number; readonly duplicates?: number; readonly reorderMs?: number };
  now?(): Date;
};
/** An access point as a user types it in from a page. */
export type TypedPoint = Pick<AccessPointEntry, "apn"> & { readonly use: ApnUse };
export type Fleet = ReturnType<typeof createFleet>;

type Phone = {
  status: { -readonly [Name in keyof PhoneStatus]: PhoneStatus[Name] };
  client: HandsetClient;
  state: HandsetState;
  texts: string[];
  /** Prompts that wait for a PIN which no text has brought yet. */
  pinless: number[];
};

export function createFleet(options: FleetOptions) {
  const { now = () => new Date(), onEvent = () => undefined, radio = {}, user = {} } = options;
  const chance = chanceFrom(options.seed);
  const network = createHandsetNetwork(options.gateway);
  const reassembler = createReassembler({
    ...REASSEMBLY,
    limitMessages: Math.max(MIN_UNFINISHED, options.phones.length * 4),
  });
  const phones = options.phones.map(phoneOf);
  const byMsisdn = new Map(phones.map((phone) => [phone.status.spec.msisdn, phone]));
  const timers = new Set<NodeJS.Timeout>();
  const idlers: (() => void)[] = [];
  const counts = { lostReports: 0, faults: 0 };
  let busy = 0;
  let closed = false;

  function phoneOf(spec: PhoneSpec): Phone {
    return {
      status: {
        spec,
        attached: false,
        before: "unchecked",
        now: "unchecked",
        keyOpened: false,
        keyDeleted: false,
        settingsApplied: 0,
        waitsForUser: 0,
        refused: [],
      },
      client: clientOf(spec),
      state: freshHandset([
        { apn: spec.factoryApn, uses: ["internet"], authType: "none", hosts: [], origin: "factory" },
      ]),
      texts: [],
      pinless: [],
    };
  }

  function clientOf({ imei, imsi, capability }: PhoneSpec): HandsetClient {
    return createHandsetClient({ imei, imsi, ...capability, publicKeyOf: options.publicKeyOf });
  }

  /** Runs what a phone does beside the others, and keeps `idle` waiting for it. */
  function start(action: () => Promise<void>): void {
    busy++;
    action()
      .catch(() => counts.faults++)
      .finally(() => {
        busy--;
        if (busy === 0) for (const wake of idlers.splice(0)) wake();
      });
  }

  const pause = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      const timer = setTimeout(() => {
        timers.delete(timer);
        resolve();
      }, ms);
      timers.add(timer);
    });

  /** Switches a phone on: it opens its old session, its application tries the manufacturer, the network sees it. */
  async function attach(index: number): Promise<void> {
    const phone = phones[index];
    if (!phone || closed) return;
    const { spec } = phone.status;
    phone.status.attached = true;
    const host = options.makerHostOf?.(spec);
    if (host !== undefined) {
      phone.status.before = (await tryHost(phone, host)) ? "alive" : "dead";
      phone.status.now = phone.status.before;
    }
    onEvent({ kind: "attached", phone: phone.status, before: phone.status.before });
    sight(phone);
  }

  function sight({ status: { spec } }: Phone): void {
    const { imei, imsi, msisdn } = spec;
    options.onSighting({ imei, imsi, msisdn, plmn: options.plmn, seenAt: now(), source: "simulator" });
  }

  /** Whether the application gets an answer of the host itself. */
  async function tryHost(phone: Phone, host: string): Promise<boolean> {
    const road = routeTo(phone.state.settings, host, "mms");
    const opened = road && (await network.open(phone.status.spec, road));
    if (opened?.kind !== "open") return false;
    const { status } = await network.send(opened.session, "GET", `http://${host}/`, "mms");
    return status > 0 && status < 500; // the session stays open, as a phone's first one does
  }

  /** One SMS from the message centre, which tries again where a phone is off or the radio lost it. */
  async function onMessage(sms: IncomingSms): Promise<"delivered" | "absent"> {
    const phone = byMsisdn.get(sms.to);
    if (!phone?.status.attached || closed || chance.is(radio.loss ?? 0)) return "absent";
    const times = chance.is(radio.duplicates ?? 0) ? 2 : 1;
    for (let time = 0; time < times; time++) {
      const delayMs = radio.reorderMs ? chance.between(0, radio.reorderMs) : 0;
      if (delayMs === 0) takeSms(phone, sms);
      else start(async () => pause(delayMs).then(() => takeSms(phone, sms)));
    }
    return "delivered";
  }

  function takeSms(phone: Phone, sms: IncomingSms): void {
    const { from, to, udh, data, dataCoding } = sms;
    let whole: WholeMessage | null;
    try {
      whole = reassembler.accept({ from, to, udh, data, atMs: now().getTime() });
      if (!whole) return;
      if (isBinary(dataCoding)) takePush(phone, whole);
      else takeText(phone, decodeText(dataCoding, whole.bytes));
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      phone.status.refused = [...phone.status.refused, error.message]; // a phone drops what it cannot read
    }
  }

  function takePush(phone: Phone, { from, bytes, udh }: WholeMessage): void {
    if (!PUSH_PORTS.includes(udh.destPort)) return; // no application listens on another port
    act(phone, phone.client.receive(phone.state, { from, bytes, at: now() }));
  }

  function takeText(phone: Phone, text: string): void {
    phone.texts = [...phone.texts, text].slice(-MAX_INBOX_TEXTS);
    onEvent({ kind: "text", phone: phone.status, text });
    for (const promptId of phone.pinless.splice(0)) start(() => answerPrompt(phone, promptId, "pin"));
    const [url] = /https?:\/\/\S+/.exec(text) ?? [];
    const { openLink } = options;
    if (url && openLink) start(() => typeIn(phone, url, openLink));
  }

  async function typeIn(
    phone: Phone,
    url: string,
    openLink: NonNullable<FleetOptions["openLink"]>,
  ): Promise<void> {
    await pause(userDelayMs());
    const typed = await openLink(url, phone.status.spec);
    if (typed.length === 0) return;
    const entries = typed.map(typedEntry);
    phone.state = { ...phone.state, settings: insert(phone.state.settings, entries) };
    phone.status.settingsApplied++;
    await goOnline(phone, entries);
  }

  function userDelayMs(): number {
    const [least, most] = user.delayMs ?? [0, 0];
    return chance.between(least, most);
  }

  /** Takes the client's new state and does what its effects say. */
  function act(phone: Phone, { state, effects }: Step): void {
    phone.state = state;
    phone.status.waitsForUser = state.prompts.length;
    for (const effect of effects) {
      note(phone, effect);
      onEvent({ ...effect, phone: phone.status });
      switch (effect.kind) {
        case "prompt":
          start(() => answerPrompt(phone, effect.promptId, effect.needs));
          break;
        case "report":
          start(() => report(phone, effect));
          break;
        case "connect":
          start(() => connect(phone, effect));
          break;
        case "applied":
          if (effect.what === "settings") start(() => goOnline(phone, effect.entries));
          break;
        case "repeated":
          if (effect.what === "settings") start(() => goOnline(phone, givenTo(phone)));
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
  async function answerPrompt(phone: Phone, promptId: number, needs: "consent" | "pin"): Promise<void> {
    await pause(userDelayMs());
    const accepted = !chance.is(user.declines ?? 0);
    const pin = needs === "pin" && accepted ? pinIn(phone.texts) : undefined;
    if (needs === "pin" && accepted && pin === undefined) {
      phone.pinless.push(promptId);
      return;
    }
    const at = now();
    act(
      phone,
      phone.client.answer(phone.state, { promptId, accepted, at, ...(pin === undefined ? {} : { pin }) }),
    );
  }

  async function report(
    phone: Phone,
    { to, bytes }: Extract<HandsetEffect, { kind: "report" }>,
  ): Promise<void> {
    const { msisdn } = phone.status.spec;
    const sms = { from: msisdn, to, esmClass: 0, dataCoding: EIGHT_BIT, udh: new Uint8Array(0), data: bytes };
    for (let attempt = 1; attempt <= REPORT_TRIES; attempt++) {
      try {
        return await options.submitMo(sms);
      } catch {
        await pause(REPORT_RETRY_MS * attempt);
      }
    }
    counts.lostReports++;
  }

  /** The application with its new road: opens a session on the key's access point and shows the key's proof. */
  async function connect(phone: Phone, effect: Extract<HandsetEffect, { kind: "connect" }>): Promise<void> {
    const host = effect.host.replace(/:\d+$/, "");
    const isHost = /^[A-Za-z0-9.-]+$/.test(host); // it goes into a request line
    const post = {
      keyId: effect.keyId,
      proof: Buffer.from(effect.proof).toString("base64"),
      application: "mms",
    };
    for (let attempt = 1; attempt <= CONNECT_TRIES && isHost && !closed; attempt++) {
      const road = routeTo(phone.state.settings, host, "mms");
      const opened = road && (await network.open(phone.status.spec, road));
      if (opened?.kind === "open") {
        const { status } = await network.sendLast(opened.session, "POST", `http://${host}/m`, post);
        if (status === 200) return arrived(phone, effect.keyId, host, road!.apn);
      }
      if (attempt < CONNECT_TRIES) await pause(CONNECT_RETRY_MS * attempt);
    }
    phone.status.now = "dead";
    const apn = routeTo(phone.state.settings, host, "mms")?.apn ?? "none";
    onEvent({ kind: "connect_failed", phone: phone.status, host, apn });
  }

  function arrived(phone: Phone, keyId: string, host: string, apn: string): void {
    phone.status.now = "alive";
    onEvent({ kind: "works", phone: phone.status, host, apn });
    act(phone, phone.client.connected(phone.state, { keyId, reached: true, at: now() }));
  }

  const givenTo = (phone: Phone): readonly AccessPointEntry[] =>
    phone.state.settings.accessPoints.filter(({ origin }) => origin === "settings");

  /** After new settings a phone opens its data session anew, and its applications use each access point that they were given. */
  async function goOnline(phone: Phone, given: readonly AccessPointEntry[]): Promise<void> {
    for (const road of given) {
      if (closed) return;
      const opened = await network.open(phone.status.spec, road);
      onEvent({ kind: opened.kind === "open" ? "online" : "offline", phone: phone.status, apn: road.apn });
    }
  }

  return {
    onMessage,
    attach,
    /** Switches all phones on, `perSecond` of them a second. */
    async attachAll({ perSecond }: { readonly perSecond: number }): Promise<void> {
      const everyMs = Math.max(TURN_MS, 1_000 / perSecond);
      const perTurn = Math.max(1, Math.round((perSecond * everyMs) / 1_000));
      for (let at = 0; at < phones.length && !closed; at += perTurn) {
        for (let index = at; index < Math.min(at + perTurn, phones.length); index++)
          start(() => attach(index));
        await pause(everyMs);
      }
    },
    /** Puts the SIM of one phone into another: the SIMs change places, and the network sees both. */
    swapSims(one: number, other: number): void {
      const [a, b] = [phones[one], phones[other]];
      if (!a || !b) throw new RangeError("no such phone");
      const [sa, sb] = [a.status.spec, b.status.spec];
      for (const [phone, sim] of [[a, sb] as const, [b, sa] as const]) {
        phone.status.spec = { ...phone.status.spec, imsi: sim.imsi, msisdn: sim.msisdn };
        phone.client = clientOf(phone.status.spec);
        byMsisdn.set(sim.msisdn, phone);
        sight(phone);
      }
    },
    phones: (): readonly PhoneStatus[] => phones.map(({ status }) => status),
    /** Resolves when no phone does anything; users who wait for a text are not counted. */
    idle: (): Promise<void> =>
      busy === 0 ? Promise.resolve() : new Promise((resolve) => idlers.push(resolve)),
    counts: () => ({ ...counts, busy, unfinishedMessages: reassembler.pending }),
    close(): void {
      closed = true;
      for (const timer of timers) clearTimeout(timer);
      timers.clear();
      network.end();
    },
  };
}

export const typedEntry = ({ apn, use }: TypedPoint): AccessPointEntry => ({
  apn,
  uses: [use],
  authType: "none",
  hosts: [],
  origin: "settings",
});

/** The last run of 4 to 8 digits that stands alone in the newest text that has one. */
function pinIn(texts: readonly string[]): string | undefined {
  for (const text of [...texts].reverse()) {
    const pins = text.match(/(?<!\d)\d{4,8}(?!\d)/g);
    if (pins) return pins.at(-1);
  }
  return undefined;
}
