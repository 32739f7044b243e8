/**
 * Which settings protocols a device takes. The platform (iOS, Android, Series 40, a feature phone, a modem) is told
 * only from what is known of the model; where several platforms are possible, an answer stands only if all of them
 * give it, else it is `unknown`.
 */
import type { Release } from "./age.ts";
import type { SettingsForm } from "./form-names.ts";
import type { Answer, CapabilityRow, LinkPush } from "./rows.ts";

export type Capability = {
  readonly omaCp: Answer;
  readonly nokiaOta: Answer;
  readonly appleProfile: Answer;
  readonly androidEnterpriseApn: Answer;
  readonly linkPush: LinkPush;
  /** Whether a client on the device runs a device key (US 11,109,201, F3:345). */
  readonly deviceKey: Answer;
  /** The form that the data names for it; null where it names none, or several. */
  readonly settingsForm: SettingsForm | null;
  /** The platforms that were considered, as the data names them; empty where none fits. */
  readonly platforms: readonly string[];
  readonly nativeApnDb: string | null;
  readonly notes: readonly string[];
  readonly evidence: readonly string[];
  /** What is told by the chipset, since the maker's platform leaves it open; null where nothing is. */
  readonly byChipset: {
    readonly chipset: string;
    readonly protocols: readonly Protocol[];
    readonly evidence: string;
  } | null;
};

const PROTOCOLS = ["omaCp", "nokiaOta"] as const;
type Protocol = (typeof PROTOCOLS)[number];

const PLATFORMS = ["ios", "android", "proprietary", "modem"] as const;
type Platform = (typeof PLATFORMS)[number];

type PlatformClues = {
  readonly make: string;
  readonly model: string;
  readonly modelCodes: readonly string[];
  readonly form: string | null;
  readonly release: Release | null;
  /** Only Android models are in the hardware list and, Apple and Microsoft apart, in the lifecycle list. */
  readonly isListedSmartphone: boolean;
  readonly chipset: string | null;
};

const ANDROID_NAMES =
  /\b(?:galaxy|xperia|moto [a-z]|nexus|pixel|redmi|poco|ascend|desire|android|zenfone|optimus)\b/i;
/** Samsung's keypad phones of the Android years. */
const SAMSUNG_KEYPAD = /^(?:GT-[BCEM]\d|SM-B\d|SGH-|SCH-[A-HJ-Z]|SPH-[A-HJ-Z])/;
const FIRST_ANDROID_YEAR = 2008;
/** From then on a phone of these makers is an Android phone. */
const ANDROID_SINCE: Readonly<Record<string, number>> = {
  Google: 2010,
  Honor: 2013,
  Nothing: 2022,
  OnePlus: 2014,
  Realme: 2018,
  Sony: 2012,
  Xiaomi: 2011,
};

/** Platforms that the device may be; several where it cannot be told. */
function platformsOf(clues: PlatformClues): readonly Platform[] {
  const { make, model, modelCodes, form, release } = clues;
  if (form === "modem") return ["modem"];
  if (make === "Apple") return ["ios"];
  if (release && release.to < `${FIRST_ANDROID_YEAR}`) return ["proprietary"];
  if (make === "Samsung" && modelCodes.some((code) => SAMSUNG_KEYPAD.test(code)) && !/galaxy/i.test(model)) {
    return ["proprietary"];
  }
  if (clues.isListedSmartphone || ANDROID_NAMES.test(model)) return ["android"];
  const since = ANDROID_SINCE[make];
  if (since !== undefined && !/^cmd/i.test(model)) return ["android"]; // Sony's CMD phones are of the 1990s
  if (make === "Nokia" && release && release.to < "2017") return ["proprietary"];
  return ["android", "proprietary"];
}

export function capabilityOf(clues: PlatformClues, rows: readonly CapabilityRow[]): Capability {
  const ofPlatforms = rows.filter(({ chipset }) => chipset === "");
  const chips = rows.filter(
    (row) => row.chipset !== "" && hasChipset(clues, row) && mayBeOf(row, clues.release),
  );
  const found = platformsOf(clues).map((platform) => ({
    chip: chips.find((row) => platformOfRow(row) === platform),
    rows: rowsOf(platform, clues, ofPlatforms),
  }));
  const fitting = found.map((one) => one.rows.map((row) => filledIn(row, one.chip)));
  const considered = fitting.every((found) => found.length > 0) ? fitting.flat() : [];
  const agreed = <Word extends string>(answerOf: (row: CapabilityRow) => Word): Word | "unknown" => {
    const [first, ...others] = considered.map(answerOf);
    return first !== undefined && others.every((answer) => answer === first) ? first : "unknown";
  };
  const named = new Set(considered.map(({ settingsForm }) => settingsForm));
  const only = considered.length === 1 ? considered[0] : undefined;
  return {
    omaCp: agreed((row) => row.omaCp),
    nokiaOta: agreed((row) => row.nokiaOta),
    appleProfile: agreed((row) => row.appleProfile),
    androidEnterpriseApn: agreed((row) => row.androidEnterpriseApn),
    linkPush: agreed((row) => row.linkPush),
    deviceKey: agreed((row) => row.deviceKey),
    settingsForm: named.size === 1 ? (considered[0]?.settingsForm ?? null) : null,
    platforms: fitting.flat().map((row) => (row.make === "*" ? row.os : `${row.make}: ${row.os}`)),
    nativeApnDb: only?.nativeApnDb ?? null,
    notes: considered.map(({ note }) => note).filter((note) => note !== ""),
    evidence: [...new Set(considered.map(({ evidence }) => evidence))],
    byChipset: byChipsetOf(clues, found, agreed),
  };
}

