/**
 * What a device says of itself, and what that tells of its model. Nothing here guesses: a text that does not name a maker or a system
 * by a known form says nothing.
 *
 *   source            what it is                                                       whose word
 *   ua_profile        address of the profile in an MMS or WAP request (OMA UAProf)     the handset's own
 *   terminal_profile  TERMINAL PROFILE, as the applet on its card had it (TS 102 223)  the handset's own
 *   apple_product     `iPhone14,2`, as a manager of the device says it                 the handset's own
 *   user_agent        of the browser that opened the link in a text to its SIM         a browser's: mostly the handset's
 */
import { makeOf, samsungBaseOf } from "../devices/names.ts";

export const SAID_SOURCES = ["user_agent", "ua_profile", "terminal_profile", "apple_product"] as const;
export type SaidSource = (typeof SAID_SOURCES)[number];

export type Said = {
  readonly source: SaidSource;
  /** As it came, at most `SAID_CHARACTERS_MAX`; a terminal profile in hexadecimal. */
  readonly value: string;
  /** On how many days it was said. */
  readonly times: number;
};

/** What a text tells; all of it null or empty where it tells nothing. */
export type SaidModel = {
  readonly make: string | null;
  /** As the device writes it: a code or a name. */
  readonly model: string | null;
  readonly system: "ios" | "android" | null;
};

export const SAID_CHARACTERS_MAX = 512;
const NOTHING: SaidModel = { make: null, model: null, system: null };

const APPLE_PRODUCT = /\b(?:iPhone|iPad|iPod)\d{1,2},\d{1,2}\b/;
const IPHONE = /\((?:iPhone|iPod(?: touch)?);/;
const ANDROID_MODEL =
  /Android(?: [\d.]+)?;(?: [a-z]{2}[-_][A-Za-z]{2};)? ?((?:[^;()]|\([^()]*\))+?)(?: Build\/[^;)]*)?(?:;|\))/;
/** What browsers write where the model was. */
const NO_MODEL = /^(?:K|Mobile|Tablet|TV|wv|rv:.*|U|Linux)$/i;
/** Names and codes by which makers begin what a browser or a profile says. */
const MAKERS: readonly (readonly [RegExp, string])[] = [
  [/^(?:samsung[ -]?)?(?:SM|GT|SGH|SCH|SPH)-/i, "Samsung"],
  [/^samsung\b/i, "Samsung"],
  [/^nokia/i, "Nokia"],
  [/^(?:redmi|poco|mi\b|xiaomi|M20\d{2}[A-Z])/i, "Xiaomi"],
  [/^(?:sonyericsson|sony ericsson)/i, "Sony Ericsson"],
  [/^(?:xperia|XQ-[A-Z]{2}\d{2}|sony)/i, "Sony"],
  [/^pixel\b/i, "Google"],
  [/^(?:moto\b|motorola|mot-|XT\d{4})/i, "Motorola"],
  [/^(?:LG-|LGM-|LM-|LGE?\b)/i, "LG"],
  [/^(?:huawei)/i, "Huawei"],
  [/^honor\b/i, "Honor"],
  [/^htc\b/i, "HTC"],
  [/^oneplus\b/i, "OnePlus"],
  [/^(?:oppo|CPH\d{4})/i, "Oppo"],
  [/^(?:realme|RMX\d{4})/i, "Realme"],
  [/^vivo\b/i, "Vivo"],
  [/^blackberry/i, "BlackBerry"],
  [/^(?:alcatel|tcl\b)/i, "Alcatel"],
  [/^zte\b/i, "ZTE"],
];
/** Makers' words in the addresses of profiles. */
const PROFILE_HOSTS: readonly (readonly [RegExp, string])[] = [
  [/nokia/i, "Nokia"],
  [/samsung/i, "Samsung"],
  [/sonyericsson/i, "Sony Ericsson"],
  [/motorola/i, "Motorola"],
  [/\blge?(?:mobile)?\./i, "LG"],
  [/huawei/i, "Huawei"],
  [/blackberry/i, "BlackBerry"],
  [/htc/i, "HTC"],
  [/zte/i, "ZTE"],
];
const PROFILE = /^"?https?:\/\/([^/\s"]{3,100})\/(\S*?)([^/\s"?]+)\.(?:xml|rdf)"?$/i;

/** Never throws. */
export function modelSaid({ source, value }: Pick<Said, "source" | "value">): SaidModel {
  switch (source) {
    case "apple_product":
      return { make: "Apple", model: APPLE_PRODUCT.exec(value)?.[0] ?? null, system: "ios" };
    case "ua_profile":
      return ofProfile(value);
    case "user_agent":
      return ofUserAgent(value);
    case "terminal_profile":
      return NOTHING; // what a terminal can do with its card tells its age, and no maker
  }
}

function ofUserAgent(value: string): SaidModel {
  if (/Windows Phone|\((?:Macintosh|Windows NT|X11|iPad)\b/.test(value)) return NOTHING;
  // What downloads a configuration profile names its product, and no browser.
  const product = APPLE_PRODUCT.exec(value)?.[0] ?? null;
  if (product?.startsWith("iPad")) return NOTHING;
  if (product !== null || IPHONE.test(value)) return { make: "Apple", model: product, system: "ios" };
  if (value.includes("Android")) {
    const model = ANDROID_MODEL.exec(value)?.[1]?.trim() ?? "";
    if (model === "" || NO_MODEL.test(model)) return { ...NOTHING, system: "android" };
    return { ...named(model), system: "android" };
  }
  const first = /^[^/\s(]{3,60}/.exec(value)?.[0] ?? "";
  return makerOf(first) === null ? NOTHING : named(first);
}

function ofProfile(value: string): SaidModel {
  const [, host = "", , file = ""] = PROFILE.exec(value.trim()) ?? [];
  const make = PROFILE_HOSTS.find(([word]) => word.test(host))?.[1] ?? makerOf(file);
  if (make === null) return NOTHING;
  const model = plainModel(make, file.replace(/[rR]\d{2,4}$/, ""));
  return { make, model: model === "" ? null : model, system: null };
}

const makerOf = (text: string): string | null => MAKERS.find(([form]) => form.test(text))?.[1] ?? null;

function named(text: string): SaidModel {
  const make = makerOf(text);
  return {
    make: make === null ? null : makeOf(make),
    model: make === null ? text : plainModel(make, text),
    system: null,
  };
}

/** Without the maker's name in front of it. */
const plainModel = (make: string, text: string): string =>
  text
    .replace(new RegExp(`^${make.replaceAll(" ", " ?")}[ _-]?`, "i"), "")
    .replace(/^N(?=\d)/, make === "Nokia" ? "" : "N")
    .trim();

/** What two devices of one model have in common, whatever market they were made for: Samsung's codes end in its letters. */
export const modelKeyOf = (model: string): string =>
  samsungBaseOf(model.toUpperCase()) ?? model.toUpperCase();
