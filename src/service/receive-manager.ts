/**
 * Takes in what an operator sends (US 6,647,260, figure 6: message receive manager 662): reads it, refuses what is no
 * registration or too large, knows what came before by its externalId, and gives the rest to the kernel.
 */
import { registrationIn } from "../wire/message/scim.ts";
import type { Decision, RegistrationKernel, Verdict } from "./registration-kernel.ts";

/** All that is kept of one user seals to one line of the journal. */
const MAX_USER_OCTETS = 6_000;
const MAX_ID_CHARACTERS = 128;
const DEFAULT_LANGUAGE = "en";

/** Why a message is not looked at, in SCIM's words (RFC 7644 clause 3.12). */
export type Malformed = { readonly kind: "malformed"; readonly detail: string };
export type ReceiveManager = ReturnType<typeof createReceiveManager>;

export function createReceiveManager(kernel: RegistrationKernel) {
  return {
    /** A new user. One whose externalId came before is not made twice: `taken`. */
    register(clientId: string, user: unknown, now: Date): Decision<Verdict | Malformed> {
      const said = registrationIn(user);
      const { externalId, userName, msisdn = "", language = DEFAULT_LANGUAGE, fields } = said;
      const fault = faultOf(said);
      if (fault) return refused(fault);
      if (externalId === undefined) return refused("externalId is missing: it names the registration");
      if (userName === undefined) return refused("userName is missing");
      return kernel.register(clientId, { externalId, userName, msisdn, language, fields }, now);
    },
    /** What completes or changes a user that is there. */
    amend(
      clientId: string,
      id: string,
      user: unknown,
      renew: boolean,
      now: Date,
    ): Decision<Verdict | Malformed> {
      const said = registrationIn(user);
      const fault = faultOf(said);
      if (fault) return refused(fault);
      const { externalId: _kept, ...changes } = said; // externalId is the registration's name and stays
      return kernel.amend(clientId, id, changes, renew, now);
    },
    remove: (clientId: string, id: string) => kernel.remove(clientId, id),
  };
}

function faultOf(said: ReturnType<typeof registrationIn>): string | undefined {
  const { externalId = "", userName = "x" } = said;
  if (externalId.length > MAX_ID_CHARACTERS || /\p{Cc}/u.test(externalId)) return "externalId is too long";
  if (userName.trim() === "" || userName.length > MAX_ID_CHARACTERS || /\p{Cc}/u.test(userName))
    return `userName has 1 to ${MAX_ID_CHARACTERS} characters`;
  const octets = Buffer.byteLength(JSON.stringify(said));
  return octets > MAX_USER_OCTETS ? `a user has at most ${MAX_USER_OCTETS} octets here` : undefined;
}

const refused = (detail: string): Decision<Malformed> => ({
  answer: { kind: "malformed", detail },
  events: [],
});
