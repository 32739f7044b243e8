/**
 * One spelling for what lists spell in many ways: makers, model names and model codes. Nothing here guesses: a name
 * that is not understood stays as it was given.
 */

/** Company and brand spellings met in TAC lists, on the left in lower case. */
const MAKE_ALIASES: Readonly<Record<string, string>> = {
  "alcatel one touch": "Alcatel",
  "alcatel onetouch": "Alcatel",
  "alcatel-lucent": "Alcatel",
  asustek: "Asus",
  "asustek computer": "Asus",
  "google llc": "Google",
  "guangdong oppo mobile telecommunications": "Oppo",
  "hewlett packard": "HP",
  "high tech computer": "HTC",
  "hmd global": "HMD",
  "hmd global oy": "HMD",
  "honor device": "Honor",
  htc: "HTC",
  "huawei device": "Huawei",
  "huawei technologies": "Huawei",
  lge: "LG",
  "lg electronics": "LG",
  "microsoft mobile": "Microsoft",
  "microsoft mobile oy": "Microsoft",
  "motorola mobility": "Motorola",
  "motorola mobility llc, a lenovo company": "Motorola",
  "nokia mobile phones": "Nokia",
  "oneplus technology (shenzhen)": "OnePlus",
  poco: "Xiaomi",
  redmi: "Xiaomi",
  "research in motion": "BlackBerry",
  rim: "BlackBerry",
  "samsung electronics": "Samsung",
  "samsung korea": "Samsung",
  "sony ericsson mobile communications": "Sony Ericsson",
  "sony mobile": "Sony",
  "sony mobile communications": "Sony",
  sonyericsson: "Sony Ericsson",
  "tcl communication": "Alcatel",
  tct: "Alcatel",
  "tct mobile": "Alcatel",
  "vivo mobile communication": "Vivo",
  vk: "VK",
  "vk mobile": "VK",
  "xiaomi communications": "Xiaomi",
};

/** Makers whose usual spelling is kept, however a list capitalises them. */
const MAKE_SPELLINGS = new Map(
  (
    "Acer,Alcatel,Amazon,Amoi,Apple,Asus,BenQ,Bird,BLU,BlackBerry,Bosch,BQ,Coolpad,Doogee,Ericsson,Essential,Fairphone," +
    "Gionee,Google,Haier,HMD,Honor,HP,HTC,Huawei,Konka,Lava,LeEco,Lenovo,LG,Meizu,Micromax,Microsoft,Mitsubishi," +
    "Motorola,NEC,Nokia,Nothing,OnePlus,Oppo,Palm,Panasonic,Pantech,Philips,Realme,Sagem,Samsung,Sharp,Siemens,Sony," +
    "Sony Ericsson,TCL,Telit,Toshiba,Umidigi,Vivo,Vodafone,Wiko,Xiaomi,ZTE,ZUK"
  )
    .split(",")
    .map((make) => [make.toLowerCase(), make]),
);

const COMPANY_FORM =
  /[,\s]+(?:inc|llc|ltd|limited|corp|corporation|company|co|gmbh|ag|s\.?a|plc|b\.?v|oy|ab)\.?$/;

/** The maker's usual name. */
export function makeOf(text: string): string {
  let key = text.trim().toLowerCase();
  for (let rounds = 0; rounds < 3; rounds++) {
    const known = MAKE_ALIASES[key] ?? MAKE_SPELLINGS.get(key);
    if (known) return known;
    const shorter = key.replace(COMPANY_FORM, "");
    if (shorter === key) break;
    key = shorter;
  }
  return text.trim();
}

/** Brands that a maker's list carries as a make of its own belong into the model's name. */
export function modelWithBrand(listMake: string, model: string): string {
  const brand = /^(redmi|poco)$/i.exec(listMake.trim())?.[1];
  return brand && !model.toLowerCase().startsWith(brand.toLowerCase()) ? `${brand} ${model}` : model;
}

/**
 * A name reduced to what tells models apart: `Nokia 6.1`, `6.1` and `NOKIA  6.1` are one key within Nokia; `+` and
 * the dot of a number count (`S9+` is not `S9`, `2.2` is not `22`).
 */
export function labelKey(make: string, text: string): string {
  const plain = text.toLowerCase().replaceAll("+", "plus").replace(/⁺/g, "plus");
  const prefix = make.toLowerCase();
  const own = plain.startsWith(prefix) && plain.length > prefix.length ? plain.slice(prefix.length) : plain;
  return own.replace(/(\d)\.(?=\d)/g, "$1p").replace(/[^a-z0-9]/g, "");
}

