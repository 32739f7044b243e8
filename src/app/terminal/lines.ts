/**
 * Lines of text from a stream of octets in constant memory. `node:readline` keeps a line of any length whole; this
 * cuts it, so that a file without line ends cannot fill the memory. UTF-16 is told by its mark; a carriage return ends a
 * line by itself too, as old spreadsheets write it.
 */
import { decoderOf, textFormOf } from "../../wire/csv/text.ts";

export async function* linesOf(
  stream: AsyncIterable<Buffer | string>,
  charactersMax: number,
): AsyncGenerator<string> {
  let rest = "";
  let skipping = false; // inside a line that was cut already
  for await (const text of withLineFeeds(textOf(stream))) {
    const whole = rest + text;
    let start = 0;
    for (let end = whole.indexOf("\n"); end >= 0; end = whole.indexOf("\n", start)) {
      if (!skipping) yield cut(whole.slice(start, end), charactersMax);
      skipping = false;
      start = end + 1;
    }
    rest = skipping ? "" : whole.slice(start);
    if (rest.length > charactersMax) {
      yield cut(rest, charactersMax);
      rest = "";
      skipping = true;
    }
  }
  if (rest.length > 0 && !skipping) yield cut(rest, charactersMax);
}

/** By so many octets two letters of UTF-16 are told; whoever types a line waits for no more. */
const HEAD_OCTETS_MIN = 4;

/** The octets as text, without the byte order mark of spreadsheet exports. */
async function* textOf(stream: AsyncIterable<Buffer | string>): AsyncGenerator<string> {
  let head: Buffer | undefined = Buffer.alloc(0);
  let decoder = decoderOf("utf-8");
  for await (const chunk of stream) {
    let octets = typeof chunk === "string" ? Buffer.from(chunk) : chunk;
    if (head) {
      octets = Buffer.concat([head, octets]);
      head = octets.length < HEAD_OCTETS_MIN ? octets : undefined;
      if (head) continue; // too few to tell the encoding by
      decoder = decoderOf(textFormOf(octets));
    }
    yield decoder.decode(octets, { stream: true });
  }
  if (head) decoder = decoderOf(textFormOf(head));
  yield decoder.decode(head);
}

/** Each line end as one line feed: a carriage return at the end of a piece may be half of one. */
async function* withLineFeeds(pieces: AsyncIterable<string>): AsyncGenerator<string> {
  let held = "";
  for await (const piece of pieces) {
    let text = held + piece;
    held = text.endsWith("\r") ? "\r" : "";
    if (held !== "") text = text.slice(0, -1);
    yield text.includes("\r") ? text.replace(/\r\n?/g, "\n") : text;
  }
  if (held !== "") yield "\n";
}

const cut = (line: string, charactersMax: number): string =>
  line.length > charactersMax ? line.slice(0, charactersMax) : line;
