/** `turnup issuer show`: the public key that a handset client needs to check what this installation signs. */
import { join } from "node:path";
import { issuerKeyLines, issuerKeyOf } from "../../wire/message/issuer-key.ts";
import { dataFolderOf, readConfig } from "../config/config.ts";
import { ownIssuer } from "../server/own-issuer.ts";
import { openStore } from "../server/store.ts";
import type { Command } from "../terminal/command.ts";

export const issuerShowCommand: Command = {
  name: "issuer show",
  summary: "Show the public key by which handsets check keys and content of this installation",
  description:
    "Ed25519, the same for all servers on one database and for all operators; made where there is none yet. Its name is\n" +
    "`issuer.name`. Give it to the makers of handsets, who pin it in their client, and compare fingerprints with them by\n" +
    "another road. GET /v1/issuer answers the same.",
  options: [
    { flags: "--pem", about: "only the key as PEM, for a file" },
    { flags: "--config <file>", about: "configuration (default ./turnup.toml where there is one)" },
  ],
  examples: [
    "turnup issuer show",
    "turnup issuer show --json | jq -r .fingerprint",
    "turnup issuer show --pem > issuer.pem",
  ],
  async run(context) {
    const { config } = readConfig({ file: context.option("config"), env: context.env });
    const log = context.json || context.flag("pem") ? () => undefined : context.note;
    const store = await openStore({ config, log, beside: true });
    try {
      const file = join(dataFolderOf(config), "own-issuer.pem");
      const { name, publicKey } = await ownIssuer({ ...store, file }, config.issuer.name);
      const key = issuerKeyOf(name, publicKey);
      if (context.json) await context.printJson(key);
      else if (context.flag("pem")) await context.print(key.pem.trimEnd());
      else for (const line of issuerKeyLines(key)) await context.print(line);
      return "ok";
    } finally {
      await store.close();
    }
  },
};
