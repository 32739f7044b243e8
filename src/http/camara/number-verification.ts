/** CAMARA Number Verification 2.1.0: whether a number is that of the line by which the subscriber was known, or which number that is. */
import { hash, timingSafeEqual } from "node:crypto";
import { type Access, digitsOf, RefusalError } from "../../kernel/exposure/access.ts";
import type { CamaraDeps, CamaraOperation } from "./camara-operation.ts";

const BASE = "/number-verification/v2";

export const numberVerification: readonly CamaraOperation[] = [
  {
    method: "POST",
    path: `${BASE}/verify`,
    scopes: ["number-verification:verify"],
    async answer(deps, access, { phoneNumber, hashedPhoneNumber, ...others }) {
      if (Object.keys(others).length > 0 || (phoneNumber === undefined) === (hashedPhoneNumber === undefined))
        throw new RefusalError("INVALID_ARGUMENT", "Either phoneNumber or hashedPhoneNumber is wanted.");
      const wanted =
        phoneNumber === undefined ? hashIn(hashedPhoneNumber) : hashOf(`+${digitsIn(phoneNumber)}`);
      const own = hashOf(`+${await ownNumber(deps, access)}`);
      return { devicePhoneNumberVerified: timingSafeEqual(own, wanted) };
    },
  },
  {
    method: "GET",
    path: `${BASE}/device-phone-number`,
    scopes: ["number-verification:device-phone-number:read"],
    answer: async (deps, access) => ({ devicePhoneNumber: `+${await ownNumber(deps, access)}` }),
  },
];

/**
 * The number of the line that the network knew, if a SIM still has it.
 * @throws RefusalError `NUMBER_VERIFICATION.USER_NOT_AUTHENTICATED_BY_MOBILE_NETWORK`, `INVALID_TOKEN_CONTEXT`
 */
async function ownNumber({ lines }: CamaraDeps, { client, subject, isByNetwork }: Access): Promise<string> {
  if (subject === null || !isByNetwork)
    throw new RefusalError(
      "NUMBER_VERIFICATION.USER_NOT_AUTHENTICATED_BY_MOBILE_NETWORK",
      "The subscriber has to be known by the mobile network itself.",
    );
  const line = await lines.lineOf(client.operatorId, subject);
  if (!line?.simSince)
    throw new RefusalError("INVALID_TOKEN_CONTEXT", "No SIM of this operator has the token's number.");
  return subject;
}

function digitsIn(phoneNumber: unknown): string {
  const digits = typeof phoneNumber === "string" ? digitsOf(phoneNumber) : undefined;
  if (digits === undefined)
    throw new RefusalError("INVALID_ARGUMENT", "phoneNumber is + and a number in its international form.");
  return digits;
}

function hashIn(given: unknown): Buffer {
  if (typeof given !== "string" || !/^[a-fA-F0-9]{64}$/.test(given))
    throw new RefusalError("INVALID_ARGUMENT", "hashedPhoneNumber is a SHA-256 in hexadecimal.");
  return Buffer.from(given, "hex");
}

const hashOf = (phoneNumber: string): Buffer => hash("sha256", phoneNumber, "buffer");
