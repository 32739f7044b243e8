/** What the API's own door for partners and voice platforms is told by files: whose certificates come in, and for which token each stands. */
import { readFile } from "node:fs/promises";
import type { DoorTls } from "../../http/mutual-tls.ts";
import type { PartnerCertificates } from "../../http/partner-door.ts";
import { TurnupError } from "../../term/error.ts";
import { list, object, ShapeError, text } from "../../wire/message/shape.ts";
import type { Config } from "./config.ts";
import { hasPort } from "./door-port.ts";
import { checkAuthority, checkIdentity } from "./pem.ts";

const CLIENTS_MAX = 10_000;
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const readClients = list(
  object({
    certificate: text({
      max: 400,
      pattern: /^(?:dns|uri|cn):[!-~]+(?: [!-~]+)*$/,
      wanted: "dns:, uri: or cn: and a certificate's name is wanted",
    }),
    token: text({ max: 36, pattern: UUID, wanted: "the id of a token is wanted" }),
  }),
  { min: 1, max: CLIENTS_MAX },
);

export type PartnerPlace = {
  readonly host: string;
  readonly port: number;
  readonly tls: DoorTls;
  readonly clients: PartnerCertificates;
};

/** Undefined without `partner.port`. @throws TurnupError `config_invalid`, `file_unreadable` */
export async function readPartnerPlace({
  partner,
}: Pick<Config, "partner">): Promise<PartnerPlace | undefined> {
  if (!hasPort("partner", partner, ["authorityFile", "certificateFile", "keyFile", "clientsFile"]))
    return undefined;
  const { host, port, authorityFile, certificateFile, keyFile, clientsFile } = partner;
  if (!authorityFile || !certificateFile || !keyFile || !clientsFile)
    throw new TurnupError("config_invalid", "partner.port is set, and a file of its section is missing.", {
      nextStep: "Give partner.authority_file, certificate_file, key_file and clients_file, or no port.",
    });
  const tls = {
    key: await contentOf(keyFile),
    certificate: await contentOf(certificateFile),
    authorities: await contentOf(authorityFile),
  };
  checkIdentity(tls, { certificate: "partner.certificate_file", key: "partner.key_file" });
  checkAuthority(tls.authorities, "partner.authority_file");
  return { host, port, tls, clients: clientsIn(clientsFile, await contentOf(clientsFile)) };
}

function clientsIn(path: string, content: string): PartnerCertificates {
  const clients = new Map<string, string>();
  for (const { certificate, token } of parsed(path, content)) {
    const name = certificate.startsWith("dns:") ? certificate.toLowerCase() : certificate;
    if (clients.has(name)) throw invalid(path, `${certificate} stands in it twice`);
    clients.set(name, token);
  }
  return clients;
}

function parsed(path: string, content: string): ReturnType<typeof readClients> {
  try {
    return readClients(JSON.parse(content), "");
  } catch (error) {
    if (error instanceof ShapeError) throw invalid(path, error.message);
    if (error instanceof SyntaxError) throw invalid(path, "no JSON");
    throw error;
  }
}

const invalid = (path: string, fact: string): TurnupError =>
  new TurnupError("config_invalid", `partner.clients_file: ${path}: ${fact}.`, {
    nextStep: 'Write [{"certificate": "dns:ivr.example", "token": "ID"}]; ids are in GET /v1/tokens.',
  });

async function contentOf(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    throw new TurnupError("file_unreadable", `${path} cannot be read.`, { cause });
  }
}
