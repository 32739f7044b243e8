/** What is known of a phone's applications: how each went at first, and how it goes now. */
import type { MmsPduOf } from "../../wire/mms/codec.ts";

export const APPLICATIONS = ["mms", "group_message", "video_call"] as const;
export type ApplicationName = (typeof APPLICATIONS)[number];
/** `sent`: the centre took the message; it works once the phone has fetched its own. */
export type Outcome = "works" | "sent" | "fails";
export type ApplicationState = {
  readonly before: Outcome;
  readonly now: Outcome;
  /** What it tried to reach, and over which access point: null where none leads there. */
  readonly server: string;
  readonly apn: string | null;
};
export type ApplicationEvent =
  | {
      readonly kind: "application";
      readonly application: ApplicationName;
      readonly outcome: Outcome;
      readonly server: string;
      readonly apn: string | null;
    }
  | { readonly kind: "message_fetched"; readonly from: string; readonly text: string }
  | { readonly kind: "message_not_fetched"; readonly server: string }
  | { readonly kind: "message_delivered"; readonly to: string };
export type MmsNotification = MmsPduOf<"m-notification-ind">;
