/**
 * Lines of text from a stream of octets in constant memory. `node:readline` keeps a line of any length whole; this
 * cuts it, so that a file without line ends cannot fill the memory.
 */
import { StringDecoder } from "node:string_decoder";

export async function* linesOf(
  stream: AsyncIterable<Buffer | string>,
  charactersMax: number,
): AsyncGenerator<string> {
  const decoder = new StringDecoder("utf8");
  let rest = "";
  let isFirst = true;
  let skipping = false; // inside a line that was cut already
  for await (const chunk of stream) {
    let text = rest + (typeof chunk === "string" ? chunk : decoder.write(chunk));
    if (isFirst && text.length > 0) {
      if (text.charCodeAt(0) === 0xfeff) text = text.slice(1); // byte order mark of spreadsheet exports
      isFirst = false;
    }
    let start = 0;
    for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n", start)) {
      if (!skipping) yield cut(text.slice(start, text[end - 1] === "\r" ? end - 1 : end), charactersMax);
      skipping = false;
      start = end + 1;
    }
    rest = skipping ? "" : text.slice(start);
    if (rest.length > charactersMax) {
      yield cut(rest, charactersMax);
      rest = "";
      skipping = true;
    }
  }
  rest += decoder.end();
  if (rest.length > 0 && !skipping) yield cut(rest.endsWith("\r") ? rest.slice(0, -1) : rest, charactersMax);
}

const cut = (line: string, charactersMax: number): string =>
  line.length > charactersMax ? line.slice(0, charactersMax) : line;
