/**
 * How commands and options were spelled in release 0.1.0. Each works in this release as it did, in no help any more, and says
 * on standard error what it is called now; with the release after it goes.
 */

type Renaming = { readonly argv: readonly string[]; readonly notes: readonly string[] };

/** A command's words, and what they became. */
const COMMANDS: readonly (readonly [former: readonly string[], now: readonly string[]])[] = [
  [["orders"], ["order", "list"]],
  [["offers"], ["offer", "list"]],
  [
    ["request", "reviews"],
    ["review", "list"],
  ],
  [
    ["request", "review"],
    ["review", "answer"],
  ],
  [["devices"], ["device"]],
];

/** Commands that were a thing alone: what they did, and the verbs that may follow the thing today. */
const VERBLESS: Readonly<Record<string, { readonly verb: string; readonly verbs: readonly string[] }>> = {
  order: { verb: "show", verbs: ["list", "show"] },
  offer: { verb: "send", verbs: ["list", "send"] },
};

const OPTIONS: readonly { readonly command: string; readonly former: string; readonly now: string }[] = [
  { command: "request list", former: "--road", now: "--channel" },
];

/** The words of today for those that were given. */
export function inTodaysWords(argv: readonly string[]): Renaming {
  const { argv: words, notes } = withCommand(argv);
  const command = words.slice(0, 2).join(" ");
  const renamed = OPTIONS.filter(
    (option) => option.command === command && words.some((word) => isOption(word, option.former)),
  );
  return {
    argv: words.map((word) => {
      const option = renamed.find(({ former }) => isOption(word, former));
      return option ? option.now + word.slice(option.former.length) : word;
    }),
    notes: [...notes, ...renamed.map(({ former, now }) => noteOf(former, now))],
  };
}

function withCommand(argv: readonly string[]): Renaming {
  for (const [former, now] of COMMANDS) {
    if (!former.every((word, at) => argv[at] === word)) continue;
    return {
      argv: [...now, ...argv.slice(former.length)],
      notes: [noteOf(`turnup ${former.join(" ")}`, `turnup ${now.join(" ")}`)],
    };
  }
  const [thing = "", next] = argv;
  const former = Object.hasOwn(VERBLESS, thing) ? VERBLESS[thing] : undefined;
  if (!former || next === undefined || ["--help", "-h", ...former.verbs].includes(next))
    return { argv, notes: [] };
  return {
    argv: [thing, former.verb, ...argv.slice(1)],
    notes: [noteOf(`turnup ${thing}`, `turnup ${thing} ${former.verb}`)],
  };
}

const isOption = (word: string, name: string): boolean => word === name || word.startsWith(`${name}=`);
const noteOf = (former: string, now: string): string =>
  `${former} is ${now} now; the old spelling works in this release.`;
