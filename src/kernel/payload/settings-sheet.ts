/**
 * What the page behind a link says, free of any markup: the way of this phone, step by step, with every value that is to be
 * typed in. Drawn as HTML by `http/s/`, and by the renderers of screens for phones that draw less.
 */

import { menuFor } from "../devices/phone-menus.ts";
import type { PageForm } from "../devices/settings-form.ts";
import { appleDataPoint } from "./apple-profile.ts";
import { isBefore, type PhoneSeen, profileFormFor } from "./phone-seen.ts";
import type { SettingsPage } from "./settings-page.ts";
import type { SettingsPoint } from "./settings-values.ts";
import { type SheetTexts, sheetTextsIn, type ValueKey } from "./sheet-texts.ts";

/** A value to type in. */
export type SheetValue = { readonly key: ValueKey; readonly label: string; readonly value: string };

/** One thing to do: words, the menus that lead there, what to fill in. */
export type SheetStep = {
  readonly text: string;
  /** Names of menus, one after the other. */
  readonly path?: readonly string[];
  readonly point?: {
    readonly use: SettingsPoint["use"];
    readonly title: string;
    readonly values: readonly SheetValue[];
  };
};

export type SettingsSheet = {
  readonly form: PageForm;
  readonly language: string;
  readonly title: string;
  readonly intro: readonly string[];
  /** A file of this page: `profile`, and `removal` of the same. */
  readonly download: string | null;
  readonly steps: readonly SheetStep[];
  /** What cannot be set by the file, and is typed in where the phone lets it. */
  readonly also: readonly SheetStep[];
  readonly notes: readonly string[];
  readonly removal: string | null;
};

type OpenPage = Extract<SettingsPage, { readonly state: "open" }>;

/** What is known of the phone that looks, and of what this server may give it. */
type SheetView = {
  readonly seen: PhoneSeen;
  readonly language: string;
  /** Whether profiles leave this server: over HTTPS alone. */
  readonly hasProfiles: boolean;
  /** Whether they are signed. */
  readonly isSigned: boolean;
};

export function settingsSheet(page: OpenPage, view: SheetView): SettingsSheet {
  const { language, texts } = sheetTextsIn(view.language);
  const form = formShown(page, view);
  const parts = PARTS[form]({ page, view, texts, language });
  return {
    form,
    language,
    title: filled(texts.title, page),
    download: null,
    also: [],
    removal: null,
    ...parts,
  };
}

/** The phone that looks is in front of us; the model that the link was sent to is a belief. */
function formShown({ form, points }: OpenPage, { seen, hasProfiles }: SheetView): PageForm {
  if (seen.system === "android") return "android_page";
  if (seen.system !== "ios" && form !== "apple_profile") return form;
  const canLoad = hasProfiles && profileFormFor(seen) !== undefined && appleDataPoint(points) !== undefined;
  return canLoad ? "apple_profile" : "by_hand";
}

type Asked = {
  readonly page: OpenPage;
  readonly view: SheetView;
  readonly texts: SheetTexts;
  readonly language: string;
};
type Parts = Pick<SettingsSheet, "intro" | "steps" | "notes"> & Partial<SettingsSheet>;

const PARTS: Readonly<Record<PageForm, (asked: Asked) => Parts>> = {
  apple_profile: appleParts,
  android_page: androidParts,
  by_hand: handParts,
};

const fill = (text: string, values: Readonly<Record<string, string>>): string =>
  text.replace(/\{(\w+)\}/g, (whole, name: string) => values[name] ?? whole);
const filled = (text: string, { operatorName: operator }: OpenPage): string => fill(text, { operator });

/** Nothing where another kind of phone looks than the one that the link was sent to. */
function introOf({ page, view: { seen }, texts }: Asked): string[] {
  const phone = [page.make, page.model].filter(Boolean).join(" ");
  return phone !== "" && mayBe(seen, page) ? [fill(texts.forPhone, { phone })] : [];
}

