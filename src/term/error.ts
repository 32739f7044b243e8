/** A failure the caller can act on. Codes are API: each is in docs/errors.md, none is ever renamed. */
export class TurnupError extends Error {
  override readonly name = "TurnupError";
  readonly code: ErrorCode;
  /** What to do now, in words for the person who met the error. */
  readonly nextStep: string | undefined;
  constructor(code: ErrorCode, message: string, options?: ErrorOptions & { readonly nextStep?: string }) {
    super(message, options);
    this.code = code;
    this.nextStep = options?.nextStep;
  }
}

/** One line a code, sorted. docs/errors.md says what each means and what to do. */
export type ErrorCode = "imei_malformed" | "imei_check_digit";
