/** `turnup service`: the reference service server, alone. */
import { join } from "node:path";
import { makePrivateFolder } from "../../store/journal/make-folder.ts";
import { boolean, list, object, oneOf, optional, text } from "../../wire/message/shape.ts";
import { ensurePartyCertificates } from "../certificates/certificates.ts";
import { type ServiceOptions, startService } from "../party/service.ts";
import { untilAborted } from "../server/lost.ts";
import { strangerLine, strangerNote } from "../server/strangers.ts";
import type { Command } from "../terminal/command.ts";
import { portOption } from "../terminal/port-option.ts";
import { REVOCATION_OPTIONS, revocationByOptions } from "../terminal/revocation-options.ts";
import { readPolicyFile } from "./policy-file.ts";

const MAX_FILE_OCTETS = 1_048_576;
const DEFAULT_PORT = 8444;
const EVERYWHERE = ["0.0.0.0", "::"];

/** The file of `--policy`; `docs/operations.md` describes it. */
const readPolicy = object({
  clients: list(text({ max: 64, pattern: /^[A-Za-z0-9._-]+$/ }), { min: 1, max: 1_000 }),
  services: list(
    object({
      path: text({ max: 100, pattern: /^(\/[a-z0-9-]+)+$/, wanted: "a path of /a-z 0-9 - is wanted" }),
      accessUrl: text({ max: 500, pattern: /^https:\/\/\S+$/, wanted: "an https URL is wanted" }),
      fields: list(
        object({
          name: text({ max: 64, pattern: /^[A-Za-z][A-Za-z0-9._-]*$/ }),
          kind: oneOf(["text", "digits", "phone", "email", "secret", "date"]),
          required: optional(boolean),
        }),
        { max: 64 },
      ),
    }),
    { min: 1, max: 100 },
  ),
});

export const serviceCommand: Command = {
  name: "service",
  summary: "Run a provider's service server: SCIM 2.0 over mutual TLS",
  description:
    "Registers users for operators that show a certificate of its authority, and asks for just what is missing. On first\n" +
    "start it makes the authority, its own certificate and one client certificate for each operator of the policy.",
  options: [
    { flags: "--policy <file>", about: "JSON: clients, services with path, accessUrl, fields", needed: true },
    { flags: "--folder <folder>", about: "certificates and journal (default .turnup/service)" },
    { flags: "--host <address>", about: "address to listen on (default 127.0.0.1)" },
    { flags: "--port <port>", about: `port to listen on, 0 for any (default ${DEFAULT_PORT})` },
    ...REVOCATION_OPTIONS,
  ],
  examples: [
    "turnup service --policy service.json",
    "turnup service --policy service.json --host 0.0.0.0 --port 9444",
  ],
  stays: true,
  async run(context) {
    const folder = context.option("folder") ?? join(".turnup", "service");
    const host = context.option("host") ?? "127.0.0.1";
    const port = portOption(context, DEFAULT_PORT);
    const { clientIds, services } = policyOf(
      await context.content(context.option("policy") ?? "-", MAX_FILE_OCTETS),
    );
    makePrivateFolder(folder);
    const certificates = await ensurePartyCertificates({
      folder: join(folder, "certificates"),
      commonName: "Service server",
      clientIds,
      hosts: [...new Set(["localhost", "127.0.0.1", "::1", ...(EVERYWHERE.includes(host) ? [] : [host])])],
      now: context.now(),
    });
    const service = await startService({
      host,
      port,
      certificates,
      journalFolder: join(folder, "journal"),
      clientIds,
      services,
      revocation: await revocationByOptions(context, certificates.authority),
      now: context.now,
      onRefused: strangerLine({ nowMs: () => performance.now(), tell: strangerNote(context.note) }),
      onFault: (error) => context.note(`fault: ${error.message}`),
    });
    try {
      for (const path of Object.keys(services)) {
        const uri = service.url + path;
        const registrations = service.kernelAt(path).size();
        if (context.json) await context.printJson({ uri, registrations });
        else await context.print(`registers users at ${uri} (${registrations} so far)`);
      }
      await untilAborted(context.signal);
    } finally {
      await service.close();
    }
    return "ok";
  },
};

function policyOf(content: Buffer): Pick<ServiceOptions, "clientIds" | "services"> {
  const { clients, services } = readPolicyFile(readPolicy, content);
  return {
    clientIds: clients,
    services: Object.fromEntries(
      services.map(({ path, accessUrl, fields }) => [
        path,
        { accessUrl, fields: fields.map(({ required = true, ...field }) => ({ ...field, required })) },
      ]),
    ),
  };
}
