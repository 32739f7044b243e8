/**
 * A simulated phone's way to the proxy: the client's own link, with what the radio does to messages on it: loses, doubles and
 * delays them, by a seeded chance.
 */
import { setTimeout as pause } from "node:timers/promises";
import { type LinkAnswer, type LinkOptions, openLink } from "../../client/link.ts";
import type { WidebandRequest } from "../../device/outbound.ts";
import type { Chance } from "../handset/chance.ts";

export type Radio = {
  /** Parts of 1: a request that never arrives, an answer that never does, a request that arrives twice. */
  readonly loss?: number;
  readonly answerLoss?: number;
  readonly duplicates?: number;
  /** From and to. */
  readonly delayMs?: readonly [number, number];
};
type AirOptions = LinkOptions & { readonly radio?: Radio; readonly chance: Chance };
export type Air = ReturnType<typeof openAir>;

export function openAir({ radio = {}, chance, ...options }: AirOptions) {
  const link = openLink(options);
  const closing = new AbortController();
  const onRadio = async (message: WidebandRequest): Promise<LinkAnswer> => {
    if (radio.delayMs) await pause(chance.between(...radio.delayMs), undefined, { signal: closing.signal });
    if (chance.is(radio.loss ?? 0)) return { kind: "lost", cause: "the radio lost the request" };
    const answers = [link.send(message)];
    if (chance.is(radio.duplicates ?? 0)) answers.push(link.send(message));
    const [answer] = await Promise.all(answers);
    if (!answer || chance.is(radio.answerLoss ?? 0))
      return { kind: "lost", cause: "the radio lost the answer" };
    return answer;
  };
  return {
    ...link,
    send: (message: WidebandRequest): Promise<LinkAnswer> =>
      onRadio(message).catch(() => ({ kind: "lost", cause: "no connection" })),
    close(): void {
      closing.abort();
      link.close();
    },
  };
}
