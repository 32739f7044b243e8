/**
 * Who comes to the public server without our proxy: a line that an operator's own gateway names (its headers, from its
 * addresses alone), somebody whom an SMS let in (the session in the address), or nobody that we know.
 */
import {
  isOfFormerNumber,
  openSession,
  PORTAL_SESSION_MS,
  type PortalSession,
} from "../../kernel/dialog/tokens.ts";
import { gatewayAt, identityFrom } from "../../proxy/gateway-identity.ts";
import { hostOf } from "../connections.ts";
import { type HeaderLines, oneHeader } from "../header-lines.ts";
import { languageOf } from "../land/identity.ts";
import { type PortalContext, Trouble } from "./portal-context.ts";
import type { PortalOperator } from "./ports.ts";
import { plainly, subjectOf, type Visitor, withSession } from "./visitor.ts";

export type Arrival = {
  /** Of the socket, or told by a proxy in front that we trust. */
  readonly address: string;
  readonly headers: HeaderLines;
  readonly query: URLSearchParams;
};

export const strangerAt = (operator: PortalOperator, { headers, address }: Arrival): Visitor => ({
  door: "public",
  operator,
  subject: subjectOf(`anyone ${operator.id}`),
  person: undefined,
  who: undefined,
  assurance: "none",
  language: languageOf(oneHeader(headers, "accept-language") ?? null),
  bearer: null,
  address: hostOf(address),
  at: plainly,
});

/**
 * A line that the network names counts before a session in the address: nobody is led into another's session by a link.
 * @throws Trouble `line_conflict`: headers that name two lines
 */
export async function publicVisitor(
  context: PortalContext,
  operator: PortalOperator,
  arrival: Arrival,
): Promise<Visitor> {
  const { deps } = context;
  const stranger = strangerAt(operator, arrival);
  const rule = gatewayAt(deps.gateways, arrival.address);
  const line = rule ? identityFrom(rule, arrival.headers) : "none";
  if (line === "conflict") throw new Trouble("line_conflict", 403);
  if (rule && line !== "none") {
    const { msisdn, imsi, deviceId } = line;
    const who = {
      ...(msisdn === null ? {} : { msisdn }),
      ...(imsi === null ? {} : { imsi }),
      ...(deviceId === null ? {} : { imei: deviceId }),
    };
    const { address: _, ...nobody } = stranger; // the gateway's, which is all its subscribers'
    return {
      ...nobody,
      subject: subjectOf(`line ${operator.id} ${msisdn ?? imsi ?? ""}`),
      person: await deps.people.find(operator.id, who),
      who,
      assurance: "network",
      bearer: rule.bearer,
    };
  }
  const token = arrival.query.get("s");
  const session = token === null ? undefined : openSession(token, operator.id, deps.clock(), deps.key);
  if (token === null || !session) return stranger;
  return sessionVisitor(context, stranger, token, session);
}

/** Somebody whom an SMS let in. */
export async function sessionVisitor(
  { deps }: PortalContext,
  stranger: Visitor,
  token: string,
  { subscriberId, assurance, endsAt }: PortalSession,
): Promise<Visitor> {
  const who = { subscriberId };
  const person = await deps.people.find(stranger.operator.id, who);
  const provedAt = new Date(endsAt.getTime() - PORTAL_SESSION_MS);
  if (!person || isOfFormerNumber(provedAt, person)) return stranger;
  const subject = subjectOf(`session ${stranger.operator.id} ${subscriberId}`);
  return { ...stranger, subject, person, who, assurance, session: token, at: withSession(token) };
}
