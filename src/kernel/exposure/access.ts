/**
 * Who asks about a line, and whose line it is. A token of the authorisation server names either the subscriber (three-legged: they agreed
 * there) or the client alone (two-legged); which of the two says where the number has to come from.
 * Source: CAMARA Commonalities 0.6, "Identifying the phone number from the access token"; Security and Interoperability Profile.
 */

/** CAMARA Commonalities 0.6, CAMARA_common.yaml. */
export type RefusalCode =
  | "INVALID_ARGUMENT"
  | "OUT_OF_RANGE"
  | "UNAUTHENTICATED"
  | "PERMISSION_DENIED"
  | "INVALID_TOKEN_CONTEXT"
  | "NUMBER_VERIFICATION.USER_NOT_AUTHENTICATED_BY_MOBILE_NETWORK"
  | "NOT_FOUND"
  | "IDENTIFIER_NOT_FOUND"
  | "UNSUPPORTED_MEDIA_TYPE"
  | "SERVICE_NOT_APPLICABLE"
  | "MISSING_IDENTIFIER"
  | "UNSUPPORTED_IDENTIFIER"
  | "UNNECESSARY_IDENTIFIER"
  | "TOO_MANY_REQUESTS"
  | "INTERNAL"
  | "UNAVAILABLE";

/** What is answered in place of what was asked. */
export class RefusalError extends Error {
  override readonly name = "RefusalError";
  readonly code: RefusalCode;
  constructor(code: RefusalCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** What a client of one operator may ask. */
export type ExposureClient = {
  readonly clientId: string;
  readonly operatorId: string;
  /** Scopes at most, whatever its token says. */
  readonly scopes: readonly string[];
  /** Those of them that it may use without the subscriber: the operator answers for the ground on which it may. */
  readonly scopesWithoutSubscriber: readonly string[];
};

export type Access = {
  readonly client: ExposureClient;
  /** As the token has them. */
  readonly scopes: readonly string[];
  /** Digits without `+`; null: two-legged. */
  readonly subject: string | null;
  /** Whether the network itself knew the subscriber, by their connection or their SIM. */
  readonly isByNetwork: boolean;
};

/**
 * Holds that one of the scopes was given, to this client and in this token: a wider one (`sim-swap`) covers the narrower.
 * @throws RefusalError `PERMISSION_DENIED`
 */
export function wantScope({ client, scopes, subject }: Access, wanted: readonly string[]): void {
  const covers = (given: readonly string[]): boolean => wanted.some((scope) => given.includes(scope));
  if (!covers(scopes) || !covers(client.scopes))
    throw new RefusalError("PERMISSION_DENIED", `The token has not the scope ${wanted.join(" or ")}.`);
  if (subject === null && !covers(client.scopesWithoutSubscriber))
    throw new RefusalError(
      "PERMISSION_DENIED",
      "The subscriber has not agreed: a token that names the subscriber is wanted for this scope.",
    );
}

/**
 * The number that is asked about: the token's, or else the request's.
 * @param given as the request has it, `+` and digits
 * @throws RefusalError `UNNECESSARY_IDENTIFIER`, `MISSING_IDENTIFIER`, `INVALID_ARGUMENT`
 */
export function numberOf({ subject }: Access, given: string | undefined): string {
  if (subject !== null && given !== undefined)
    throw new RefusalError(
      "UNNECESSARY_IDENTIFIER",
      "The phone number is already identified by the access token.",
    );
  if (subject !== null) return subject;
  if (given === undefined)
    throw new RefusalError("MISSING_IDENTIFIER", "The phone number cannot be identified.");
  const digits = digitsOf(given);
  if (digits === undefined)
    throw new RefusalError("INVALID_ARGUMENT", "phoneNumber is + and a number in its international form.");
  return digits;
}

/** Digits of `+` and a number in its international form; undefined for what is none. */
export const digitsOf = (phoneNumber: string): string | undefined =>
  /^\+([1-9][0-9]{4,14})$/.exec(phoneNumber)?.[1];
