/** The text of a file that comes in parts, piece by piece: unpacked if it is gzip, decoded by its mark or what its first octets say. */
import { pipeline, Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { TurnupError } from "../../term/error.ts";
import { decoderOf, textFormOf } from "../../wire/csv/text.ts";
import { isGzip, mostOf } from "./gzip.ts";

/** By which the form of a text is told. */
const FORM_OCTETS = 256;
/** Of a piece: it is read in some milliseconds. */
const PIECE_OCTETS = 65_536;

/**
 * Without the byte order mark. No more is held than a part and a piece.
 * @throws TurnupError `dataset_malformed`: broken gzip, or one that unpacks to more than such a file holds; `input_too_long`: more than
 *   `octetsMax`, unpacked
 */
export async function* textOf(parts: AsyncIterable<Uint8Array>, octetsMax: number): AsyncGenerator<string> {
  let decoder: ReturnType<typeof decoderOf> | undefined;
  let head: Uint8Array = new Uint8Array(0);
  let octets = 0;
  for await (const piece of unpackedPieces(parts, octetsMax)) {
    octets += piece.length;
    if (octets > octetsMax)
      throw new TurnupError("input_too_long", `The file has more than ${octetsMax} octets.`, {
        nextStep: "Bring it in several files, each under a name of its own.",
      });
    if (decoder) {
      yield decoder.decode(piece, { stream: true });
      continue;
    }
    head = Buffer.concat([head, piece]);
    if (head.length < FORM_OCTETS) continue;
    decoder = decoderOf(textFormOf(head));
    yield decoder.decode(head, { stream: true });
  }
  yield decoder ? decoder.decode() : decoderOf(textFormOf(head)).decode(head);
}

async function* unpackedPieces(
  parts: AsyncIterable<Uint8Array>,
  octetsMax: number,
): AsyncGenerator<Uint8Array> {
  const given = parts[Symbol.asyncIterator]();
  const first = await given.next();
  if (first.done) return;
  let packed = 0;
  async function* all(): AsyncGenerator<Uint8Array> {
    for (let next: IteratorResult<Uint8Array> = first; !next.done; next = await given.next()) {
      packed += next.value.length;
      yield next.value;
    }
  }
  if (!isGzip(first.value)) {
    for await (const part of all())
      for (let at = 0; at < part.length; at += PIECE_OCTETS) yield part.subarray(at, at + PIECE_OCTETS);
    return;
  }
  const unzip = createGunzip({ chunkSize: PIECE_OCTETS });
  let octets = 0;
  try {
    // What goes wrong on the way ends `unzip` with it.
    for await (const piece of pipeline(Readable.from(all()), unzip, () => undefined)) {
      octets += piece.length;
      if (octets > mostOf(packed, octetsMax)) throw malformed();
      yield piece;
    }
  } catch (cause) {
    throw isBroken(cause) ? malformed(cause) : cause;
  } finally {
    unzip.destroy();
  }
}

/** By zlib's own codes: what the database says on the way is another matter. */
const isBroken = (cause: unknown): boolean =>
  cause instanceof Error && "code" in cause && /^Z_/.test(String(cause.code));

const malformed = (cause?: unknown): TurnupError =>
  new TurnupError("dataset_malformed", "The file is no gzip file, or unpacks to too much.", { cause });

/** How many lines there are: any of CR LF, CR and LF ends one. */
export async function linesIn(text: AsyncIterable<string>): Promise<number> {
  let lines = 1;
  let hasReturn = false;
  for await (const piece of text) {
    if (piece === "") continue;
    if (hasReturn && !piece.startsWith("\n")) lines++;
    hasReturn = piece.endsWith("\r");
    for (let at = piece.indexOf("\n"); at >= 0; at = piece.indexOf("\n", at + 1)) lines++;
    if (!piece.includes("\r")) continue;
    lines += piece.match(/\r(?!\n|$)/g)?.length ?? 0;
  }
  return hasReturn ? lines + 1 : lines;
}