/** Whether the phone that looks may be of the model. A computer shows the page of any phone; an old phone's browser begins with its model. */
function mayBe({ system, isComputer, name }: PhoneSeen, { make, model, form }: OpenPage): boolean {
  if (system === "ios") return make === "Apple";
  if (system === "android") return form === "android_page";
  if (isComputer || name === "") return true;
  return form === "by_hand" && wordsOf(model).some((word) => name.toLowerCase().includes(word));
}

/** Words of a model's name with a digit in them, in lower case: those are its own. */
const wordsOf = (model: string | null): string[] =>
  (model ?? "")
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => /\d/.test(word));

function appleParts(asked: Asked): Parts {
  const { page, view, texts } = asked;
  const { apple } = texts;
  const { seen } = view;
  const where = seen.system !== "ios" ? [apple.otherPhone] : seen.isOtherBrowser ? [apple.otherBrowser] : [];
  const install = isBefore(seen, 12, 1)
    ? apple.installOld
    : isBefore(seen, 12, 2)
      ? apple.installGeneral
      : apple.install;
  const left = page.points.filter(({ use }) => use === "mms");
  return {
    intro: [...introOf(asked), apple.intro, ...where],
    download: apple.download,
    steps: install.map((text) => ({ text })),
    also: left.map((point) => ({ text: apple.mmsFields, ...pointOf(asked, [point], APPLE_KEYS) })),
    notes: [
      apple.noMms,
      filled(apple.dataLine, page),
      apple.onlyOne,
      ...(view.isSigned ? [] : [apple.unsigned]),
      apple.refused,
      filled(apple.remove, page),
    ],
    removal: apple.removal,
  };
}

function androidParts(asked: Asked): Parts {
  const { page, view, texts, language } = asked;
  const [version = null] = view.seen.system === "android" ? (view.seen.version ?? []) : [];
  const menu = menuFor(page.menus, { system: "android", make: page.make, version, language });
  return {
    intro: introOf(asked),
    steps: [
      { text: texts.type.open, ...(menu && { path: menu.path }) },
      ...(menu ? [{ text: fill(texts.type.add, { add: menu.add }) }] : []),
      ...entriesOf(page.points).map((points) => fillStep(asked, points, ANDROID_KEYS)),
      { text: texts.type.save },
    ],
    notes: [
      texts.exactly,
      texts.searchHint,
      filled(texts.dataLine, page),
      ...(menu?.others ?? []).map(({ path, versions }) => {
        const of = versions === null ? "" : fill(texts.ofVersions, { versions });
        return `${texts.otherMenus}${of}: ${path.join(" › ")}`;
      }),
      filled(texts.locked, page),
    ],
  };
}

function handParts(asked: Asked): Parts {
  const { page, view, texts, language } = asked;
  const isApple = view.seen.system === "ios";
  const [version = null] = view.seen.version ?? [];
  const menu = isApple ? menuFor(page.menus, { system: "ios", make: "Apple", version, language }) : undefined;
  const steps = page.points.map((point) => fillStep(asked, [point], isApple ? APPLE_KEYS : PLAIN_KEYS));
  return {
    intro: introOf(asked),
    steps: [
      menu ? { text: texts.type.open, path: menu.path } : { text: texts.byHand.open },
      ...steps,
      { text: isApple ? texts.apple.save : texts.byHand.restart },
    ],
    notes: [texts.exactly, filled(texts.locked, page)],
  };
}

/** One entry for both where MMS goes by the access point of the Internet; else one each. */
function entriesOf(points: readonly SettingsPoint[]): SettingsPoint[][] {
  const internet = points.find(({ use }) => use === "internet");
  const mms = points.find((point) => point.use === "mms" && internet && isSamePoint(point, internet));
  if (!internet || !mms) return points.map((point) => [point]);
  return points.flatMap((point) => (point === mms ? [] : point === internet ? [[internet, mms]] : [[point]]));
}

