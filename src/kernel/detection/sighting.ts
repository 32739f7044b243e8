/**
 * A sighting: one SIM and one handset seen together on a network. It is a provisioning request by itself
 * (US 11,109,201 Fig. 1:110), so what it means is decided here and nowhere else.
 */

/** How the network or the SIM told us. Free text in the API is refused; a new probe gets a new word here. */
export const SIGHTING_SOURCES = [
  "api",
  "csv",
  "applet",
  "radius",
  "s13",
  "gsup",
  "eir",
  "simulator",
] as const;
export type SightingSource = (typeof SIGHTING_SOURCES)[number];

/** Where an IMEI-tracking applet lives that reported: a SIM card, a UICC, or a profile of an embedded SIM (R83). */
export const APPLET_HOMES = ["sim", "uicc", "esim"] as const;
export type AppletHome = (typeof APPLET_HOMES)[number];

/** A sighting as it comes in: texts that nobody has checked yet. */
export type SightingInput = {
  readonly imei?: string | undefined;
  readonly imeisv?: string | undefined;
  readonly imsi?: string | undefined;
  readonly msisdn?: string | undefined;
  readonly iccid?: string | undefined;
  readonly gid1?: string | undefined;
  readonly spn?: string | undefined;
  /** Serving network, `MCC-MNC` or digits. */
  readonly plmn?: string | undefined;
  /** Radio by which it was seen: a number of 3GPP-RAT-Type or a word (`radio-type.ts`). */
  readonly radio?: string | undefined;
  /** RFC 3339 time, or seconds or milliseconds since 1970; a sighting without one was seen when it was received. */
  readonly seenAt?: string | undefined;
  /** One of SIGHTING_SOURCES; a row without one has that of its batch. */
  readonly source?: string | undefined;
  /** One of APPLET_HOMES, where the applet that reported says it. */
  readonly appletHome?: string | undefined;
};

/** What of the sighting could not be read and was left out, since it counts without it; clauses. */
type Noted = { readonly notes?: readonly string[] };

/** What became of one sighting of a batch, in the order of the batch. */
export type SightingResult =
  | ({
      readonly outcome: "first_registration" | "sim_moved";
      readonly orderId: string;
      readonly subscriberId: string;
      readonly deviceId: string;
    } & Noted)
  | ({ readonly outcome: "late"; readonly subscriberId: string; readonly deviceId: string } & Noted)
  /** Without ids where nobody asked for them: most of these are known by heart, and their ids are not. */
  | ({ readonly outcome: "unchanged"; readonly subscriberId?: string; readonly deviceId?: string } & Noted)
  | { readonly outcome: "refused"; readonly code: string; readonly reason: string };

/** Whether whoever reports asks for the ids of pairs that are as they were; to know these takes a look at the database. */
export type WhetherIds = "wanted" | "unneeded";

/** The door for sightings. Durable: when the promise resolves, every row that was not refused is on disk. */
export interface Intake {
  accept(
    operatorId: string,
    sightings: readonly SightingInput[],
    /** Of every row that names none itself. */
    source: SightingSource,
    /** `wanted` unless given. */
    ids?: WhetherIds,
  ): Promise<SightingResult[]>;
}

/** What is known of a SIM's stay in a handset, as far as the decision needs it. Times in ms since 1970. */
export type Stay = { readonly deviceId: string; readonly sinceMs: number; readonly lastSeenMs: number };

type Detection = "first_registration" | "sim_moved" | "unchanged" | "late";

/**
 * The rule of R74 to R76: the first registration and a SIM that moved to another handset are requests; the same
 * pair again is none; a sighting older than the latest one of this SIM changes nothing.
 */
export function detect(
  current: Stay | undefined,
  seen: { readonly deviceId: string; readonly seenMs: number },
): Detection {
  if (!current) return "first_registration";
  if (current.deviceId === seen.deviceId) return "unchanged";
  return seen.seenMs <= current.lastSeenMs ? "late" : "sim_moved";
}
