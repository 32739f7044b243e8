/**
 * Errors as RFC 9457 problem documents. One table leads from codes to HTTP; a new code does not compile until it has a
 * row. What is not known here answers 500 and says nothing about the inside.
 */
import Type from "typebox";
import type { FailedPolicyTest } from "../kernel/support/policy-tests.ts";
import { type ErrorCode, TurnupError } from "../term/error.ts";
import { maskText } from "../term/mask.ts";
import { membersOf } from "../term/narrow.ts";
import { named } from "./schema.ts";

/** Longer than a screen, since it has a row a code, in their order. */
export const STATUS_OF: Record<ErrorCode, number> = {
  access_point_import_malformed: 400,
  access_point_not_found: 404,
  account_malformed: 400,
  account_not_found: 404,
  account_not_taken: 422,
  accounts_full: 503,
  apn_malformed: 400,
  approval_changed: 409,
  approval_decided: 409,
  approval_not_found: 404,
  assurance_too_low: 403,
  backup_unreadable: 400,
  bank_file_malformed: 400,
  batch_too_large: 413,
  bearer_too_narrow: 406,
  body_malformed: 400,
  body_too_large: 413,
  books_full: 503,
  card_malformed: 400,
  card_refused: 422,
  card_tries_exceeded: 429,
  care_limit_reached: 429,
  catalog_item_in_use: 409,
  catalog_item_not_found: 404,
  catalog_item_unknown: 422,
  catalog_malformed: 400,
  certificate_unknown: 403,
  collection_closed: 409,
  collection_not_found: 404,
  collection_return_closed: 409,
  collection_return_not_found: 404,
  config_invalid: 500,
  content_mismatch: 400,
  content_not_found: 404,
  content_unavailable: 503,
  country_unknown: 400,
  creditor_not_found: 404,
  currency_malformed: 400,
  currency_mismatch: 400,
  cursor_malformed: 400,
  data_folder_in_use: 500,
  data_folder_unusable: 500,
  database_full: 503,
  database_not_empty: 409,
  database_timeout: 503,
  database_unavailable: 503,
  database_version: 500,
  dataset_malformed: 400,
  dataset_missing: 500,
  dataset_not_found: 404,
  dataset_rows_gone: 409,
  date_malformed: 400,
  dependency_unavailable: 503,
  details_malformed: 422,
  device_blocked: 403,
  dispute_closed: 409,
  dispute_limit: 409,
  dispute_not_found: 404,
  dispute_not_possible: 409,
  embedded_failed: 500,
  embedded_unsupported: 500,
  embedded_version: 500,
  equipment_change_too_large: 409,
  equipment_list_full: 409,
  equipment_list_not_found: 404,
  equipment_list_taken: 409,
  equipment_version_gone: 409,
  event_position_gone: 410,
  fee_level_unproved: 422,
  field_invalid: 422,
  field_unknown: 422,
  file_unreadable: 500,
  file_unwritable: 500,
  http_port_unusable: 500,
  iccid_check_digit: 400,
  iccid_malformed: 400,
  idempotency_key_missing: 400,
  idempotency_key_reused: 422,
  identity_unknown: 400,
  imei_check_digit: 400,
  imei_doubt_not_found: 404,
  imei_filler: 400,
  imei_malformed: 400,
  imei_test: 400,
  imeisv_malformed: 400,
  import_loses_much: 409,
  imsi_malformed: 400,
  input_too_long: 413,
  intake_full: 503,
  internal_error: 500,
  invalid_request: 400,
  item_elsewhere: 409,
  job_ended: 409,
  job_not_found: 404,
  journal_damaged: 500,
  journal_full: 503,
  journal_in_use: 500,
  journal_overloaded: 503,
  key_batch_conflict: 409,
  key_batch_invalid: 422,
  key_batch_not_found: 404,
  list_not_offered: 400,
  media_type_unsupported: 415,
  meid_check_digit: 400,
  meid_malformed: 400,
  method_not_allowed: 405,
  migration_changed: 500,
  migration_unfinished: 409,
  migration_unknown: 500,
  money_malformed: 400,
  msisdn_malformed: 400,
  not_found: 404,
  nothing_payable: 409,
  nothing_to_answer: 409,
  nothing_to_resend: 409,
  operator_not_found: 404,
  order_closed: 409,
  order_not_found: 404,
  origin_refused: 403,
  override_not_found: 404,
  payer_missing: 409,
  payload_malformed: 400,
  payload_secret_missing: 400,
  payload_too_long: 400,
  payment_batch_not_found: 404,
  payment_file_decided: 409,
  payment_file_outdated: 409,
  payment_file_unreleased: 409,
  payment_transfer_closed: 409,
  payment_transfer_not_found: 404,
  person_unknown: 403,
  pin_malformed: 400,
  plmn_malformed: 400,
  policy_test_failed: 422,
  policy_version_not_found: 404,
  portion_malformed: 400,
  posting_not_found: 404,
  precondition_failed: 412,
  precondition_required: 428,
  relation_not_found: 404,
  request_in_progress: 409,
  role_not_allowed: 403,
  seal_broken: 500,
  seal_key_exposed: 500,
  seal_key_malformed: 500,
  seal_key_missing: 500,
  second_person_needed: 403,
  seen_in_future: 400,
  selection_empty: 422,
  session_ended: 401,
  session_not_found: 404,
  settings_query_malformed: 400,
  settings_unconfirmed: 409,
  sighting_malformed: 400,
  sign_in_link_spent: 401,
  sim_lock_not_found: 404,
  smpp_field_invalid: 500,
  sms_day_spent: 429,
  sms_queue_full: 429,
  subscriber_held: 409,
  subscriber_not_found: 404,
  subscriber_record_malformed: 422,
  subscriber_record_not_found: 404,
  subscriber_records_many_removed: 409,
  suggestion_not_accepted: 409,
  suggestion_not_found: 404,
  telephone_pin_unfit: 400,
  terms_not_found: 404,
  text_empty: 400,
  text_too_long: 400,
  token_expired: 401,
  token_missing: 401,
  token_not_found: 404,
  token_revoked: 401,
  token_unknown: 401,
  token_without_make: 403,
  too_many_requests: 429,
  unconfirmed_not_allowed: 422,
  wireless_network_not_found: 404,
};

