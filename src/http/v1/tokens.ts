/** Tokens of the operator. One is shown once, when it is made; only its SHA-256 is kept. */
import { randomBytes } from "node:crypto";
import Type from "typebox";
import { actingOf, knownPerson, vouchersOf } from "../../kernel/account/person.ts";
import { ROLES } from "../../kernel/account/role.ts";
import { hashToken, TOKEN_RANDOM_OCTETS, tokenOf } from "../../kernel/account/token.ts";
import { TurnupError } from "../../term/error.ts";
import { answerPage, pageOf } from "../page.ts";
import { InvalidRequest } from "../problem.ts";
import { created, gone, route } from "../route.ts";
import {
  id,
  instant,
  instantIn,
  instantOrNull,
  named,
  page,
  pageQuery,
  text,
  textOrNull,
  words,
} from "../schema.ts";

const tokenFields = {
  id: Type.String(),
  role: words(ROLES),
  label: Type.String(),
  make: textOrNull({ description: "Of role maker: whose statement it reads." }),
  person: textOrNull({ description: "Whose it is; null where nobody said." }),
  createdAt: instant(),
  expiresAt: instantOrNull(),
  revokedAt: instantOrNull(),
  lastUsedAt: instantOrNull(),
};
const Token = named("Token", Type.Object(tokenFields));

export const listTokens = route({
  method: "GET",
  path: "/v1/tokens",
  summary: "Tokens of the operator, never the tokens themselves",
  tag: "tokens",
  roles: ["admin"],
  errors: [],
  status: 200,
  query: pageQuery,
  answer: page(Token),
  async handle({ tokens }, { query, caller, request }) {
    return answerPage(await tokens.list(caller.operatorId, pageOf(query)), request);
  },
});

export const createToken = route({
  method: "POST",
  path: "/v1/tokens",
  summary: "Make a token; it is shown in this answer and never again",
  tag: "tokens",
  roles: ["admin"],
  errors: ["person_unknown"],
  status: 201,
  once: "door",
  body: Type.Object(
    {
      role: words(ROLES),
      label: text("Who or what bears it; the audit names it.", 80),
      make: Type.Optional(
        text("Of role maker alone: the make whose statement it reads and whose lines it may dispute.", 80),
      ),
      person: Type.Optional(
        text(
          "Whose it is: where two people are needed, two tokens of one person are one person, and a token that one made for the other too. Only a token that names its own person says so of another.",
          80,
        ),
      ),
      expiresAt: Type.Optional(instantIn("RFC 3339 time; it lives until revoked unless given.")),
    },
    { additionalProperties: false },
  ),
  answer: Type.Object({
    ...tokenFields,
    token: textOrNull({ description: "Null when this answer is a repeat." }),
  }),
  async handle({ tokens, clock }, { body, caller, once }) {
    const expiresAt = body.expiresAt === undefined ? null : new Date(body.expiresAt);
    if (expiresAt && !(expiresAt > clock())) {
      throw new InvalidRequest([{ at: "body/expiresAt", wanted: "must be a time to come" }]);
    }
    if (body.make !== undefined && body.role !== "maker")
      throw new InvalidRequest([{ at: "body/make", wanted: "must be left out, except for the role maker" }]);
    const token = tokenOf(randomBytes(TOKEN_RANDOM_OCTETS));
    const { role, label, make = null, person = null } = body;
    const acting = actingOf(caller);
    // Whoever says whose a token is could bear it, and has to be somebody: else they were a second person to themselves.
    if (person !== null) knownPerson(acting);
    const vouchedBy = vouchersOf(acting);
    const made = {
      id: once.subjectId,
      hash: hashToken(token),
      role,
      label,
      make,
      person,
      vouchedBy,
      expiresAt,
    };
    return created({ ...(await tokens.create(caller.operatorId, made, caller.label)), token });
  },
});

export const revokeToken = route({
  method: "DELETE",
  path: "/v1/tokens/:id",
  summary: "Revoke a token: refused at once here, on every other server within a second",
  tag: "tokens",
  roles: ["admin"],
  errors: ["token_not_found"],
  status: 204,
  params: { id: id("Of the token.") },
  async handle({ tokens }, { params, caller }) {
    if (!(await tokens.revoke(caller.operatorId, params.id, caller.label))) {
      throw new TurnupError("token_not_found", "There is no such token.", {
        nextStep: "GET /v1/tokens lists them.",
      });
    }
    return gone();
  },
});
