/**
 * What a handset's client knows of its settings, keys and open questions, and what it can say: plain values.
 */
import type { ReportCause, ReportLevel } from "../wire/message/device-report.ts";
import type { DeviceAccount } from "./management-account.ts";
import type { AccessPointEntry, HandsetSettings } from "./settings.ts";
import type { PushItem } from "./unwrap.ts";

export type Level = Exclude<ReportLevel, "refused">;
export type HandsetState = {
  readonly settings: HandsetSettings;
  readonly heldKeys: readonly { readonly keyId: string; readonly bytes: Uint8Array; readonly from: string }[];
  /** Every key that ran, how far it came, and when; a deleted key stays here as the evidence of it. */
  readonly ranKeys: readonly { readonly keyId: string; readonly level: Level; readonly at: Date }[];
  readonly prompts: readonly Prompt[];
  /** Digests of settings that were applied. */
  readonly appliedDigests: readonly string[];
  readonly nextPrompt: number;
};
export type Prompt = {
  readonly id: number;
  readonly needs: "consent" | "pin";
  readonly triesLeft: number;
  readonly from: string;
  readonly digest: string;
  readonly items: readonly Takeable[];
};
export type Takeable = Exclude<PushItem, { kind: "unknown" }>;
export type SettingsItem = Exclude<Takeable, { kind: "key" }>;

export type HandsetEffect =
  | {
      readonly kind: "prompt";
      readonly promptId: number;
      readonly needs: "consent" | "pin";
      readonly triesLeft: number;
    }
  | {
      readonly kind: "applied";
      readonly what: "settings";
      readonly entries: readonly AccessPointEntry[];
      /** The account of a management server that came with them. */
      readonly account?: DeviceAccount;
    }
  /** The session that a key's script ran, and what its application shall now do. */
  | {
      readonly kind: "applied";
      readonly what: "key";
      readonly keyId: string;
      readonly session: readonly ("opened" | "inserted" | "closed")[];
      readonly entries: readonly AccessPointEntry[];
    }
  | { readonly kind: "connect"; readonly keyId: string; readonly host: string; readonly proof: Uint8Array }
  | { readonly kind: "deleted"; readonly keyId: string; readonly at: Date }
  | { readonly kind: "repeated"; readonly what: "settings" | "key" | "prompt" }
  | {
      readonly kind: "refused";
      readonly what: PushItem["kind"] | "push";
      readonly cause: ReportCause;
      readonly detail: string;
    }
  | { readonly kind: "ignored"; readonly contentType: string }
  | {
      readonly kind: "report";
      readonly to: string;
      readonly level: ReportLevel;
      readonly cause: ReportCause;
      readonly bytes: Uint8Array;
    };
export type Step = { readonly state: HandsetState; readonly effects: readonly HandsetEffect[] };

/** Factory state: the access points that the phone was sold or set up with. */
export const freshHandset = (accessPoints: readonly AccessPointEntry[] = []): HandsetState => ({
  settings: { accessPoints },
  heldKeys: [],
  ranKeys: [],
  prompts: [],
  appliedDigests: [],
  nextPrompt: 1,
});
