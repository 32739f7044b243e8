/**
 * What the doors for RADIUS accounting share, whichever way a packet came: whether it is to be believed, how many are worked on at once,
 * and the answer, which is given when what the packet says is on disk.
 */
import { DecodeError } from "../../../wire/decode-error.ts";
import { type Accounting, readAccounting } from "../../../wire/radius/accounting.ts";
import {
  decodeRadius,
  encodeAnswer,
  isRequestAuthentic,
  messageAuthenticator,
  RADIUS,
  type RadiusPacket,
} from "../../../wire/radius/packet.ts";

/** A gateway, or the proxy in front of it. */
export type RadiusClient = { readonly name: string; readonly secret: Uint8Array };

/**
 * What became of a packet. Answered: `taken`, `repeated` (the same again while it is remembered), `status` (Status-Server). Not answered:
 * from nobody that is known, no packet, a wrong authenticator, another kind of packet, not kept on disk, or too many at once.
 */
export const RADIUS_OUTCOMES = [
  ...["taken", "repeated", "status"],
  ...["unknown_client", "malformed", "wrong_secret", "other_kind", "not_kept", "busy"],
] as const;
export type RadiusOutcome = (typeof RADIUS_OUTCOMES)[number];

type AccountingDeskOptions = {
  /** Resolves when all of it is on disk. Whatever it throws, the gateway will send it again. */
  take(client: RadiusClient, accounting: Accounting): Promise<void>;
  /** Whether packets would be kept now: what a Status-Server asks for. */
  isReady(): Promise<boolean>;
  onOutcome(outcome: RadiusOutcome, client: RadiusClient | undefined): void;
  onFault(error: unknown): void;
  /** Packets at work at once, unless given 10,000. */
  readonly atOnceMax?: number;
};

export type AccountingDesk = {
  /** Why a packet is not to be answered; undefined: it is. */
  refusalOf(packet: RadiusPacket, client: RadiusClient): RadiusOutcome | undefined;
  /** Whether one more of this gateway's may begin. */
  hasRoom(client: RadiusClient): boolean;
  /** Counts as at work until it is over. What it throws is a fault. */
  work(client: RadiusClient, job: Promise<void>): void;
  /** Called once, when something at work is over. */
  whenRoom(then: () => void): void;
  /** Undefined: it was not kept, and gets no answer. */
  answerTo(client: RadiusClient, packet: RadiusPacket): Promise<Uint8Array | undefined>;
  onOutcome: AccountingDeskOptions["onOutcome"];
  onFault: AccountingDeskOptions["onFault"];
  /** Waits for what has been begun. */
  settled(): Promise<void>;
};

const AT_ONCE_MAX = 10_000;
/** Of those one gateway has at most this part, so that its flood leaves room for the others. */
const SHARE_OF_ONE = 0.5;

export function createAccountingDesk(options: AccountingDeskOptions): AccountingDesk {
  const running = new Set<Promise<void>>();
  const runningOf = new Map<string, number>();
  const waiting = new Set<() => void>();
  const most = options.atOnceMax ?? AT_ONCE_MAX;
  const countOf = ({ name }: RadiusClient, more: number) =>
    runningOf.set(name, (runningOf.get(name) ?? 0) + more);
  return {
    refusalOf,
    hasRoom: ({ name }) => running.size < most && (runningOf.get(name) ?? 0) < Math.ceil(most * SHARE_OF_ONE),
    work(client, job) {
      const done = job.catch(options.onFault).finally(() => {
        running.delete(done);
        countOf(client, -1);
        const now = [...waiting]; // whoever finds no room waits anew
        waiting.clear();
        for (const then of now) then();
      });
      running.add(done);
      countOf(client, 1);
    },
    whenRoom: (then) => void waiting.add(then),
    answerTo: (client, packet) => answerTo(options, client, packet),
    onOutcome: options.onOutcome,
    onFault: options.onFault,
    settled: async () => void (await Promise.all(running)),
  };
}

/** Undefined: no packet of RADIUS. */
export function packetIn(bytes: Uint8Array): RadiusPacket | undefined {
  try {
    return decodeRadius(bytes);
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}

function refusalOf(packet: RadiusPacket, { secret }: RadiusClient): RadiusOutcome | undefined {
  const sum = messageAuthenticator(packet, secret);
  if (packet.code === RADIUS.statusServer) return sum === "right" ? undefined : "wrong_secret"; // RFC 5997 section 3: it has one
  if (packet.code !== RADIUS.accountingRequest) return "other_kind";
  return sum === "wrong" || !isRequestAuthentic(packet, secret) ? "wrong_secret" : undefined;
}

async function answerTo(
  options: AccountingDeskOptions,
  client: RadiusClient,
  packet: RadiusPacket,
): Promise<Uint8Array | undefined> {
  const answer = () => encodeAnswer(packet, RADIUS.accountingResponse, client.secret);
  if (packet.code === RADIUS.statusServer) {
    options.onOutcome("status", client);
    return (await options.isReady()) ? answer() : undefined;
  }
  try {
    await options.take(client, readAccounting(packet));
  } catch (error) {
    options.onFault(error);
    options.onOutcome("not_kept", client);
    return undefined;
  }
  options.onOutcome("taken", client);
  return answer();
}
