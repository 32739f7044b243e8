/** Why a request in SCIM is refused, in the protocol's own words (RFC 7644 clause 3.12). */

/** What kind of wrong (RFC 7644 table 9). */
type ScimType =
  | "invalidFilter"
  | "invalidPath"
  | "invalidSyntax"
  | "invalidValue"
  | "mutability"
  | "noTarget"
  | "tooMany"
  | "uniqueness";

/** A refusal: HTTP status, the protocol's word for it where there is one, and a sentence with the fact that was met. */
export class ScimError extends Error {
  override readonly name = "ScimError";
  readonly status: number;
  readonly scimType: ScimType | undefined;
  constructor(status: number, scimType: ScimType | undefined, detail: string) {
    super(detail);
    this.status = status;
    this.scimType = scimType;
  }
}

/** A refusal of what was sent, by its kind. */
export const refusal = (scimType: ScimType, detail: string): ScimError =>
  new ScimError(400, scimType, detail);
