/**
 * The message send manager and the message receive manager (US 6,647,260 Fig. 5: 520 and 512). Values and functions on them; the
 * clock comes in with each call.
 *
 *   queued -> on its way -> acknowledged | lost -> queued once more, after a pause -> on its way -> acknowledged | given up
 *
 * A message keeps its id when it is sent again, so that a receiver can tell it. What came is remembered by its id in a window;
 * what is older than all that left the window is dropped too, so that nothing is processed twice.
 */

/** An acknowledgement that is not there after so long will not come. */
const ACKNOWLEDGEMENT_WAIT_MS = 60_000;
const RESEND_PAUSE_MS = 3_000;
/** The first sending and one more (R16). */
const MAX_ATTEMPTS = 2;
const MAX_OUTGOING = 32;
const RECEIVE_WINDOW = 64;

type Outgoing<Message> = {
  readonly id: string;
  readonly message: Message;
  readonly attempt: number;
  readonly state: "queued" | "on_its_way";
  /** Of a queued one: when it goes; of one on its way: when it counts as lost. In ms. */
  readonly dueAt: number;
};
export type SendManager<Message> = readonly Outgoing<Message>[];

/** Undefined where the queue is full, or the id is in it already. */
export function enqueue<Message>(
  queue: SendManager<Message>,
  id: string,
  message: Message,
  now: number,
): SendManager<Message> | undefined {
  if (queue.length >= MAX_OUTGOING || queue.some((one) => one.id === id)) return undefined;
  return [...queue, { id, message, attempt: 0, state: "queued", dueAt: now }];
}

/** What shall go out now; it is on its way in the queue that comes back. */
export function takeDue<Message>(
  queue: SendManager<Message>,
  now: number,
): { readonly queue: SendManager<Message>; readonly due: readonly Outgoing<Message>[] } {
  const due: Outgoing<Message>[] = [];
  const next = queue.map((one) => {
    if (one.state !== "queued" || one.dueAt > now) return one;
    const going = {
      ...one,
      state: "on_its_way",
      attempt: one.attempt + 1,
      dueAt: now + ACKNOWLEDGEMENT_WAIT_MS,
    } as const;
    due.push(going);
    return going;
  });
  return { queue: next, due };
}

/** The message that was acknowledged; undefined for an acknowledgement that came twice or too late. */
export function acknowledge<Message>(
  queue: SendManager<Message>,
  id: string,
): { readonly queue: SendManager<Message>; readonly message: Message | undefined } {
  const message = queue.find((one) => one.id === id)?.message;
  return { queue: queue.filter((one) => one.id !== id), message };
}

type Loss<Message> = {
  readonly queue: SendManager<Message>;
  /** Undefined where nobody waits for it any more. */
  readonly outcome: "resent" | "given_up" | undefined;
  readonly message: Message | undefined;
};

/** It was lost, or its sending failed: it goes once more after a pause, and is given up after that. */
export function lost<Message>(queue: SendManager<Message>, id: string, now: number): Loss<Message> {
  const found = queue.find((one) => one.id === id);
  if (!found || found.state === "queued") return { queue, outcome: undefined, message: undefined };
  if (found.attempt >= MAX_ATTEMPTS)
    return { queue: queue.filter((one) => one !== found), outcome: "given_up", message: found.message };
  const again = { ...found, state: "queued", dueAt: now + RESEND_PAUSE_MS } as const;
  return {
    queue: queue.map((one) => (one === found ? again : one)),
    outcome: "resent",
    message: found.message,
  };
}

/** Ids of messages whose acknowledgement did not come in time. */
export const overdue = <Message>(queue: SendManager<Message>, now: number): readonly string[] =>
  queue.filter(({ state, dueAt }) => state === "on_its_way" && dueAt <= now).map(({ id }) => id);

/** When the clock must look again; undefined where nothing waits. */
export const nextDueAt = <Message>(queue: SendManager<Message>): number | undefined =>
  queue.length === 0 ? undefined : Math.min(...queue.map(({ dueAt }) => dueAt));

/** After a power cut: what was on its way may have been lost, and goes again under its id. */
export const resumed = <Message>(queue: SendManager<Message>, now: number): SendManager<Message> =>
  queue.map((one) => ({ ...one, state: "queued", attempt: 0, dueAt: now }));

// ---- receiving

export type ReceiveManager = {
  readonly seen: readonly { readonly id: string; readonly at: number }[];
  /** Time of the youngest message that left the window, by its sender's clock. */
  readonly floor: number;
};
export const NOTHING_RECEIVED: ReceiveManager = { seen: [], floor: 0 };

/** `new` once for each message, whatever the radio doubles. `at` is the time that the message bears, in ms. */
export function receive(
  manager: ReceiveManager,
  id: string,
  at: number,
): { readonly manager: ReceiveManager; readonly outcome: "new" | "repeated" | "too_old" } {
  if (manager.seen.some((one) => one.id === id)) return { manager, outcome: "repeated" };
  if (at < manager.floor) return { manager, outcome: "too_old" };
  const all = [...manager.seen, { id, at }].toSorted((a, b) => a.at - b.at);
  const left = all.slice(0, Math.max(0, all.length - RECEIVE_WINDOW));
  // One that is older than the whole window would leave it at once: it could come again and again.
  if (left.some((one) => one.id === id)) return { manager, outcome: "too_old" };
  const floor = left.reduce((youngest, one) => Math.max(youngest, one.at + 1), manager.floor);
  return { manager: { seen: all.slice(left.length), floor }, outcome: "new" };
}
