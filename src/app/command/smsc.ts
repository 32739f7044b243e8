/** `turnup smsc`: the message centre of the simulated world, alone: SMPP 3.4 for whoever has an account, phones by a list. */
import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import pino from "pino";
import { createSmscSimulator, type SmscAccount, type SmscOptions } from "../../sim/smsc/smsc.ts";
import { TurnupError } from "../../term/error.ts";
import { maskIdentifier } from "../../term/mask.ts";
import { integer, list, object, oneOf, optional, ShapeError, text } from "../../wire/message/shape.ts";
import { openLogStream } from "../server/log-stream.ts";
import { untilStopped } from "../server/lost.ts";
import { type Command, type CommandContext, UsageError } from "../terminal/command.ts";
import { portOption } from "../terminal/port-option.ts";

const MAX_FILE_OCTETS = 16 * 1_048_576;
const DEFAULT_PORT = 2775;
const ACCOUNTS_MAX = 64;
const PHONES_MAX = 100_000;
/** SMPP v3.4 clause 5.2.2: nine octets with the one that ends it. */
const PASSWORD_CHARACTERS_MAX = 8;

const digits = text({ min: 1, max: 15, pattern: /^\d+$/, wanted: "1 to 15 digits are wanted" });
const percent = optional(integer({ min: 0, max: 100 }));
/** The file of `--policy`; `docs/operations.md` describes it. */
const readPolicy = object({
  accounts: list(
    object({
      systemId: text({ max: 15, pattern: /^[\x21-\x7e]+$/ }),
      password: optional(text({ max: PASSWORD_CHARACTERS_MAX })),
      passwordFile: optional(text({ max: 1_000 })),
      numbers: optional(list(digits, { max: 1_000 })),
    }),
    { min: 1, max: ACCOUNTS_MAX },
  ),
  phones: optional(
    list(object({ number: digits, answer: oneOf(["delivered", "absent", "undeliverable"]) }), {
      max: PHONES_MAX,
    }),
  ),
  receipts: optional(
    object({
      delayMs: optional(integer({ min: 0, max: 3_600_000 })),
      lostPercent: percent,
      doubledPercent: percent,
      ids: optional(oneOf(["decimal", "hex"])),
    }),
  ),
  retryMs: optional(integer({ min: 10, max: 3_600_000 })),
  seed: optional(integer({ min: 0, max: 4_294_967_295 })),
});
type Policy = ReturnType<typeof readPolicy>;

export const smscCommand: Command = {
  name: "smsc",
  summary: "Run the simulated message centre alone: SMPP 3.4, accounts, phones, receipts",
  description: [
    "For trials without a network. ESMEs bind by an account of the policy; what one sends to a number of another account",
    "is delivered there as from a mobile, what it sends to a phone of the list ends as the list says, and any other number",
    "is undeliverable. Receipts go to who asked for them. Each message is a line on standard output, its numbers masked.",
    "Messages are kept in memory alone.",
  ].join("\n"),
  options: [
    { flags: "--policy <file>", about: "JSON: accounts, phones, receipts, retryMs, seed (needed)" },
    { flags: "--host <address>", about: "address to listen on (default 127.0.0.1)" },
    { flags: "--port <port>", about: `port to listen on, 0 for any (default ${DEFAULT_PORT})` },
  ],
  examples: ["turnup smsc --policy smsc.json", "turnup smsc --policy smsc.json --port 0 --json"],
  stays: true,
  async run(context) {
    if (context.option("policy") === undefined) throw new UsageError("--policy names the file of accounts.");
    const host = context.option("host") ?? "127.0.0.1";
    const options = await optionsOf(context, { host, port: portOption(context, DEFAULT_PORT) });
    const smsc = await createSmscSimulator(options);
    const facts = { host, port: smsc.port, accounts: 1 + (options.others?.length ?? 0) };
    if (context.json) await context.printJson(facts);
    else context.note(`message centre at ${host} port ${smsc.port}, ${facts.accounts} accounts`);
    await untilStopped(context.signal).end(() => smsc.close());
    return "ok";
  },
};

async function optionsOf(
  context: CommandContext,
  place: { readonly host: string; readonly port: number },
): Promise<SmscOptions> {
  const file = context.option("policy") ?? "-";
  const policy = read(await context.content(file, MAX_FILE_OCTETS));
  const accounts = await Promise.all(policy.accounts.map((account) => accountOf(account, file)));
  const [first, ...others] = accounts;
  if (!first) throw new UsageError("--policy names no account.");
  if (new Set(accounts.map(({ systemId }) => systemId)).size !== accounts.length)
    throw invalid("accounts: two have one systemId");
  const log = pino({ base: null }, openLogStream({ dest: 1, sync: true }));
  return {
    ...place,
    ...first,
    others,
    faults: faultsOf(policy),
    seed: policy.seed ?? 1,
    ...(policy.retryMs !== undefined && { retryMs: policy.retryMs }),
    onMessage: networkOf(policy),
    onAccepted: ({ messageId, from, to }) =>
      log.info(
        { messageId, from: maskIdentifier(from, "msisdn"), to: maskIdentifier(to, "msisdn") },
        "taken",
      ),
  };
}

/** What phones say to what comes for them; a number of nobody's is no subscriber of this network. */
function networkOf({ phones = [] }: Policy): SmscOptions["onMessage"] {
  const answers = new Map(phones.map(({ number, answer }) => [number, answer]));
  return async ({ to }) => answers.get(to) ?? "undeliverable";
}

const faultsOf = ({ receipts = {} }: Policy): NonNullable<SmscOptions["faults"]> => {
  const { delayMs, lostPercent = 0, doubledPercent = 0, ids = "decimal" } = receipts;
  return {
    ...(delayMs !== undefined && { receiptDelayMs: delayMs }),
    receiptLostPart: lostPercent / 100,
    receiptDuplicatePart: doubledPercent / 100,
    idForms: { response: ids },
  };
};

async function accountOf(
  { systemId, password, passwordFile, numbers }: Policy["accounts"][number],
  policyFile: string,
): Promise<SmscAccount> {
  if ((password === undefined) === (passwordFile === undefined))
    throw invalid(`accounts: ${systemId}: one of password and passwordFile is wanted`);
  const known = password ?? (await passwordIn(resolve(dirname(policyFile), passwordFile ?? "")));
  return { systemId, password: known, ...(numbers && { numbers }) };
}

async function passwordIn(file: string): Promise<string> {
  const content = await readFile(file, "utf8").catch((cause) => {
    throw new TurnupError("file_unreadable", `${file} cannot be read.`, { cause });
  });
  const password = content.replace(/\r?\n$/, "");
  if (password.length >= 1 && password.length <= PASSWORD_CHARACTERS_MAX) return password;
  throw invalid(`${file}: a password of 1 to ${PASSWORD_CHARACTERS_MAX} characters is wanted`);
}

function read(content: Buffer): Policy {
  try {
    return readPolicy(JSON.parse(content.toString("utf8")), "");
  } catch (error) {
    if (error instanceof ShapeError) throw invalid(error.message);
    if (error instanceof SyntaxError) throw invalid("no JSON"); // its words would quote a password
    throw error;
  }
}

const invalid = (fact: string): TurnupError =>
  new TurnupError("config_invalid", `The policy file: ${fact}.`, {
    nextStep: "Correct the file at the place named; nothing was started.",
  });
