/** `turnup operator add`: makes a tenant. Everything else of an operator is set through the API with its own token. */
import { isHost } from "../../kernel/operator/unconfirmed.ts";
import { uuidv7 } from "../../store/database/uuid.ts";
import { ensureOperator, listOperators, type Operator } from "../../store/operator/operators.ts";
import { wordOf } from "../../term/narrow.ts";
import { mccOf, mncOf, parsePlmn } from "../../term/plmn.ts";
import { type Config, readConfig } from "../config/config.ts";
import { openStore } from "../server/store.ts";
import { type Command, type CommandContext, UsageError } from "../terminal/command.ts";

const KINDS = ["mno", "mvno", "secondary", "tertiary"] as const satisfies readonly Operator["kind"][];
const SLUG = /^[a-z0-9][a-z0-9-]{0,62}$/;
const NAME_CHARACTERS_MAX = 100;
const PLMNS_MAX = 50;

export const operatorAddCommand: Command = {
  name: "operator add",
  summary: "Make an operator: one whose phones are turned up, with data of its own",
  description: "An operator that is there already stays as it is.",
  args: [{ usage: "<slug>", about: "its short name in commands: a-z, 0-9 and -" }],
  options: [
    { flags: "--name <name>", about: "as subscribers and staff know it (default: the slug)" },
    { flags: "--kind <kind>", about: "what it is (default mno)", choices: KINDS },
    { flags: "--plmn <list>", about: "networks of the SIMs that it issues: 262-01,262-06" },
    { flags: "--config <file>", about: "configuration (default ./turnup.toml where there is one)" },
  ],
  examples: ["turnup operator add meridian --name Meridian --kind mvno --plmn 262-01"],
  async run(context) {
    const wanted = operatorOf(context);
    const { config } = readConfig({ file: context.option("config"), env: context.env });
    const log = context.json ? () => undefined : context.note;
    const store = await openStore({ config, log, beside: true });
    try {
      const operator = await ensureOperator(store.database, wanted);
      const made = operator.id === wanted.id;
      if (context.json) await context.printJson({ ...operator, made });
      else await context.print(`${operator.slug} ${made ? "is made" : "was there already"}: ${operator.id}`);
      if (made) context.note(whatIsSent(operator));
      if (made)
        for (const note of whatChanges(await listOperators(store.database), operator, config))
          context.note(note);
      return "ok";
    } finally {
      await store.close();
    }
  },
};

/** What an operator must know before its first sighting. */
const whatIsSent = ({ slug, kind }: Operator): string =>
  isHost(kind)
    ? `orders wait for access points of its own (turnup import apn FILE --operator ${slug}); its policy may send shipped ones instead`
    : `orders wait for access points of its own (turnup import apn FILE --operator ${slug}): its host's are never sent`;

/** What a second operator changes for the first: nothing, but what is told here. */
function whatChanges(all: readonly Operator[], made: Operator, { portal, applet }: Config): string[] {
  const [first] = all;
  if (!first || first.id === made.id) return [];
  const of = (named: string | undefined): string => named ?? first.slug;
  return [
    `commands need --operator from now on: there are ${all.length} operators`,
    `the subscribers' portal, the telephone menu and the door for proxies stay with ${of(portal.operator)} (portal.operator names another)`,
    ...(applet.shortCode === undefined
      ? []
      : [`reports of SIM applets stay with ${of(applet.operator)} (applet.operator names another)`]),
  ];
}

function operatorOf({ args, option }: CommandContext): Operator {
  const slug = args[0] ?? "";
  if (!SLUG.test(slug)) throw new UsageError("A slug is 1 to 63 of a-z, 0-9 and -.");
  const name = option("name") ?? slug;
  if (name.length > NAME_CHARACTERS_MAX)
    throw new UsageError(`--name has at most ${NAME_CHARACTERS_MAX} characters.`);
  if (name.trim() === "" || /\p{Cc}|\p{Cs}/u.test(name))
    throw new UsageError("--name is what phones and screens show: text without control characters.");
  const plmns = (option("plmn") ?? "").split(",").filter((text) => text !== "");
  if (plmns.length > PLMNS_MAX) throw new UsageError(`--plmn names at most ${PLMNS_MAX} networks.`);
  const homePlmns = plmns.map((text) => {
    const plmn = parsePlmn(text.trim());
    return `${mccOf(plmn)}-${mncOf(plmn)}`;
  });
  return { id: uuidv7(), slug, name, kind: wordOf(KINDS, option("kind")) ?? "mno", homePlmns };
}
