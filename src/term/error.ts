/** A failure the caller can act on. Codes are API: each is in docs/errors.md, none is ever renamed. */
export class TurnupError extends Error {
  override readonly name = "TurnupError";
  readonly code: ErrorCode;
  /** What to do now, in words for the person who met the error. */
  readonly nextStep: string | undefined;
  /** Where and what, for machines: an offset, a line, a field. Never a subscriber's number. */
  readonly details: Readonly<Record<string, string | number>> | undefined;
  constructor(code: ErrorCode, message: string, options?: TurnupErrorOptions) {
    super(message, options);
    this.code = code;
    this.nextStep = options?.nextStep;
    this.details = options?.details;
  }
}

export type TurnupErrorOptions = ErrorOptions & {
  readonly nextStep?: string;
  readonly details?: Readonly<Record<string, string | number>>;
};

/** One line a code, sorted. docs/errors.md says what each means and what to do. */
export type ErrorCode =
  | "access_point_import_malformed"
  | "access_point_not_found"
  | "apn_malformed"
  | "assurance_too_low"
  | "backup_unreadable"
  | "batch_too_large"
  | "body_malformed"
  | "body_too_large"
  | "books_full"
  | "card_malformed"
  | "card_refused"
  | "catalog_item_in_use"
  | "catalog_item_not_found"
  | "catalog_item_unknown"
  | "catalog_malformed"
  | "config_invalid"
  | "content_mismatch"
  | "content_not_found"
  | "content_unavailable"
  | "country_unknown"
  | "currency_malformed"
  | "currency_mismatch"
  | "data_folder_in_use"
  | "data_folder_unusable"
  | "database_not_empty"
  | "database_timeout"
  | "database_unavailable"
  | "database_version"
  | "dataset_malformed"
  | "dataset_missing"
  | "date_malformed"
  | "dependency_unavailable"
  | "embedded_failed"
  | "embedded_unsupported"
  | "embedded_version"
  | "field_unknown"
  | "file_unreadable"
  | "file_unwritable"
  | "http_port_unusable"
  | "iccid_check_digit"
  | "iccid_malformed"
  | "idempotency_key_missing"
  | "idempotency_key_reused"
  | "identity_unknown"
  | "imei_check_digit"
  | "imei_filler"
  | "imei_malformed"
  | "imei_test"
  | "imeisv_malformed"
  | "imsi_malformed"
  | "input_too_long"
  | "intake_full"
  | "internal_error"
  | "invalid_request"
  | "journal_damaged"
  | "journal_in_use"
  | "journal_overloaded"
  | "media_type_unsupported"
  | "meid_check_digit"
  | "meid_malformed"
  | "method_not_allowed"
  | "migration_changed"
  | "migration_unknown"
  | "money_malformed"
  | "msisdn_malformed"
  | "not_found"
  | "nothing_to_answer"
  | "nothing_to_resend"
  | "operator_not_found"
  | "order_closed"
  | "order_not_found"
  | "override_not_found"
  | "payload_malformed"
  | "payload_secret_missing"
  | "payload_too_long"
  | "pin_malformed"
  | "plmn_malformed"
  | "portion_malformed"
  | "precondition_failed"
  | "precondition_required"
  | "relation_not_found"
  | "request_in_progress"
  | "role_not_allowed"
  | "seal_broken"
  | "seal_key_malformed"
  | "seal_key_missing"
  | "seen_in_future"
  | "selection_empty"
  | "settings_query_malformed"
  | "sighting_malformed"
  | "smpp_field_invalid"
  | "subscriber_not_found"
  | "terms_not_found"
  | "text_empty"
  | "text_too_long"
  | "token_expired"
  | "token_missing"
  | "token_not_found"
  | "token_revoked"
  | "token_unknown"
  | "too_many_requests";
