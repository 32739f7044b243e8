/** Settings behind a link, for phones that take none over the air. */
import type { PhoneMenuRow } from "../devices/phone-menus.ts";
import type { PageForm } from "../devices/settings-form.ts";
import type { AppleProfileWish } from "./apple-profile.ts";
import type { SettingsPoint, SettingsValues } from "./settings-values.ts";

/** What is kept for the page behind a link. */
export type LinkedSettings = SettingsValues & {
  /** What stands there for the model that it was sent to; links of before this was kept say nothing: values to type in. */
  readonly page?: PageForm;
};

/** What stands behind a link in a text message. */
export type SettingsPage =
  | {
      readonly state: "open";
      readonly operatorName: string;
      readonly make: string | null;
      readonly model: string | null;
      readonly form: PageForm;
      readonly points: readonly SettingsPoint[];
      /** Of the operator's phones. */
      readonly menus: readonly PhoneMenuRow[];
    }
  /** There, and not to be shown before somebody asks for it. */
  | { readonly state: "ready"; readonly operatorName: string }
  | { readonly state: "expired"; readonly operatorName: string };

/** A configuration profile, unsigned; `unopened`: nobody pressed the button of its page yet. */
type LinkedProfile =
  | { readonly state: "ready"; readonly bytes: Uint8Array }
  | { readonly state: "unopened" | "expired" };

export interface SettingsPages {
  /** Tells whether the page is there; changes nothing. Undefined: no such link was ever sent. */
  look(token: string): Promise<SettingsPage | undefined>;
  /**
   * Opens the page and counts the first opening as evidence; what the phone's browser says of itself is noted. Undefined: no such link
   * was ever sent.
   */
  open(token: string, userAgent?: string): Promise<SettingsPage | undefined>;
  /** The page again, for its further parts; only `ready` where nobody opened it. Changes nothing. Undefined: no such link was ever sent. */
  turn(token: string): Promise<SettingsPage | undefined>;
  /** The profile of a page that was opened; its first download is evidence that it was downloaded, and of nothing more. */
  profile(
    token: string,
    wish: Omit<AppleProfileWish, "operatorId"> & { readonly userAgent?: string | undefined },
  ): Promise<LinkedProfile | undefined>;
}
