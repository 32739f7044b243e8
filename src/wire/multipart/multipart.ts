/**
 * multipart/form-data (RFC 7578, RFC 2046 clause 5.1) read as it comes: octets in, the beginnings of parts, their content and their
 * ends out. A file of any size passes through without being held.
 */
import { DecodeError } from "../decode-error.ts";

export type MultipartEvent =
  /** A part begins. `fileName` null: a field of the form. */
  | { readonly kind: "part"; readonly name: string; readonly fileName: string | null }
  | { readonly kind: "content"; readonly octets: Uint8Array }
  | { readonly kind: "end" };

/** Of the lines in front of a part's content, together. */
const HEAD_OCTETS_MAX = 8_192;
const PARTS_MAX = 50;
/** RFC 2046 clause 5.1.1. */
const BOUNDARY = /^[0-9A-Za-z'()+_,\-./:=? ]{0,69}[0-9A-Za-z'()+_,\-./:=?]$/;
const HEAD_END = Buffer.from("\r\n\r\n");

/** The boundary that a content type names; undefined where it is no multipart/form-data, or names none that can be. */
export function boundaryOf(contentType: string): string | undefined {
  if (!/^multipart\/form-data\s*(;|$)/i.test(contentType)) return undefined;
  const [, quoted, plain] = /;\s*boundary=(?:"([^"]*)"|([^\s;]+))/i.exec(contentType) ?? [];
  const boundary = quoted ?? plain ?? "";
  return BOUNDARY.test(boundary) ? boundary : undefined;
}

export class MultipartReader {
  readonly #delimiter: Buffer;
  /** What was given and not told yet. The first delimiter has no line in front of it: it is given one. */
  #held: Buffer = Buffer.from("\r\n");
  #state: "before" | "head" | "content" | "after" = "before";
  #octets = 0;
  #parts = 0;

  constructor(boundary: string) {
    this.#delimiter = Buffer.from(`\r\n--${boundary}`);
  }

  /** @throws DecodeError a head that is none, or more parts than a form has; the offset is where what was given last begins */
  push(octets: Uint8Array): readonly MultipartEvent[] {
    this.#held = Buffer.concat([this.#held, octets]);
    const events: MultipartEvent[] = [];
    while (this.#step(events));
    this.#octets += octets.length;
    return events;
  }

  /** @throws DecodeError the body ended before its last delimiter */
  end(): void {
    if (this.#state !== "after") throw this.#fault("the body ends before its last boundary");
  }

  /** Whether there was something to tell. */
  #step(events: MultipartEvent[]): boolean {
    if (this.#state === "after") {
      this.#held = Buffer.alloc(0); // an epilogue says nothing
      return false;
    }
    return this.#state === "head" ? this.#head(events) : this.#content(events);
  }

  /** Up to the next delimiter, and what it says; in front of the first part is a preamble, which says nothing. */
  #content(events: MultipartEvent[]): boolean {
    const found = this.#held.indexOf(this.#delimiter);
    // What may be the beginning of a delimiter waits for more.
    const sure = found < 0 ? Math.max(0, this.#held.length - this.#delimiter.length + 1) : found;
    if (this.#state === "content" && sure > 0)
      events.push({ kind: "content", octets: this.#held.subarray(0, sure) });
    this.#held = this.#held.subarray(sure);
    if (found < 0) return false;
    const after = this.#held.subarray(this.#delimiter.length);
    const isLast = after[0] === 0x2d && after[1] === 0x2d;
    const lineEnd = after.indexOf("\r\n");
    if (!isLast && lineEnd < 0) {
      if (after.length > HEAD_OCTETS_MAX) throw this.#fault("a boundary without the end of its line");
      return false;
    }
    if (!isLast && after.subarray(0, lineEnd).some((octet) => octet !== 0x20 && octet !== 0x09))
      throw this.#fault("a boundary with something behind it");
    if (this.#state === "content") events.push({ kind: "end" });
    this.#state = isLast ? "after" : "head";
    this.#held = isLast ? Buffer.alloc(0) : after.subarray(lineEnd);
    return true;
  }

  #head(events: MultipartEvent[]): boolean {
    const end = this.#held.indexOf(HEAD_END);
    if (end > HEAD_OCTETS_MAX || (end < 0 && this.#held.length > HEAD_OCTETS_MAX))
      throw this.#fault("the head of a part is too long");
    if (end < 0) return false;
    if (++this.#parts > PARTS_MAX) throw this.#fault("a form with too many parts");
    events.push(this.#partOf(this.#held.subarray(0, end).toString("utf8")));
    this.#held = this.#held.subarray(end + HEAD_END.length);
    this.#state = "content";
    return true;
  }

  #partOf(head: string): MultipartEvent {
    const line = /(?:^|\r\n)content-disposition:\s*form-data\s*((?:;[^\r\n]*)?)/i.exec(head)?.[1];
    const textOf = (name: string): string | undefined =>
      new RegExp(`;\\s*${name}="((?:[^"\\\\]|\\\\.)*)"`, "i").exec(line ?? "")?.[1]?.replace(/\\(.)/g, "$1");
    const name = textOf("name");
    if (name === undefined) throw this.#fault("a part without a name");
    return { kind: "part", name, fileName: textOf("filename") ?? null };
  }

  #fault(what: string): DecodeError {
    return new DecodeError(what, this.#octets);
  }
}
