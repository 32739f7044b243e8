/** `turnup imei`: what a device's number says, by itself and with the shipped data. */
import { classifyIdentity } from "../../term/imei.ts";
import type { Command } from "../command.ts";

export const imeiCommand: Command = {
  name: "imei",
  summary: "Check IMEIs, name the model, judge whether its maker has left it behind",
  args: [{ usage: "[imei...]", about: "IMEI, 14 digits, IMEISV or MEID, with or without separators" }],
  options: [{ flags: "--file <path>", about: "one a line from a file; - reads standard input" }],
  examples: ["turnup imei 490154203237518", "turnup imei --file seen.txt --json"],
  async run({ args, option, printJson, lines }) {
    const file = option("file");
    if (args.length === 0 && !file) return "usage";
    for (const input of args) await printJson({ input, ...classifyIdentity(input) });
    if (file) for await (const input of lines(file)) await printJson({ input, ...classifyIdentity(input) });
    return "ok";
  },
};