export const PROBLEM_MEDIA_TYPE = "application/problem+json; charset=utf-8";
/** Seconds a client is asked to wait where we are short of something. */
const RETRY_AFTER_SECONDS = 2;

/** `Problem#` of the API's description. */
named(
  "Problem",
  Type.Object(
    {
      type: Type.String({ description: "Names the code as a URI." }),
      title: Type.String(),
      status: Type.Integer(),
      code: Type.String({ description: "Stable; docs/errors.md lists every one." }),
      detail: Type.String({ description: "What happened, with the value's place but never the value." }),
      nextStep: Type.Optional(Type.String({ description: "What to do now." })),
      instance: Type.String({
        description: "The request's id, also in the X-Request-Id header and in the log.",
      }),
      errors: Type.Optional(
        Type.Array(
          Type.Object({
            at: Type.String({ description: "Place of the field, such as body/messages/0/to." }),
            wanted: Type.String(),
          }),
        ),
      ),
    },
    { description: "RFC 9457 problem document." },
  ),
);

export type ProblemBody = {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: ErrorCode;
  readonly detail: string;
  readonly nextStep?: string;
  readonly instance: string;
  readonly errors?: readonly FieldError[];
};

export type FieldError = { readonly at: string; readonly wanted: string };

/** A request that does not have the shape that the route describes. */
export class InvalidRequest extends TurnupError {
  readonly errors: readonly FieldError[];
  constructor(errors: readonly FieldError[]) {
    const [first] = errors;
    super(
      "invalid_request",
      first ? `${first.at}: ${first.wanted}.` : "The request has another shape than described.",
      {
        nextStep: "Correct the named fields; /openapi.json describes the request.",
      },
    );
    this.errors = errors;
  }
}

