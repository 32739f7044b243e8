/** `turnup creditor ...` and `turnup payer ...`: to which accounts portions are paid by file, and from which. */
import { type Creditor, type CreditorView, readCreditor } from "../../kernel/settlement/creditor.ts";
import { TurnupError } from "../../term/error.ts";
import { CLI_ACTOR, OPERATOR_OPTIONS, withOperator } from "../server/operator-store.ts";
import { settlementOf } from "../server/settlement.ts";
import { type Command, type CommandContext, type Outcome, UsageError } from "../terminal/command.ts";
import { tableOf, timeOf } from "../terminal/table.ts";

const ACCOUNT_OPTIONS = [
  ...OPERATOR_OPTIONS,
  { flags: "--name <name>", about: "of the account's holder", needed: true },
  { flags: "--iban <iban>", about: "its IBAN; - reads it from standard input" },
  { flags: "--account-number <number>", about: "of a country without IBANs; then --bic is needed" },
  { flags: "--account-scheme <text>", about: "what kind of number that is, as the bank calls it" },
  { flags: "--bic <bic>", about: "of its bank, 8 or 11 characters" },
  { flags: "--street <street>", about: "of the holder's address" },
  { flags: "--building <number>", about: "of the address" },
  { flags: "--post-code <code>", about: "of the address" },
  { flags: "--town <town>", about: "of the address; goes with --country" },
  { flags: "--country <code>", about: "of the address, two letters of ISO 3166" },
  {
    flags: "--reference <text>",
    about: "what the holder finds payments by: RF.. of ISO 11649, or a number of its own",
  },
] as const;
const IBAN_LINE_CHARACTERS_MAX = 100;

async function creditorOf(context: CommandContext, make: string | null): Promise<Creditor> {
  const option = (name: string): string | undefined => context.option(name);
  const [town, country] = [option("town"), option("country")];
  if ((town === undefined) !== (country === undefined))
    throw new UsageError("An address has --town and --country, or is left out.");
  const iban = option("iban");
  return readCreditor(make, {
    name: option("name") ?? "",
    iban:
      iban === "-" ? (await context.content("-", IBAN_LINE_CHARACTERS_MAX)).toString("utf8").trim() : iban,
    accountNumber: option("account-number"),
    accountScheme: option("account-scheme"),
    bic: option("bic"),
    reference: option("reference"),
    address:
      town === undefined || country === undefined
        ? undefined
        : {
            street: option("street") ?? null,
            building: option("building") ?? null,
            postCode: option("post-code") ?? null,
            town,
            country,
          },
  });
}

const put = (context: CommandContext, make: string | null): Promise<Outcome> =>
  withOperator(context, async (opened) => {
    const creditor = await creditorOf(context, make);
    const view = await settlementOf(opened).creditors.put(opened.operator.id, creditor, CLI_ACTOR);
    if (context.json) await context.printJson(view);
    else await context.print(`${view.make ?? "the operator"}: ${view.name}, ${view.accountMasked}`);
    return "ok";
  });

export const creditorSetCommand: Command = {
  name: "creditor set",
  summary: "Write the account to which a manufacturer's portions are paid by file",
  description:
    "Check digits and the country's length are checked. The number is sealed, shown masked from then on, and never told again.\n" +
    "An IBAN on the command line stands in the shell's history: --iban - reads it from standard input.",
  args: [{ usage: "<make>", about: "manufacturer, as the catalog spells it" }],
  options: ACCOUNT_OPTIONS,
  examples: [
    'turnup creditor set Sony --name "Sony Europe" --iban "GB29 NWBK 6016 1331 9268 19"',
    'turnup creditor set LG --name "LG Electronics" --account-number 100-22-33 --bic CZNBKRSE --town Seoul --country KR',
  ],
  run: (context) => put(context, context.args[0] ?? ""),
};

export const payerSetCommand: Command = {
  name: "payer set",
  summary: "Write the account from which payment files pay",
  options: ACCOUNT_OPTIONS,
  examples: [
    'turnup payer set --name "Meridian Mobile" --iban "DE89 3704 0044 0532 0130 00" --bic COBADEFFXXX',
  ],
  run: (context) => put(context, null),
};

export const creditorListCommand: Command = {
  name: "creditor list",
  summary: "List the accounts that payment files pay to and from, masked",
  options: OPERATOR_OPTIONS,
  examples: ["turnup creditor list", "turnup creditor list --json"],
  run: (context) =>
    withOperator(context, async (opened) => {
      const { creditors } = settlementOf(opened);
      const payer = await creditors.find(opened.operator.id, null);
      const all: CreditorView[] = [...(payer ? [payer] : []), ...(await creditors.list(opened.operator.id))];
      if (context.json) for (const one of all) await context.printJson(one);
      else if (all.length === 0) context.note("no account data are kept");
      else {
        const rows = all.map(({ make, name, accountMasked, bic, reference, madeAt, madeBy }) => [
          make ?? "(payer)",
          name,
          accountMasked,
          bic ?? "-",
          reference ?? "-",
          timeOf(madeAt),
          madeBy,
        ]);
        for (const line of tableOf(["MAKE", "NAME", "ACCOUNT", "BIC", "REFERENCE", "MADE", "BY"], rows))
          await context.print(line);
      }
      return "ok";
    }),
};

export const creditorRemoveCommand: Command = {
  name: "creditor remove",
  summary: "Forget a manufacturer's account; its portions wait until there is another",
  args: [{ usage: "<make>", about: "manufacturer" }],
  options: OPERATOR_OPTIONS,
  examples: ["turnup creditor remove Sony"],
  run: (context) =>
    withOperator(context, async (opened) => {
      const [make = ""] = context.args;
      if (!(await settlementOf(opened).creditors.remove(opened.operator.id, make, CLI_ACTOR)))
        throw new TurnupError("creditor_not_found", "No account data of this manufacturer is kept.", {
          nextStep: "`turnup creditor list` lists them.",
        });
      if (context.json) await context.printJson({ make, removed: true });
      else await context.print(`${make} has no account here any more`);
      return "ok";
    }),
};
