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
export type ErrorCode =
  | "apn_malformed"
  | "country_unknown"
  | "currency_malformed"
  | "currency_mismatch"
  | "data_folder_in_use"
  | "dataset_malformed"
  | "dataset_missing"
  | "date_malformed"
  | "embedded_unsupported"
  | "file_unreadable"
  | "iccid_check_digit"
  | "iccid_malformed"
  | "identity_unknown"
  | "imei_check_digit"
  | "imei_filler"
  | "imei_malformed"
  | "imei_test"
  | "imeisv_malformed"
  | "imsi_malformed"
  | "meid_check_digit"
  | "meid_malformed"
  | "money_malformed"
  | "msisdn_malformed"
  | "plmn_malformed"
  | "portion_malformed"
  | "smpp_field_invalid";