/** `MediaTek` of `MediaTek MT6739WA`. */
const hasChipset = ({ chipset }: PlatformClues, row: CapabilityRow): boolean =>
  chipset?.split(/\s+/)[0]?.toLowerCase() === row.chipset.toLowerCase();

/** What nobody says of the maker's own platform, the chip maker's build may; what somebody says stands. */
function filledIn(row: CapabilityRow, chip: CapabilityRow | undefined): CapabilityRow {
  if (!chip || row.make !== "*") return row;
  const either = (own: Answer, other: Answer): Answer => (own === "unknown" ? other : own);
  return {
    ...row,
    omaCp: either(row.omaCp, chip.omaCp),
    nokiaOta: either(row.nokiaOta, chip.nokiaOta),
    settingsForm: row.settingsForm ?? (row.omaCp === "no" ? null : chip.settingsForm),
    note: [row.note, chip.note].filter((note) => note !== "").join("; "),
    evidence: `${row.evidence}; ${chip.evidence}`,
  };
}

function byChipsetOf(
  { chipset }: PlatformClues,
  found: readonly { readonly chip: CapabilityRow | undefined; readonly rows: readonly CapabilityRow[] }[],
  agreed: (answerOf: (row: CapabilityRow) => Answer) => Answer,
): Capability["byChipset"] {
  const chip = found.flatMap((one) => one.chip ?? [])[0];
  if (chipset === null || !chip) return null;
  const isOpen = (protocol: Protocol): boolean =>
    found.some(({ rows }) => rows.some((row) => row.make === "*" && row[protocol] === "unknown"));
  const protocols = PROTOCOLS.filter(
    (protocol) => isOpen(protocol) && agreed((row) => row[protocol]) !== "unknown",
  );
  return protocols.length > 0 ? { chipset, protocols, evidence: chip.evidence } : null;
}

/**
 * Whether the data says of every platform of a make that may take a key that its client runs one; `*` is every make. Then
 * a receipt for the key's message is a success; else only the handset's own word is.
 */
export function runsKeys(make: string, rows: readonly CapabilityRow[]): boolean {
  const named = (row: CapabilityRow) => row.make.toLowerCase() === make.toLowerCase();
  const ofPlatforms = rows.filter(({ chipset }) => chipset === "");
  const about =
    make === "*" ? ofPlatforms : PLATFORMS.flatMap((platform) => rowsAbout(platform, named, ofPlatforms));
  const taking = about.filter(({ deviceKey }) => deviceKey !== "no");
  return taking.length > 0 && taking.every(({ deviceKey }) => deviceKey === "yes");
}

/** The rows of a platform that the release allows. */
const rowsOf = (
  platform: Platform,
  { make, release }: PlatformClues,
  rows: readonly CapabilityRow[],
): CapabilityRow[] =>
  rowsAbout(
    platform,
    (row) => row.make === make,
    rows.filter((row) => mayBeOf(row, release)),
  );

/** The maker's own rows about a platform before those for any maker. */
function rowsAbout(
  platform: Platform,
  isOwn: (row: CapabilityRow) => boolean,
  rows: readonly CapabilityRow[],
): CapabilityRow[] {
  const ofPlatform = rows.filter((row) => platformOfRow(row) === platform);
  const own = ofPlatform.filter(isOwn);
  return own.length > 0 ? own : ofPlatform.filter((row) => row.make === "*" && !/kaios/i.test(row.os));
}

export function platformOfRow({ os }: CapabilityRow): Platform {
  if (/ios|iphone os/i.test(os) && !/kaios/i.test(os)) return "ios";
  if (/android/i.test(os)) return "android";
  return /modem|router/i.test(os) ? "modem" : "proprietary";
}

function mayBeOf({ fromYear, toYear }: CapabilityRow, release: Release | null): boolean {
  if (!release) return true;
  if (fromYear !== null && release.to < `${fromYear}`) return false;
  return toYear === null || release.from === null || release.from <= `${toYear}-12-31`;
}
