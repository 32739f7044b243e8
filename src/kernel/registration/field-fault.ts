/** What is wrong with a field of a user's data. */
import type { UserField } from "../account/user-data.ts";

export type FieldCode =
  | "missing"
  | "unknown_field"
  | "too_long"
  | "control_characters"
  | "no_name"
  | "date_malformed"
  | "date_impossible"
  | "date_in_future"
  | "date_too_long_ago"
  | "too_young"
  | "email_malformed"
  | "postal_code_malformed"
  | "country_unknown"
  | "document_malformed"
  | "fax_malformed";

export type FieldFault = { readonly field: UserField; readonly code: FieldCode };
