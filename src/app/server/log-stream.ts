/**
 * Where log lines go, on a disk that may be full. Lines that cannot be written are kept up to a limit and come as soon
 * as there is room, and what had to be dropped is counted there. A log that cannot be written never ends the program:
 * what it serves matters more.
 */
import pino, { type DestinationStream } from "pino";

/** Lines that wait for room; more are dropped. */
const WAITING_OCTETS_MAX = 1_048_576;

type Options = Parameters<typeof pino.destination>[0] & object;

export function openLogStream(options: Options, now: () => Date = () => new Date()): DestinationStream {
  const stream = pino.destination({ ...options, maxLength: WAITING_OCTETS_MAX });
  let failing: { readonly sinceMs: number; readonly reason: string } | undefined;
  let dropped = 0;
  stream.on("error", (error: NodeJS.ErrnoException) => {
    failing ??= { sinceMs: now().getTime(), reason: error.code ?? error.message };
  });
  stream.on("drop", () => {
    dropped++;
  });
  stream.on("write", () => {
    if (!failing) return;
    const { sinceMs, reason } = failing;
    const [seconds, lines] = [Math.round((now().getTime() - sinceMs) / 1_000), dropped];
    failing = undefined;
    dropped = 0;
    const record = {
      level: 40,
      time: now().getTime(),
      reason,
      seconds,
      lines,
      msg: "log could not be written",
    };
    process.nextTick(() => stream.write(`${JSON.stringify(record)}\n`));
  });
  return stream;
}
