/** `turnup ledger`: what stands on every account, the proof that the books balance, and the latest postings. */
import type { Balance, PostingRow } from "../../kernel/order/order-reader.ts";
import { createOrderReader } from "../../store/orders/order-reader.ts";
import { formatMoney } from "../../term/money.ts";
import { OPERATOR_OPTIONS, withOperator } from "../server/operator-store.ts";
import type { Command } from "../terminal/command.ts";
import { jsonable, tableOf, timeOf } from "../terminal/table.ts";
import { limitOf } from "./orders.ts";

export const ledgerCommand: Command = {
  name: "ledger",
  summary: "Show who owes whom, with the proof that the books balance, and the latest postings",
  description:
    "A balance is debits minus credits. Double entry: over all accounts every currency sums to zero, and the command says\n" +
    "so; exit code 1 when one does not. With --json one object a line: {balance}, {proof}, {posting}.",
  options: [
    ...OPERATOR_OPTIONS,
    { flags: "--account <account>", about: "only this account; the proof is still over all" },
    { flags: "--limit <count>", about: "latest postings shown, 1 to 1000 (default 20)" },
  ],
  examples: [
    "turnup ledger",
    "turnup ledger --account payable:maker:samsung --limit 100",
    "turnup ledger --json",
  ],
  async run(context) {
    const account = context.option("account");
    const limit = limitOf(context.option("limit"));
    return await withOperator(context, async ({ store, operator }) => {
      const reader = createOrderReader(store.database, store.sealer);
      const all = await reader.balances(operator.id);
      const balances = account === undefined ? all : all.filter((one) => one.account === account);
      const { rows: postings } = await reader.listPostings(operator.id, { account }, { limit });
      const proofs = proofsOf(all);
      const say = context.json
        ? (value: Record<string, unknown>) => context.printJson(jsonable(value))
        : undefined;
      if (say) {
        for (const balance of balances) await say({ balance });
        for (const proof of proofs) await say({ proof });
        for (const posting of postings) await say({ posting });
      } else {
        if (account !== undefined && balances.length === 0)
          context.note(`nothing was ever booked on ${account}`);
        for (const line of linesOf(balances, proofs, postings)) await context.print(line);
      }
      return proofs.every(({ balanced }) => balanced) ? "ok" : "failed";
    });
  },
};

type Proof = {
  readonly currency: string;
  readonly debitMinor: bigint;
  readonly creditMinor: bigint;
  readonly balanced: boolean;
};

/** Accounts in debit against accounts in credit, for each currency. */
function proofsOf(balances: readonly Balance[]): Proof[] {
  const currencies = [...new Set(balances.map(({ currency }) => currency))].sort();
  return currencies.map((currency) => {
    const own = balances.filter((one) => one.currency === currency).map(({ balanceMinor }) => balanceMinor);
    const debitMinor = own.filter((minor) => minor > 0n).reduce((sum, minor) => sum + minor, 0n);
    const creditMinor = own.filter((minor) => minor < 0n).reduce((sum, minor) => sum - minor, 0n);
    return { currency, debitMinor, creditMinor, balanced: debitMinor === creditMinor };
  });
}

function* linesOf(
  balances: readonly Balance[],
  proofs: readonly Proof[],
  postings: readonly PostingRow[],
): Generator<string> {
  if (proofs.length === 0) yield "nothing was booked yet: the books are empty and balance";
  if (balances.length > 0) {
    const rows = balances.map(({ account, currency, balanceMinor }) => [
      account,
      formatMoney({ amountMinor: balanceMinor, currency }),
      currency,
    ]);
    yield* tableOf(["ACCOUNT", "BALANCE", "CURRENCY"], rows, { right: [1] });
    yield "";
  }
  for (const { currency, debitMinor, creditMinor, balanced } of proofs) {
    const money = (amountMinor: bigint): string => formatMoney({ amountMinor, currency });
    yield balanced
      ? `${currency} balances: ${money(debitMinor)} in debit and ${money(creditMinor)} in credit sum to ${money(0n)}`
      : `${currency} DOES NOT BALANCE: ${money(debitMinor)} in debit, ${money(creditMinor)} in credit, off by ${money(debitMinor - creditMinor)}`;
  }
  if (postings.length === 0) return;
  yield "";
  const rows = postings.map(({ bookedAt, debit, credit, amountMinor, currency, reference }) => [
    timeOf(bookedAt),
    formatMoney({ amountMinor, currency }),
    credit,
    debit,
    reference,
  ]);
  yield* tableOf(["BOOKED", "AMOUNT", "FROM (CREDIT)", "TO (DEBIT)", "REFERENCE"], rows, { right: [1] });
}