/** How each maker's model codes look; other makers' codes are known from the data alone. */
const CODE_SHAPES: Readonly<Record<string, RegExp>> = {
  Apple: /\bA\d{4}\b/gi,
  Google: /\bG[0-9A-Z]{4}\b/g,
  Honor: /\b[A-Z]{3}-[A-Z]{0,2}\d{1,2}[A-Z]?\b/g,
  Huawei: /\b[A-Z]{3}-[A-Z]{0,2}\d{1,2}[A-Z]?\b/g,
  LG: /\bL[GM]-[A-Z]{1,2}\d{2,3}[A-Z]*\b/g,
  Microsoft: /\bRM-\d{3,4}\b/g,
  Motorola: /\bXT\d{3,4}(?:-\d{1,2})?\b/g,
  Nokia: /\b(?:TA-\d{4}|R[A-Z]{1,2}-\d{1,4}|N[A-Z]{2}-\d{1,2}[A-Z]{0,2}|TH[A-Z]-\d{1,2})\b/g,
  OnePlus: /\b(?:CPH\d{4}|[A-Z]{2}\d{4}|[AE]\d{4})\b/g,
  Oppo: /\bCPH\d{4}\b/g,
  Samsung:
    /\b(?:SM|GT|SGH|SCH|SPH|SHV|SHW|EK)-[A-Z]{0,2}\d{2,4}[A-Z0-9]*\b|\b(?:SC-?\d{2}[A-Z]|SC[VGL]\d{2})\b/gi,
  Sony: /\b(?:XQ-[A-Z]{2}\d{2}|[A-Z]\d{4}|SO-\d{2}[A-Z]|SO[VG]\d{2})\b/g,
};
/** FCC identifiers of Samsung hold the code without its hyphen: A3LSMG900V is SM-G900V. */
const SAMSUNG_FCC = /\bA3L(SM|SGH|SCH|SPH|GT)-?([A-Z]{0,2}\d{2,4}[A-Z0-9]*)\b/g;

/** The model codes in a text, in capitals, in the order they stand. `isKnown` tells codes whose shape says nothing. */
export function codesIn(make: string, text: string, isKnown: (code: string) => boolean): string[] {
  if (text === "") return [];
  const plain = make === "Samsung" ? text.replace(SAMSUNG_FCC, "$1-$2") : text;
  const found = new Set<string>();
  const shape = CODE_SHAPES[make];
  if (shape) for (const match of plain.matchAll(shape)) found.add(match[0].toUpperCase());
  for (const word of plain.split(/[\s(),;/]+/)) {
    const code = word.toUpperCase();
    if (looksLikeCode(code) && isKnown(code)) found.add(code);
  }
  return [...found];
}

/** Shorter ones are broken data or match by chance. */
export const CODE_CHARACTERS_MIN = 3;

/** Names stand in code lists too (`Pixel`, `Pixel 3`): a word counts as a code with letters and digits, or many digits. */
const looksLikeCode = (word: string): boolean =>
  word.length >= CODE_CHARACTERS_MIN && /\d/.test(word) && (/[A-Z]/.test(word) || word.length >= 6);

/** Samsung's region letters follow three digits: SM-F956B and SM-F956N are one model for two markets. */
export const samsungBaseOf = (code: string): string | undefined => /^SM-[A-Z]\d{3}/.exec(code)?.[0];

/** A list's model text without its codes, storage sizes and the like: the name, or empty where there is none. */
export function nameIn(text: string, codes: readonly string[]): string {
  let rest = text.replace(SAMSUNG_FCC, " ");
  for (const code of codes) rest = rest.replace(new RegExp(escaped(code), "gi"), " ");
  return rest
    .replace(/\b\d{1,4}\s?GB\b|\bTD-LTE\b|\bJP\b|\be\.g\.|\/DS\b/g, " ")
    .replace(/\(\s*[^\w)]*\s*\)/g, " ")
    .replace(/[\s\-_/,]+$|^[\s\-_/,]+/g, "")
    .replace(/\s+/g, " ")
    .trim();
}

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

/** `make/model`, or `make/prefix*` for a series, `make/*` for all; letter case, spaces and hyphens do not count. */
export function isModelListed(pattern: string, make: string, name: string): boolean {
  const slash = pattern.indexOf("/");
  if (slash < 0 || name === "" || pattern.slice(0, slash).trim().toLowerCase() !== make.toLowerCase())
    return false;
  const wanted = pattern.slice(slash + 1).trim();
  const key = labelKey(make, name);
  if (wanted === "*") return true;
  return wanted.endsWith("*")
    ? key.startsWith(labelKey(make, wanted.slice(0, -1)))
    : key === labelKey(make, wanted);
}
