/** What an operator says of its markets, in the API's words: rules that hold there in place of the policy's own. */
import Type from "typebox";
import { LEVELS, type MarketRules } from "../../kernel/operator/policy.ts";
import { BEARERS } from "../../wire/message/legs.ts";
import { words } from "../schema.ts";

export const marketIn = Type.String({
  pattern: "^[A-Z]{2}$",
  description: "ISO 3166 alpha-2 of a listed market: where the network is that served the device.",
});

const here = { description: "As the policy's own key of this name, for orders of this market." };
const rules = Type.Object(
  {
    ageCutOffYears: Type.Optional(
      Type.Unsafe<number | null>({
        type: ["number", "null"],
        minimum: 0,
        maximum: 50,
        "x-unit": "years",
        ...here,
      }),
    ),
    keyWithoutDeal: Type.Optional(Type.Boolean(here)),
    keyForUnknown: Type.Optional(Type.Boolean(here)),
    tryKeys: Type.Optional(Type.Boolean(here)),
    package: Type.Optional(words(["together", "apart"], here.description)),
    authentication: Type.Optional(words(["netwpin", "userpin"], here.description)),
    unknownProtocol: Type.Optional(words(["omacp", "link"], here.description)),
    unknownBearer: Type.Optional(words(BEARERS, here.description)),
    doneAt: Type.Optional(words(LEVELS, here.description)),
    sender: Type.Optional(Type.String({ pattern: "^(?:\\+?[0-9]{1,15}|[A-Za-z0-9 ]{1,11})$", ...here })),
  },
  { additionalProperties: false },
);

export const marketRules = Type.Unsafe<Readonly<Record<string, MarketRules>>>({
  ...Type.Object(
    {},
    { description: "By country of a listed market: what holds there in place of the policy's own." },
  ),
  maxProperties: 300,
  propertyNames: { pattern: "^[A-Z]{2}$" },
  additionalProperties: rules,
});
