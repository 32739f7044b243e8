/**
 * What a packet gateway's word of a session means: which SIM is in which handset (US 11,109,201 Fig. 1:110; R73), and whether
 * settings carried the handset to an access point (R79). A gateway that does not say all says the rest.
 */
import { parseApn } from "../../term/apn.ts";
import { type HomePlmnResolver, type Imsi, parseImsi } from "../../term/imsi.ts";
import { DEFAULT_CLOCK_TOLERANCE_MS } from "./clock-tolerance.ts";
import type { SightingInput } from "./sighting.ts";

/** As RADIUS accounting tells it (`wire/radius/accounting.ts`); texts that nobody has checked yet. */
export type SessionTold = {
  readonly status: "start" | "stop" | "interim" | "on" | "off" | undefined;
  readonly imsi: string | undefined;
  readonly imei: string | undefined;
  readonly msisdn: string | undefined;
  readonly apn: string | undefined;
  readonly visited: string | undefined;
  readonly home: string | undefined;
  /** Value of 3GPP-RAT-Type. */
  readonly radioType: number | undefined;
  readonly selection: "subscribed" | "handset" | "network" | undefined;
  readonly eventSeconds: number | undefined;
  readonly delaySeconds: number | undefined;
  readonly sessionSeconds: number | undefined;
};

/**
 * `traffic`: this SIM's handset opened a session on this access point by settings of its own. `beganBy` is by our own clock: it was open
 * no later, however often the gateway had to tell it.
 */
export type SessionSeen = {
  readonly sighting: SightingInput | undefined;
  readonly traffic:
    | { readonly imsi: string; readonly apn: string; readonly seenAt: string; readonly beganBy: string }
    | undefined;
};

const IMEISV_DIGITS = 16;
const OPERATOR_IDENTIFIER = /\.mnc\d{3}\.mcc\d{3}\.gprs$/i;

/** Undefined: no SIM is named, so that nobody is seen. */
export function seenBySession(
  told: SessionTold,
  nowMs: number,
  homePlmnOf: HomePlmnResolver,
  clockToleranceMs: number = DEFAULT_CLOCK_TOLERANCE_MS,
): SessionSeen | undefined {
  const imsi = imsiIn(told.imsi);
  if (imsi === undefined) return undefined;
  const toldMs = seenMsOf(told, nowMs, clockToleranceMs);
  const seenAt = timeOf(toldMs);
  const { imei, msisdn, radioType, delaySeconds = 0 } = told;
  const radio = radioType === undefined ? undefined : String(radioType);
  const plmn = told.visited ?? told.home ?? homePlmnOf(imsi) ?? imsi.slice(0, 5);
  const device = imei?.length === IMEISV_DIGITS ? { imeisv: imei } : { imei };
  const apn = apnIn(told);
  const inHandsetMs = inHandsetMsOf(told, toldMs);
  return {
    sighting:
      imei === undefined || inHandsetMs === undefined
        ? undefined
        : { ...device, imsi, msisdn, plmn, radio, seenAt: timeOf(inHandsetMs) },
    traffic:
      apn === undefined
        ? undefined
        : { imsi, apn, seenAt, beganBy: timeOf(nowMs - wholeSeconds(delaySeconds) * 1_000) },
  };
}

/** It is told rounded down. */
const wholeSeconds = (delaySeconds: number): number => (delaySeconds > 0 ? delaySeconds + 1 : 0);

const timeOf = (ms: number): string => new Date(Math.max(0, ms)).toISOString();

/**
 * A session that ends says where the SIM was when it began, no more: the gateway may end it since the SIM is in another handset
 * meanwhile, and told of that one first. Undefined: it does not say when that was.
 */
function inHandsetMsOf({ status, sessionSeconds }: SessionTold, toldMs: number): number | undefined {
  if (status !== "stop") return toldMs;
  return sessionSeconds === undefined ? undefined : toldMs - sessionSeconds * 1_000;
}

/** The gateway's own time, unless its clock is ahead; then when it began to tell it. */
function seenMsOf(
  { eventSeconds, delaySeconds = 0 }: SessionTold,
  nowMs: number,
  clockToleranceMs: number,
): number {
  const eventMs = (eventSeconds ?? 0) * 1_000;
  const isUsable = eventMs > 0 && eventMs <= nowMs + clockToleranceMs;
  return isUsable ? eventMs : nowMs - delaySeconds * 1_000;
}

/**
 * Only a session that opens proves settings: one that goes on may be of before them. An access point that the network chose, since the
 * handset asked for another or none, proves the contrary.
 */
function apnIn({ status, apn, selection }: SessionTold): string | undefined {
  if (status !== "start" || apn === undefined || selection === "network") return undefined;
  try {
    return parseApn(apn.replace(OPERATOR_IDENTIFIER, ""));
  } catch {
    return undefined;
  }
}

function imsiIn(text: string | undefined): Imsi | undefined {
  try {
    return text === undefined ? undefined : parseImsi(text);
  } catch {
    return undefined;
  }
}