const isSamePoint = (one: SettingsPoint, other: SettingsPoint): boolean =>
  one.apn.toLowerCase() === other.apn.toLowerCase() &&
  one.user === other.user &&
  one.password === other.password &&
  one.authType === other.authType;

function fillStep(asked: Asked, points: readonly SettingsPoint[], keys: readonly ValueKey[]): SheetStep {
  const point = pointOf(asked, points, keys);
  return { text: fill(asked.texts.type.fill, { use: point.point?.title ?? "" }), ...point };
}

/** In the order of Android's own editor (`apn_editor.xml`). */
const ANDROID_KEYS: readonly ValueKey[] = [
  ...(["name", "apn", "proxy", "port", "user", "password"] as const),
  ...(["mmsc", "mmsProxy", "mmsPort", "auth", "type", "protocol"] as const),
];
/** iOS has no field for the port of the MMS proxy: it is typed behind the proxy. */
const APPLE_KEYS: readonly ValueKey[] = ["apn", "user", "password", "mmsc", "mmsProxy"];
const PLAIN_KEYS: readonly ValueKey[] = [
  ...(["name", "apn", "user", "password", "auth", "mmsc"] as const),
  ...(["mmsProxy", "mmsPort", "proxy", "port", "homepage", "type"] as const),
];

function pointOf(
  { page, texts }: Asked,
  points: readonly SettingsPoint[],
  keys: readonly ValueKey[],
): Pick<SheetStep, "point"> {
  const [first] = points;
  if (!first) return {};
  const known = valuesOf(page.operatorName, points);
  const values = keys.includes("mmsPort") ? known : { ...known, mmsProxy: withPort(known) };
  const [one = "", two] = points.map(({ use }) => texts.uses[use]);
  return {
    point: {
      use: first.use,
      title: two ? fill(texts.usesTogether, { first: one, second: two }) : one,
      values: keys.flatMap((key) => {
        const value = values[key];
        return value ? [{ key, label: texts.values[key], value }] : [];
      }),
    },
  };
}

function withPort({ mmsProxy, mmsPort }: Partial<Record<ValueKey, string | null>>): string | null {
  if (!mmsProxy || !mmsPort) return mmsProxy ?? null;
  return mmsProxy.includes(":") ? `[${mmsProxy}]:${mmsPort}` : `${mmsProxy}:${mmsPort}`;
}

const PROTOCOLS = { ipv4: "IPv4", ipv6: "IPv6", ipv4v6: "IPv4/IPv6" } as const;
const TYPES: Readonly<Record<SettingsPoint["use"], string | null>> = {
  internet: "default,supl",
  mms: "mms",
  wap: "default",
  maker: null,
};

/** What is to be typed, of one access point or of two that are one. */
function valuesOf(
  operator: string,
  points: readonly SettingsPoint[],
): Partial<Record<ValueKey, string | null>> {
  const [first] = points;
  if (!first) return {};
  const mms = points.find(({ use }) => use === "mms");
  const data = points.find(({ use }) => use !== "mms");
  const types = points.flatMap(({ use }) => TYPES[use] ?? []);
  return {
    name: `${operator}${data ? "" : " MMS"}`,
    apn: first.apn,
    user: first.user,
    password: first.password,
    auth: first.authType === "none" ? null : first.authType.toUpperCase(),
    protocol: first.protocol ? PROTOCOLS[first.protocol] : null,
    type: types.length > 0 ? types.join(",") : null,
    ...(data && {
      proxy: data.proxy,
      port: data.proxy === null ? null : String(data.port ?? ""),
      homepage: data.homepage,
    }),
    ...(mms && {
      mmsc: mms.mmsc,
      mmsProxy: mms.proxy,
      mmsPort: mms.proxy === null ? null : String(mms.port ?? ""),
    }),
  };
}
