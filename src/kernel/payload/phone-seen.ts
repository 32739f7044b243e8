/** What a phone's browser says of the phone that it runs on. A line that nobody wrote for this: what it does not say is not known. */
import { FIRST_IOS_WITH_CELLULAR, FIRST_IOS_WITH_PROFILE } from "./apple-profile.ts";

export type PhoneSeen = {
  readonly system: "ios" | "android" | "other";
  /** Major and minor: 12.2 is [12, 2]; null where it is not said, or frozen. */
  readonly version: readonly [number, number] | null;
  /** Another browser than Safari, or a view inside an application: such do not hand a profile to an iPhone. */
  readonly isOtherBrowser: boolean;
};

const USER_AGENT_CHARACTERS = 300;
const IOS = /\((?:iPhone|iPad|iPod(?: touch)?);.*?CPU (?:iPhone )?(?:OS (\d{1,2})_(\d{1,2}))?/;
/** Browsers of today say `Android 10; K` whatever the phone is. */
const ANDROID = /Android(?:[ /](\d{1,2})(?:\.(\d{1,2}))?)?(?:\.\d+)?(; K\))?/;

export function phoneSeen(userAgent: string | undefined): PhoneSeen {
  const name = (userAgent ?? "").slice(0, USER_AGENT_CHARACTERS);
  const apple = IOS.exec(name);
  if (apple)
    return {
      system: "ios",
      version: versionOf(apple[1], apple[2]),
      isOtherBrowser: /\b(?:CriOS|FxiOS|EdgiOS|OPiOS|OPT|DuckDuckGo)\//.test(name) || !/Safari\//.test(name),
    };
  const android = ANDROID.exec(name);
  if (android && !/Windows Phone/.test(name)) {
    const version = android[3] === undefined ? versionOf(android[1], android[2]) : null;
    return { system: "android", version, isOtherBrowser: false };
  }
  return { system: "other", version: null, isOtherBrowser: false };
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
