/** `turnup token add`: the first token of an operator. With an admin's, the API makes, lists and revokes the others. */

import { randomBytes } from "node:crypto";
import { ROLES } from "../../kernel/account/role.ts";
import { hashToken, TOKEN_RANDOM_OCTETS, tokenOf } from "../../kernel/account/token.ts";
import { createRegistry } from "../../store/operator/registry.ts";
import { assured, wordOf } from "../../term/narrow.ts";
import { CLI_ACTOR, OPERATOR_OPTIONS, withOperator } from "../server/operator-store.ts";
import { type Command, UsageError } from "../terminal/command.ts";

const LABEL_CHARACTERS_MAX = 80;
const DAYS_MAX = 3_650;
const DAY_MS = 86_400_000;

export const tokenAddCommand: Command = {
  name: "token add",
  summary: "Make a token for the API; it is shown once",
  description: "Only its SHA-256 is kept. What each role may do is in docs/api.md.",
  options: [
    ...OPERATOR_OPTIONS,
    { flags: "--role <role>", about: "what its bearer is", choices: ROLES, needed: true },
    { flags: "--label <text>", about: "who bears it; the audit names it (default: the role)" },
    {
      flags: "--person <name>",
      about: "whose it is: two tokens of one person are one person where two are needed",
    },
    { flags: "--make <make>", about: "of role maker: the make whose statement it reads" },
    { flags: "--days <count>", about: "how long it lives (default: until it is revoked)" },
  ],
  examples: [
    "turnup token add --role admin",
    'turnup token add --role admin --label ada-laptop --person "Ada Lovelace"',
    "turnup token add --role maker --make Sony",
    "turnup token add --operator meridian --role probe --label radius --days 365",
  ],
  async run(context) {
    const role = assured(wordOf(ROLES, context.option("role")), "the option is needed and one of these");
    const label = context.option("label") ?? role;
    if (label.length < 1 || label.length > LABEL_CHARACTERS_MAX)
      throw new UsageError(`--label has 1 to ${LABEL_CHARACTERS_MAX} characters.`);
    const make = context.option("make") ?? null;
    if (make !== null && role !== "maker") throw new UsageError("--make goes with --role maker.");
    const person = personOf(context.option("person"));
    const expiresAt = expiryOf(context.option("days"), context.now());
    return await withOperator(context, async ({ store, operator, newId, clock }) => {
      const registry = createRegistry({ database: store.database, sealer: store.sealer, newId, clock });
      const token = tokenOf(randomBytes(TOKEN_RANDOM_OCTETS));
      const id = newId();
      await registry.tokens.create(
        operator.id,
        { id, hash: hashToken(token), role, label, make, person, expiresAt },
        CLI_ACTOR,
      );
      if (context.json)
        await context.printJson({ id, operator: operator.slug, role, label, make, person, expiresAt, token });
      else await context.print(token);
      return "ok";
    });
  },
};

export function personOf(given: string | undefined): string | null {
  const person = given?.trim();
  if (person === undefined) return null;
  if (person.length < 1 || person.length > LABEL_CHARACTERS_MAX)
    throw new UsageError(`--person has 1 to ${LABEL_CHARACTERS_MAX} characters.`);
  return person;
}

function expiryOf(days: string | undefined, now: Date): Date | null {
  if (days === undefined) return null;
  const count = Number(days);
  if (Number.isInteger(count) && count >= 1 && count <= DAYS_MAX)
    return new Date(now.getTime() + count * DAY_MS);
  throw new UsageError(`--days is an integer from 1 to ${DAYS_MAX}.`);
}
