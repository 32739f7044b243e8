/** `turnup events`: everything that changed, through the API, as it happens where asked; `turnup event types`: which events there are. */
import { readFileSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { STATUS_OF } from "../../http/problem.ts";
import type { CloudEvent } from "../../kernel/events/event-feed.ts";
import { EVENT_TYPES } from "../../kernel/events/event-types.ts";
import { TurnupError } from "../../term/error.ts";
import { isOneOf, membersOf, messageOf } from "../../term/narrow.ts";
import { keysOf } from "../../term/record.ts";
import { eventTable, withEventTable } from "../config/event-table.ts";
import { API_OPTIONS, apiOf } from "../terminal/api.ts";
import type { Command, CommandContext } from "../terminal/command.ts";
import { timeOf } from "../terminal/table.ts";

/** A stream is asked for anew before any limit of an answer's time ends it. */
const STREAM_SECONDS = 100;
const RETRY_MS = 2_000;

export const eventsCommand: Command = {
  name: "events",
  summary: "Print everything that changed: orders, items, pairings, messages, charges, registrations",
  description:
    "One line an event, the oldest first; with --json each as a CloudEvent. With --follow it goes on as things happen, also after the server was away, and misses nothing.",
  options: [
    ...API_OPTIONS,
    { flags: "--follow", about: "go on as events happen" },
    {
      flags: "--after <position>",
      about: "events behind this one, or `start`, or `now` (default: `now` with --follow, else `start`)",
    },
    { flags: "--from <time>", about: "in its place: events of this time (RFC 3339) and later" },
    { flags: "--types <types>", about: "only these, parted by commas; a beginning ends with *" },
  ],
  examples: [
    "turnup events --from 2026-11-30T06:00:00Z",
    "turnup events --follow --types 'turnup.order.*' --json",
  ],
  stays: true,
  async run(context) {
    let query = beginOf(context);
    do {
      const last = await print(context, query).catch((error: unknown) => lost(context, error));
      if (last === "lost")
        await sleep(RETRY_MS, undefined, { signal: context.signal }).catch(() => undefined);
      else if (last !== undefined) query = new URLSearchParams({ ...typesOf(context), after: last });
    } while (context.flag("follow") && !context.signal.aborted);
    return "ok";
  },
};

const typesOf = (context: CommandContext): Record<string, string> => {
  const types = context.option("types");
  return types === undefined ? {} : { types };
};

function beginOf(context: CommandContext): URLSearchParams {
  const from = context.option("from");
  const after = context.option("after") ?? (context.flag("follow") ? "now" : "start");
  return new URLSearchParams({ ...typesOf(context), ...(from === undefined ? { after } : { from }) });
}

/** A server that starts anew is waited for by whoever follows; anything else ends it. */
function lost(context: CommandContext, error: unknown): "lost" | undefined {
  if (context.signal.aborted) return undefined;
  const isAway = !(error instanceof TurnupError) || error.code === "dependency_unavailable";
  if (!context.flag("follow") || !isAway) throw error;
  context.note(`${messageOf(error)} It is tried again.`);
  return "lost";
}

/** Prints what a stream brings; the last position in it. What came before a stream broke off is printed, and asked for again. */
async function print(context: CommandContext, query: URLSearchParams): Promise<string | undefined> {
  const asked = new URLSearchParams(query);
  asked.set("seconds", String(context.flag("follow") ? STREAM_SECONDS : 0));
  let last: string | undefined;
  const octets = await apiOf(context).read(`/v1/events/stream?${asked}`);
  try {
    for await (const { id, event, data } of framesOf(octets)) {
      if (event === "end") throw endOf(data);
      if (data?.includes('"specversion"')) await printEvent(context, JSON.parse(data));
      if (id !== undefined) last = id;
    }
  } catch (error) {
    if (error instanceof TurnupError) throw error;
    if (last === undefined || !context.flag("follow")) throw brokenOff(error, last);
  }
  return last;
}

/** The server ended the stream, since the token opens nothing any more. */
function endOf(data: string | undefined): TurnupError {
  const { code } = membersOf(JSON.parse(data ?? "null"));
  const why = typeof code === "string" ? code : "token_unknown";
  return new TurnupError(
    isOneOf(keysOf(STATUS_OF), why) ? why : "token_unknown",
    "The stream of events ended: its token opens nothing any more.",
    { nextStep: "Ask with another token (`turnup token add` makes one)." },
  );
}

/** What was printed is not all that there is. */
const brokenOff = (cause: unknown, last: string | undefined): TurnupError =>
  new TurnupError("dependency_unavailable", `The stream of events broke off: ${messageOf(cause)}.`, {
    cause,
    nextStep: last === undefined ? "Ask again." : `Go on with --after ${last}.`,
  });

async function printEvent(context: CommandContext, event: CloudEvent): Promise<void> {
  if (context.json) return void (await context.printJson(event));
  const { reason, state } = event.data;
  const why = [state, reason].filter((word) => typeof word === "string" && word !== "").join(": ");
  await context.print(
    `${timeOf(event.time)}  ${event.type.padEnd(32)}  ${event.subject}${why === "" ? "" : `  ${why}`}`,
  );
}

type Frame = { readonly id?: string; readonly event?: string; readonly data?: string };

async function* framesOf(octets: AsyncIterable<Uint8Array>): AsyncGenerator<Frame> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const part of octets) {
    const frames = (rest + decoder.decode(part, { stream: true })).split("\n\n");
    rest = frames.pop() ?? "";
    for (const frame of frames) yield Object.fromEntries(frame.split("\n").map(fieldOf));
  }
}

const fieldOf = (line: string): readonly [string, string] => {
  const colon = line.indexOf(":");
  return [line.slice(0, colon), line.slice(colon + 1).trimStart()];
};

export const eventTypesCommand: Command = {
  name: "event types",
  summary: "List every type of event, with what it says",
  description: "Needs no server and no database. Without --json it is the table of docs/events.md.",
  options: [{ flags: "--update <file>", about: "write the tables between the marks of a document" }],
  examples: ["turnup event types", "turnup event types --update docs/events.md"],
  async run(context) {
    const update = context.option("update");
    if (update !== undefined) updateTable(update);
    else if (context.json) for (const type of EVENT_TYPES) await context.printJson(type);
    else await context.print(eventTable());
    return "ok";
  },
};

function updateTable(file: string): void {
  try {
    writeFileSync(file, withEventTable(readFileSync(file, "utf8")));
  } catch (cause) {
    throw new TurnupError("file_unreadable", `${file} cannot be updated: ${messageOf(cause)}.`, { cause });
  }
}
