/** Who looks at a screen, and how we came to know them. */
import { createHash } from "node:crypto";
import type { Assurance } from "../../kernel/catalog/catalog-item.ts";
import type { KnownPerson } from "../../kernel/dialog/people.ts";
import type { NewRequest, RequestScope } from "../../kernel/order/request.ts";
import type { OwnScope } from "../../kernel/order/self-care.ts";
import type { LandIdentity } from "../land/handler.ts";
import type { PortalDeps, PortalOperator } from "./ports.ts";

export type Visitor = {
  /** `land`: a proxy vouches for the device. */
  readonly door: "land" | "public";
  readonly operator: PortalOperator;
  /** What forms and keys of repeats are bound to; equal for the same person at the same door. */
  readonly subject: string;
  /** By the books; undefined for somebody unknown, and for a SIM that asks for the first time. */
  readonly person: KnownPerson | undefined;
  /** Undefined for somebody unknown: they may look, and ask for nothing. */
  readonly who: NewRequest["who"] | undefined;
  readonly assurance: Assurance;
  readonly language: string;
  readonly bearer: string | null;
  /** The most octets that one answer may have on the way to the device; absent where nothing limits it. */
  readonly airOctets?: number | null;
  /** Of the session in the address, and where it comes from, as far as that is the visitor's own and no gateway's. */
  readonly session?: string;
  readonly address?: string;
  /** By telephone: answers are keyed, one after the other. */
  readonly byKeys?: boolean;
  /** An address of this server with the session in it. */
  readonly at: (path: string) => string;
};

export const plainly = (path: string): string => path;
export const withSession =
  (token: string) =>
  (path: string): string =>
    `${path}${path.includes("?") ? "&" : "?"}s=${token}`;

/** Whose requests this visitor may see. Undefined where there can be none: nobody's is never everybody's. */
export const scopeOf = ({ operator, person }: Visitor): RequestScope | undefined =>
  person && { operatorId: operator.id, subscriberId: person.subscriberId };

/** Whose own things this visitor changes. Undefined where nobody in the books stands behind them. */
export const ownScopeOf = ({ operator, person }: Visitor): OwnScope | undefined =>
  person && { operatorId: operator.id, subscriberId: person.subscriberId };

/** Through the proxy: the device is known even where its SIM is not in the books yet. */
export async function landVisitor(
  { people }: Pick<PortalDeps, "people">,
  operator: PortalOperator,
  { imei, imsi, msisdn, assurance, language, bearer, airOctets }: LandIdentity,
): Promise<Visitor> {
  const who = { imei, ...(imsi === null ? {} : { imsi }), ...(msisdn === null ? {} : { msisdn }) };
  return {
    door: "land",
    operator,
    subject: subjectOf(`land ${operator.id} ${imei} ${imsi ?? ""}`),
    person: await people.find(operator.id, who),
    who,
    assurance,
    language,
    bearer,
    airOctets,
    at: plainly,
  };
}

/** Identifiers of people are no part of keys that are kept. */
export const subjectOf = (text: string): string => createHash("sha256").update(text).digest("base64url");
