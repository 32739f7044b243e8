/**
 * What differs between an order that the network opened and one that somebody asked for, as one table. Everything else is the
 * same for both: states, deadlines, messages, proof. The two flows know nothing of each other.
 *
 *   | part        | opened by the network              | asked for by somebody                         |
 *   | ending      | done at the policy's level         | each item at its own, with its elements       |
 *   | due         | judged, sent, given up in time     | checks, terms and items looked at in time     |
 *   | numberLost  | waits for a number, sends again    | ends                                          |
 *   | waitsFor    | `waiting`, before anything is sent | no: each of its states has its own deadline   |
 *   | answered    | keys, fees, notices to the maker   | bureau, services, elements, billing, mail     |
 *   | noticeEnded | sends none                         | sent again; terms and access data by receipts |
 *   | resend      | settings and keys                  | content                                       |
 *   | cancel      | what waits is not sent             | what others began is withheld or taken back   |
 *   | settle      | nothing                            | bill, end, last notice                        |
 */
import type { CallAnswer } from "../calls/answer.ts";
import { detectedFlow } from "../detected/flow.ts";
import type { TakenKey } from "../order/device-key.ts";
import type { Companion, EndedMessage } from "../order/message.ts";
import type { OrderDraft } from "../order/order-draft.ts";
import type { OrderTransaction } from "../order/order-store.ts";
import type { OutboundCall } from "../order/outbound-call.ts";
import { type Ending, isOfRequest, type Turn } from "../order/turn.ts";
import { requestedFlow } from "../requested/flow.ts";
import type { ChargeDraft } from "../settlement/charge.ts";
import type { SeenSymptom } from "../support/symptoms.ts";

/** What the network saw its applications fail at; messages that go along with its own, of an order that lost its number. */
export type Due = { readonly symptoms: readonly SeenSymptom[]; readonly companions: readonly Companion[] };

export type AnsweredBatch = {
  readonly taken: Map<string, TakenKey>;
  readonly orders: ReadonlyMap<string, OrderDraft>;
  readonly charges: Map<string, ChargeDraft>;
};

/** A turn is given to the flow of its own order alone: `flowOf`. */
interface Flow {
  /** When its items are done, and what is said of those that are not. */
  readonly ending: Ending;
  /** Its next action is due. */
  due(turn: Turn, due: Due): void;
  /** Its SIM has another number than the one that it was asked or answered by, or none. True: it ended by that. */
  numberLost(turn: Turn, tx: OrderTransaction): Promise<boolean>;
  /** It could not be taken further. False: it stands where it stands, and is looked at again. */
  waitsFor(
    turn: Turn,
    missing: { readonly cause: string; readonly reason: string; readonly nextAction: string },
  ): boolean;
  /** Another company's machine answered a call of it. */
  answered(turn: Turn, call: OutboundCall, answer: CallAnswer, batch: AnsweredBatch): void;
  /** A notice to its subscriber arrived, or did not. */
  noticeEnded(turn: Turn, ended: EndedMessage): void;
  /** A person has it sent again. @throws TurnupError `order_closed`, `nothing_to_resend`, `settings_unconfirmed` */
  resend(turn: Turn, tx: OrderTransaction, actor: string): Promise<void>;
  /** A person ends it; it has not ended yet. @throws TurnupError `order_closed` */
  cancel(turn: Turn, tx: OrderTransaction, reason: string): Promise<void>;
  /** Once a transaction that touched it, after everything else: what follows from where it stands now. */
  settle(turn: Turn): void;
}

const FLOWS: { readonly detected: Flow; readonly requested: Flow } = {
  detected: detectedFlow,
  requested: requestedFlow,
};

export const flowOf = (order: OrderDraft): Flow => (isOfRequest(order) ? FLOWS.requested : FLOWS.detected);
