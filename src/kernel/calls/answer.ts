/** What another company's machine answered to a durable call. */

import type { OutboundCall, UnreadableCall } from "../order/outbound-call.ts";
import type { Failed, IdentityAnswer, PeerAnswer, Refused, ServiceAnswer } from "./connectors.ts";

/** What another company's machine answered to a call. */
export type CallAnswer =
  /** `stock`: it was taken from a batch that was stored beforehand, and so many of the make's are left. */
  | {
      readonly kind: "key";
      readonly bytes: Uint8Array;
      readonly stock?: { readonly batchId: string; readonly left: number };
    }
  /** `reference`: the bank's own, where it gives one. */
  | { readonly kind: "done"; readonly reference: string | null }
  /** Of an identity bureau. */
  | Extract<IdentityAnswer, { readonly kind: "answered" }>
  /** Of a service server. */
  | Extract<ServiceAnswer, { readonly kind: "registered" | "needs_information" }>
  /** Of another provisioning server. */
  | Extract<PeerAnswer, { readonly kind: "forwarded" }>
  /** A clear no: asking again would change nothing. */
  | Refused
  /** No answer, or none that can be read: it is asked again. */
  | Failed;

export type AnsweredCall = { readonly call: OutboundCall | UnreadableCall; readonly answer: CallAnswer };