/** Tests that a policy carries and that fail under it: each with what the rules said, as many as are told at once. */
export class PolicyTestsFailed extends TurnupError {
  readonly errors: readonly FieldError[];
  constructor(failed: readonly FailedPolicyTest[]) {
    const [first] = failed;
    const rest = failed.length > 1 ? `, and ${failed.length - 1} more` : "";
    super(
      "policy_test_failed",
      `The policy's own test "${first?.name ?? ""}" fails${rest}: wanted ${first?.wanted ?? ""}, the rules say ${first?.said ?? ""}.`,
      { nextStep: "Mend the policy, or the test where it wants the wrong thing; nothing was put in force." },
    );
    this.errors = failed.slice(0, FAILED_TESTS_TOLD_MAX).map(({ at, name, wanted, said }) => ({
      at: `body/tests/${at}`,
      wanted: `${name}: ${wanted}, and the rules say ${said}`,
    }));
  }
}
const FAILED_TESTS_TOLD_MAX = 100;

/** Any error as a problem; `isOurs` is true where the cause belongs into the log. */
export function problemOf(
  error: unknown,
  requestId: string,
): { problem: ProblemBody; isOurs: boolean; headers: Record<string, string> } {
  const known = error instanceof TurnupError ? error : fromFramework(error);
  if (!known || (STATUS_OF[known.code] >= 500 && STATUS_OF[known.code] !== 503)) {
    const hidden = new TurnupError(
      "internal_error",
      "The server failed at this request; the fault is logged.",
      {
        nextStep: "Try again later; if it stays, report the request id.",
      },
    );
    return { problem: bodyOf(hidden, requestId), isOurs: true, headers: {} };
  }
  const status = STATUS_OF[known.code];
  const headers: Record<string, string> = {};
  if (status === 401) headers["www-authenticate"] = challengeOf(known.code);
  if (status === 503) headers["retry-after"] = String(RETRY_AFTER_SECONDS);
  return { problem: bodyOf(known, requestId), isOurs: status >= 500, headers };
}

function bodyOf(error: TurnupError, requestId: string): ProblemBody {
  return {
    type: `urn:turnup:error:${error.code}`,
    title: titleOf(error.code),
    status: STATUS_OF[error.code],
    code: error.code,
    detail: maskText(error.message),
    ...(error.nextStep !== undefined && { nextStep: error.nextStep }),
    instance: requestId,
    ...((error instanceof InvalidRequest || error instanceof PolicyTestsFailed) && { errors: error.errors }),
  };
}

/** `imei_malformed` reads "Imei malformed". */
const titleOf = (code: string): string => code.slice(0, 1).toUpperCase() + code.slice(1).replaceAll("_", " ");

/** RFC 6750 clause 3: a bare challenge where no token came, the reason where one did. */
const challengeOf = (code: ErrorCode): string =>
  code === "token_missing" ? 'Bearer realm="turnup"' : 'Bearer realm="turnup", error="invalid_token"';

/** What Fastify and its JSON parser throw before a handler runs. */
function fromFramework(error: unknown): TurnupError | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code, statusCode } = membersOf(error);
  switch (code) {
    case "FST_ERR_CTP_BODY_TOO_LARGE":
      return new TurnupError("body_too_large", "The body is longer than this route takes.", {
        nextStep: "Send fewer rows in one request.",
      });
    case "FST_ERR_CTP_INVALID_MEDIA_TYPE":
      return new TurnupError(
        "media_type_unsupported",
        "The body's Content-Type is not one that this route reads.",
        {
          nextStep: "Send application/json; sightings may be text/csv.",
        },
      );
    case "FST_ERR_BAD_URL":
      return new TurnupError("invalid_request", "The address is not a well-formed URL.");
    case "FST_ERR_MAX_PARAM_LENGTH":
      return new TurnupError("invalid_request", "A part of the address is longer than any we know.");
  }
  if (error instanceof SyntaxError || (typeof code === "string" && code.startsWith("FST_ERR_CTP_"))) {
    return new TurnupError(
      "body_malformed",
      "The body is not well-formed JSON, or holds a forbidden member name.",
      {
        nextStep: "Check the body with a JSON parser and its Content-Length.",
      },
    );
  }
  if (typeof statusCode === "number" && statusCode >= 400 && statusCode < 500) {
    return new TurnupError("invalid_request", "The request was not understood.");
  }
  return undefined;
}
