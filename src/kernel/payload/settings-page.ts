/** Settings behind a link, for phones that take none over the air. */
import type { SettingsPoint } from "./settings-values.ts";

/** What stands behind a link in a text message. */
export type SettingsPage =
  | {
      readonly state: "open";
      readonly operatorName: string;
      readonly make: string | null;
      readonly model: string | null;
      readonly points: readonly SettingsPoint[];
    }
  /** There, and not to be shown before somebody asks for it. */
  | { readonly state: "ready"; readonly operatorName: string }
  | { readonly state: "expired"; readonly operatorName: string };

export interface SettingsPages {
  /** Tells whether the page is there; changes nothing. Undefined: no such link was ever sent. */
  look(token: string): Promise<SettingsPage | undefined>;
  /** Opens the page and counts the first opening as evidence. Undefined: no such link was ever sent. */
  open(token: string): Promise<SettingsPage | undefined>;
}
