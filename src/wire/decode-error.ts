/** The one error of every codec: what was met, and at which octet. A codec never guesses and never returns a sentinel. */
export class DecodeError extends Error {
  override readonly name = "DecodeError";
  /** Zero-based octet in the bytes that were given to the decoder. */
  readonly offset: number;
  constructor(message: string, offset: number) {
    super(`${message} (at octet ${offset})`);
    this.offset = offset;
  }
}
