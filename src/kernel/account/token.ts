/**
 * Bearer tokens: `tup_` and 256 random bits in base64url. Only the SHA-256 is kept, so a copy of the database opens
 * nothing; a plain hash is enough because there are no guesses to be made against 256 bits.
 */
import { hash } from "node:crypto";
import { TurnupError } from "../../term/error.ts";
import type { Caller, Role } from "./role.ts";

export const TOKEN_RANDOM_OCTETS = 32;
const TOKEN_PREFIX = "tup_";
const TOKEN_SHAPE = /^tup_[A-Za-z0-9_-]{43}$/;

/** The text that is shown once, from 32 random octets. */
export function tokenOf(random: Uint8Array): string {
  if (random.length !== TOKEN_RANDOM_OCTETS)
    throw new RangeError(`a token has ${TOKEN_RANDOM_OCTETS} octets`);
  return TOKEN_PREFIX + Buffer.from(random).toString("base64url");
}

export const isTokenShaped = (text: string): boolean => TOKEN_SHAPE.test(text);

export const hashToken = (token: string): Uint8Array => hash("sha256", token, "buffer");

/** The same as text, in base64: a seventh of the processor that a hash object and its octets take. */
export const tokenDigest = (token: string): string => hash("sha256", token, "base64");

/** What is kept of a token. */
export type TokenRecord = {
  readonly id: string;
  readonly operatorId: string;
  readonly role: Role;
  readonly label: string;
  /** Of role maker: whose statement it reads. */
  readonly make: string | null;
  /** Whose it is; null where nobody said. */
  readonly person: string | null;
  /** Who made it by a token of their own, and who made that one; none of one made at the command line. */
  readonly vouchedBy: readonly string[];
  readonly expiresAt: Date | null;
  readonly revokedAt: Date | null;
};

/**
 * Whether a token opens the door at this moment.
 * @throws TurnupError `token_unknown`, `token_revoked`, `token_expired`
 */
export function admit(record: TokenRecord | undefined, now: Date): Caller {
  if (!record) {
    throw new TurnupError("token_unknown", "No token like this was ever given out here.", {
      nextStep: "Check that the whole token was copied, or ask an administrator for a new one.",
    });
  }
  if (record.revokedAt && record.revokedAt <= now) {
    throw new TurnupError("token_revoked", "This token was revoked.", {
      nextStep: "Ask an administrator for a new token.",
    });
  }
  if (record.expiresAt && record.expiresAt <= now) {
    throw new TurnupError("token_expired", `This token expired at ${record.expiresAt.toISOString()}.`, {
      nextStep: "Ask an administrator for a new token.",
    });
  }
  const { id, operatorId, role, label, make, person, vouchedBy } = record;
  const caller: Caller = { tokenId: id, operatorId, role, label, vouchedBy };
  if (make === null && person === null) return caller;
  return { ...caller, ...(make !== null && { make }), ...(person !== null && { person }) };
}
