/** A manufacturer's own door: its statement, and the lines of it that it disputes. Its token says which make it speaks for. */
import type { Caller } from "../../../kernel/account/role.ts";
import { TurnupError } from "../../../term/error.ts";
import { answerPage, pageOf } from "../../page.ts";
import { created, ok, route } from "../../route.ts";
import { page, pageQuery } from "../../schema.ts";
import { DisputeIn, DisputeOut, state } from "../disputes.ts";
import { StatementOut, spanQuery, written } from "../statements.ts";

/** @throws TurnupError `token_without_make` */
function makeOf({ make }: Caller): string {
  if (make !== undefined) return make;
  throw new TurnupError("token_without_make", "This token does not say which manufacturer it speaks for.", {
    nextStep: "Ask the operator for one that does: POST /v1/tokens with `make`.",
  });
}

export const getMakerStatement = route({
  method: "GET",
  path: "/v1/maker/statement",
  summary: "The manufacturer's own account with opening and closing balances; oldest line first",
  tag: "money",
  roles: ["maker"],
  errors: ["token_without_make"],
  status: 200,
  query: spanQuery,
  answer: StatementOut,
  async handle({ settlement }, { query, caller }) {
    const { from, to, currency } = query;
    const page = pageOf({ ...query, order: query.order ?? "asc" });
    return ok(
      written(
        await settlement.statements.of(
          caller.operatorId,
          { make: makeOf(caller) },
          { from, to, currency },
          page,
        ),
      ),
    );
  },
});

export const openMakerDispute = route({
  method: "POST",
  path: "/v1/maker/disputes",
  summary: "Say that a line of the own statement is wrong",
  tag: "money",
  roles: ["maker"],
  errors: ["token_without_make", "posting_not_found", "dispute_not_possible", "dispute_limit"],
  status: 201,
  once: "door",
  body: DisputeIn,
  answer: DisputeOut,
  async handle({ settlement }, { body, caller, once }) {
    const asked = { ...body, id: once.subjectId, side: "maker" as const, make: makeOf(caller) };
    return created(await settlement.disputes.open(caller.operatorId, asked, caller.label));
  },
});

export const listMakerDisputes = route({
  method: "GET",
  path: "/v1/maker/disputes",
  summary: "Disputes about the own statement, newest first",
  tag: "money",
  roles: ["maker"],
  errors: ["token_without_make"],
  status: 200,
  query: { ...pageQuery, state },
  answer: page(DisputeOut),
  async handle({ settlement }, { query, caller, request }) {
    const filter = { make: makeOf(caller), state: query.state };
    return answerPage(await settlement.disputes.list(caller.operatorId, filter, pageOf(query)), request);
  },
});
