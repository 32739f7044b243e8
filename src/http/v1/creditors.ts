/** Account data of manufacturers, who are paid by file, and of the operator, who pays. Numbers go in and never come out. */
import Type, { type Static } from "typebox";
import { actingOf } from "../../kernel/account/person.ts";
import { type CreditorView, readCreditor } from "../../kernel/settlement/creditor.ts";
import { TurnupError } from "../../term/error.ts";
import { gone, ok, route } from "../route.ts";
import { instant, named, text, textOrNull } from "../schema.ts";

const Address = Type.Object(
  {
    street: textOrNull({ maxLength: 70 }),
    building: textOrNull({ maxLength: 16 }),
    postCode: textOrNull({ maxLength: 16 }),
    town: text("Town.", 35),
    country: Type.String({ pattern: "^[A-Z]{2}$", description: "ISO 3166, two letters.", examples: ["DE"] }),
  },
  { additionalProperties: false },
);
const AddressOut = Type.Unsafe<Static<typeof Address> | null>({ anyOf: [Address, { type: "null" }] });
const AccountIn = named(
  "AccountData",
  Type.Object(
    {
      name: text("Of the account's holder.", 70),
      iban: Type.Optional(
        text("IBAN, with or without spaces; its check digits and its country's length are checked.", 42),
      ),
      accountNumber: Type.Optional(text("Of a country without IBANs; then the BIC is needed.", 34)),
      accountScheme: Type.Optional(text("What kind of number that is, as the bank calls it.", 35)),
      bic: Type.Optional(
        text("8 or 11 characters; an IBAN of the single euro payments area needs none.", 14),
      ),
      address: Type.Optional(Address),
      reference: Type.Optional(
        text("What the holder finds payments by: ISO 11649 (`RF..`), or a number of its own.", 60),
      ),
    },
    { additionalProperties: false },
  ),
);
const AccountOut = named(
  "Account",
  Type.Object({
    make: textOrNull({ description: "Null: the operator's own." }),
    name: Type.String(),
    accountMasked: Type.String({ description: "`DE89 **** 3000`." }),
    bic: textOrNull(),
    address: AddressOut,
    reference: textOrNull(),
    madeBy: Type.String(),
    madeAt: instant(),
  }),
);
const make = text("Manufacturer as the catalog spells it, letter case ignored.", 80);
const written = (view: CreditorView): Static<typeof AccountOut> => view;

const notFound = (): TurnupError =>
  new TurnupError("creditor_not_found", "No account data of this manufacturer is kept.", {
    nextStep: "PUT them at this address.",
  });

export const listCreditors = route({
  method: "GET",
  path: "/v1/creditors",
  summary: "Manufacturers that can be paid by file, their accounts masked",
  tag: "money",
  roles: ["admin", "engineer"],
  errors: [],
  status: 200,
  answer: Type.Object({ rows: Type.Array(AccountOut) }),
  async handle({ settlement }, { caller }) {
    return ok({ rows: (await settlement.creditors.list(caller.operatorId)).map(written) });
  },
});

export const putCreditor = route({
  method: "PUT",
  path: "/v1/creditors/:make",
  summary:
    "Write the account to which a manufacturer's portions are paid; it is sealed and never shown again",
  tag: "money",
  roles: ["admin"],
  errors: ["account_malformed"],
  status: 200,
  params: { make },
  body: AccountIn,
  answer: AccountOut,
  async handle({ settlement }, { params, body, caller }) {
    const creditor = readCreditor(params.make, body);
    return ok(written(await settlement.creditors.put(caller.operatorId, creditor, actingOf(caller))));
  },
});

export const removeCreditor = route({
  method: "DELETE",
  path: "/v1/creditors/:make",
  summary: "Forget a manufacturer's account; its portions wait until there is another",
  tag: "money",
  roles: ["admin"],
  errors: ["creditor_not_found"],
  status: 204,
  params: { make },
  async handle({ settlement }, { params, caller }) {
    if (!(await settlement.creditors.remove(caller.operatorId, params.make, caller.label))) throw notFound();
    return gone();
  },
});

export const getPayer = route({
  method: "GET",
  path: "/v1/payer",
  summary: "The account from which payment files pay, masked; null where none is known",
  tag: "money",
  roles: ["admin", "engineer"],
  errors: [],
  status: 200,
  answer: Type.Object({
    payer: Type.Unsafe<Static<typeof AccountOut> | null>({ anyOf: [AccountOut, { type: "null" }] }),
  }),
  async handle({ settlement }, { caller }) {
    const found = await settlement.creditors.find(caller.operatorId, null);
    return ok({ payer: found ? written(found) : null });
  },
});

export const putPayer = route({
  method: "PUT",
  path: "/v1/payer",
  summary: "Write the account from which payment files pay",
  tag: "money",
  roles: ["admin"],
  errors: ["account_malformed"],
  status: 200,
  body: AccountIn,
  answer: AccountOut,
  async handle({ settlement }, { body, caller }) {
    const payer = readCreditor(null, body);
    return ok(written(await settlement.creditors.put(caller.operatorId, payer, actingOf(caller))));
  },
});
