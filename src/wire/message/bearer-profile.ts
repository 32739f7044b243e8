/**
 * What each bearer of the air side carries (US 6,647,260 column 4: CDPD, GSM, CDMA, TDMA, PDC, PHS; packet data of later
 * networks beside them): channels, the size of a message, the pace. A proxy and a provisioning server decide by the same
 * figures; an operator whose network differs says so, figure by figure.
 */
import { BEARERS, type Bearer } from "./legs.ts";

export const AIR_CHANNELS = ["narrowband", "wideband"] as const;
export type AirChannel = (typeof AIR_CHANNELS)[number];

export type BearerProfile = {
  /** Narrowband: short messages. Wideband: packet data. */
  readonly channels: readonly AirChannel[];
  /** Octets of user data in one short message, its header included. */
  readonly partOctets: number;
  /** The most short messages that the network joins to one. */
  readonly partsMax: number;
  /** Bits a second that one device gets to itself on the widest channel that there is. */
  readonly rateBps: number;
  /** A round trip that is common there, in ms: waits on the air side are measured by it. */
  readonly latencyMs: number;
};
export type BearerProfiles = Readonly<Record<Bearer, BearerProfile>>;
/** What an operator says of its own network, above the common figures. */
export type BearerOverrides = Readonly<Partial<Record<Bearer, Partial<BearerProfile>>>>;

/** Room that a part loses to its header when there are several (TS 23.040 clause 9.2.3.24.1), ports included. */
const CONCATENATION_OCTETS = 12;
/** The total of parts stands in one octet there. */
export const PARTS_MAX = 255;

const BOTH: readonly AirChannel[] = AIR_CHANNELS;

/**
 * User data of TS 23.040 (140), IS-637 and IS-136 as their networks commonly set it. Paces: GPRS in four slots of CS-2,
 * cdma2000 1x, R-DATA of IS-136, CDPD, PDC-P, PIAFS, UMTS of release 99, LTE of category 1.
 */
// biome-ignore format: a table
const BEARER_PROFILES: BearerProfiles = {
  gsm:  { channels: BOTH,           partOctets: 140, partsMax: PARTS_MAX, rateBps: 53_600,     latencyMs: 1_500 },
  cdma: { channels: BOTH,           partOctets: 140, partsMax: PARTS_MAX, rateBps: 144_000,    latencyMs: 800 },
  tdma: { channels: ["narrowband"], partOctets: 239, partsMax: 8,         rateBps: 2_400,      latencyMs: 2_500 },
  cdpd: { channels: BOTH,           partOctets: 140, partsMax: PARTS_MAX, rateBps: 19_200,     latencyMs: 1_000 },
  pdc:  { channels: BOTH,           partOctets: 100, partsMax: PARTS_MAX, rateBps: 28_800,     latencyMs: 1_500 },
  phs:  { channels: BOTH,           partOctets: 90,  partsMax: PARTS_MAX, rateBps: 32_000,     latencyMs: 600 },
  umts: { channels: BOTH,           partOctets: 140, partsMax: PARTS_MAX, rateBps: 384_000,    latencyMs: 250 },
  lte:  { channels: BOTH,           partOctets: 140, partsMax: PARTS_MAX, rateBps: 10_000_000, latencyMs: 60 },
};

/** The common figures with the operator's own above them. */
export const bearerProfiles = (own: BearerOverrides = {}): BearerProfiles =>
  Object.fromEntries(
    BEARERS.map((bearer) => [bearer, { ...BEARER_PROFILES[bearer], ...saidIn(own[bearer]) }]),
  ) as BearerProfiles; // a record of every bearer, which `fromEntries` cannot say

const saidIn = (figures: Partial<BearerProfile> = {}): Partial<BearerProfile> =>
  Object.fromEntries(Object.entries(figures).filter(([, value]) => value !== undefined));

export const isNarrowbandOnly = ({ channels }: BearerProfile): boolean => !channels.includes("wideband");

/** How many short messages so many octets take. */
export const partsOn = ({ partOctets }: BearerProfile, octets: number): number =>
  octets <= partOctets ? 1 : Math.ceil(octets / Math.max(1, partOctets - CONCATENATION_OCTETS));

/** The most octets that one message may have on the narrowband channel. */
export const narrowbandOctets = ({ partOctets, partsMax }: BearerProfile): number =>
  partsMax <= 1 ? partOctets : partsMax * Math.max(1, partOctets - CONCATENATION_OCTETS);

/** How long so many octets take on the air, in ms, without the round trip. */
export const airTimeMs = ({ rateBps }: BearerProfile, octets: number): number =>
  Math.ceil((octets * 8_000) / rateBps);
