/** `turnup subscriber data` and `erase`: what is known of one person, and its end. */
import { numberNamed } from "../../http/v1/subscribers/number.ts";
import { type ErasureView, HOLDS, subscriberNotFound } from "../../kernel/account/erasure.ts";
import { createErasure } from "../../store/retention/people.ts";
import { CLI_ACTOR, OPERATOR_OPTIONS, type OperatorStore, withOperator } from "../server/operator-store.ts";
import type { Command, CommandContext, Outcome } from "../terminal/command.ts";

const NUMBER = [
  { usage: "<number>", about: "phone number in E.164, or IMSI: 14 or 15 digits without + are an IMSI" },
] as const;

const erasureOf = ({ store: { database, sealer }, newId, clock }: OperatorStore) =>
  createErasure({ database, sealer, newId, clock });

/** @throws TurnupError `subscriber_not_found`, `imsi_malformed`, `msisdn_malformed` */
async function subscriberOf({ store, operator }: OperatorStore, text: string): Promise<string> {
  const number = numberNamed(text);
  const [domain, digits] = "imsi" in number ? ["imsi", number.imsi] : ["msisdn", number.msisdn];
  const found = await store.database.one<{ id: string }>(
    `select id from subscriber where operator_id = $1 and ${domain}_index = $2 order by id desc limit 1`,
    [operator.id, store.sealer.blindIndex(domain, operator.id, digits)],
  );
  if (found) return found.id;
  throw subscriberNotFound();
}

export const subscriberDataCommand: Command = {
  name: "subscriber data",
  summary: "Print all that is known of one person as JSON, with numbers and names in clear",
  description:
    "For whoever asks for their own data; it stands in the audit. Write it to a file that nobody else reads.",
  args: NUMBER,
  options: OPERATOR_OPTIONS,
  examples: ["turnup subscriber data +491701234567 > data.json"],
  run: (context) =>
    withOperator(context, async (opened) => {
      const id = await subscriberOf(opened, context.args[0] ?? "");
      const data = await erasureOf(opened).exportOf(opened.operator.id, id, CLI_ACTOR);
      if (context.json) await context.printJson(data);
      else await context.print(JSON.stringify(data, null, 2));
      return "ok";
    }),
};

export const subscriberEraseCommand: Command = {
  name: "subscriber erase",
  summary: "Erase one person's numbers, names, texts and handsets for good",
  description:
    "Nothing is erased while money or an order needs the data; it is said what does. --dry-run tells it beforehand and changes nothing.\n" +
    "Orders, postings and counts stay, and name nobody any more. A SIM that the network sees again is a new one.",
  args: NUMBER,
  options: [{ flags: "--dry-run", about: "tell what would go, and change nothing" }, ...OPERATOR_OPTIONS],
  examples: ["turnup subscriber erase +491701234567 --dry-run"],
  run: (context) =>
    withOperator(context, async (opened) => {
      const id = await subscriberOf(opened, context.args[0] ?? "");
      const erasure = erasureOf(opened);
      const isLook = context.flag("dry-run");
      const view = isLook
        ? await erasure.look(opened.operator.id, id)
        : await erasure.erase(opened.operator.id, id, CLI_ACTOR);
      return await tell(context, view);
    }),
};

async function tell(context: CommandContext, view: ErasureView): Promise<Outcome> {
  if (context.json) {
    await context.printJson(view);
    return "ok";
  }
  for (const hold of view.holds) await context.print(HOLDS[hold]);
  const { messages, pairings, devices, requests, records } = view.erases;
  const word = view.erasedAt === null ? (view.holds.length === 0 ? "Would go" : "Would go then") : "Erased";
  await context.print(
    `${word}: ${messages} messages, ${pairings} pairs of SIM and handset, ${devices} IMEIs, data of ${requests} requests, ${records} own records.`,
  );
  return "ok";
}
