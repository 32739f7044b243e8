/** What a phone's browser says of the phone that it runs on. A line that nobody wrote for this: what it does not say is not known. */
import { FIRST_IOS_WITH_CELLULAR, FIRST_IOS_WITH_PROFILE } from "./apple-profile.ts";

export type PhoneSeen = {
  readonly system: "ios" | "android" | "other";
  /** Major and minor: 12.2 is [12, 2]; null where it is not said, or frozen. */
  readonly version: readonly [number, number] | null;
  /** What the browser says of itself, cut; empty: nothing. */
  readonly name: string;
  readonly isComputer: boolean;
  /** Another browser than Safari, or a view inside an application: such do not hand a profile to an iPhone. */
  readonly isOtherBrowser: boolean;
};

const USER_AGENT_CHARACTERS = 300;
const IOS = /\((?:iPhone|iPad|iPod(?: touch)?);.*?CPU (?:iPhone )?(?:OS (\d{1,2})_(\d{1,2}))?/;
/** Browsers of today say `Android 10; K` whatever the phone is. */
const ANDROID = /Android(?:[ /](\d{1,2})(?:\.(\d{1,2}))?)?(?:\.\d+)?(; K\))?/;
/** A tablet or phone that asks for the pages of computers looks like one. */
const COMPUTER = /\((?:Macintosh|Windows NT|X11)\b/;

export function phoneSeen(userAgent: string | undefined): PhoneSeen {
  const name = (userAgent ?? "").slice(0, USER_AGENT_CHARACTERS);
  const seen = { name, isComputer: false, isOtherBrowser: false };
  const apple = IOS.exec(name);
  if (apple)
    return {
      ...seen,
      system: "ios",
      version: versionOf(apple[1], apple[2]),
      isOtherBrowser: /\b(?:CriOS|FxiOS|EdgiOS|OPiOS|OPT|DuckDuckGo)\//.test(name) || !/Safari\//.test(name),
    };
  const android = ANDROID.exec(name);
  if (android && !/Windows Phone/.test(name)) {
    const version = android[3] === undefined ? versionOf(android[1], android[2]) : null;
    return { ...seen, system: "android", version };
  }
  return { ...seen, system: "other", version: null, isComputer: COMPUTER.test(name) };
}

const versionOf = (major: string | undefined, minor: string | undefined): readonly [number, number] | null =>
  major === undefined ? null : [Number(major), Number(minor ?? 0)];

/** Which profile an iPhone reads; undefined: none. One of which nothing is known is of today. */
export function profileFormFor({ system, version }: PhoneSeen): "cellular" | "legacy" | undefined {
  if (system !== "ios" || version === null) return "cellular";
  if (version[0] < FIRST_IOS_WITH_PROFILE) return undefined;
  return version[0] < FIRST_IOS_WITH_CELLULAR ? "legacy" : "cellular";
}

export const isBefore = ({ version }: PhoneSeen, major: number, minor: number): boolean =>
  version !== null && (version[0] < major || (version[0] === major && version[1] < minor));
