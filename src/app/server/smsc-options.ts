/** The message centre that a configuration names: how we are bound there, and how it writes and reads. */
import { readFileSync } from "node:fs";
import type { ConnectionOptions } from "node:tls";
import { TurnupError } from "../../term/error.ts";
import type { Config } from "../config/config.ts";
import { checkAuthority, checkIdentity, togetherOrNone } from "../config/pem.ts";
import type { SmscOptions } from "./engine.ts";

/** SMPP v3.4 §5.2.2: nine with the octet that ends it. */
const PASSWORD_OCTETS = 8;

/** @throws TurnupError `config_invalid`: a password that is too long, files that do not go together; `file_unreadable` */
export function smscOptions({ smsc }: Pick<Config, "smsc">): SmscOptions {
  checkPassword(smsc);
  const tls = tlsOf(smsc);
  return {
    name: `${smsc.host}:${smsc.port}`,
    host: smsc.host,
    port: smsc.port,
    systemId: smsc.systemId,
    password: () => smsc.password?.reveal() ?? "",
    window: smsc.window,
    enquireLinkMs: smsc.enquireLinkMs,
    responseTimeoutMs: smsc.responseTimeoutMs,
    receiptIds: smsc.receiptIds,
    receiptsMarked: smsc.receiptsMarked,
    receiptsPer: smsc.receiptsPer,
    forms: {
      alphabet: smsc.alphabet,
      sources: {
        name: addressOf(smsc.nameSource),
        shortCode: addressOf(smsc.shortCodeSource),
        number: addressOf(smsc.numberSource),
      },
    },
    ...(tls && { tls }),
    ...(smsc.systemType === undefined ? {} : { systemType: smsc.systemType }),
    ...(smsc.ratePerSecond === undefined ? {} : { ratePerSecond: smsc.ratePerSecond }),
  };
}

/** `TON/NPI`, as the settings' pattern has it. */
function addressOf(text: string): { readonly ton: number; readonly npi: number } {
  const [ton = 0, npi = 0] = text.split("/").map(Number);
  return { ton, npi };
}

function checkPassword({ password, longPassword }: Config["smsc"]): void {
  const octets = Buffer.byteLength(password?.reveal() ?? "");
  if (longPassword || octets <= PASSWORD_OCTETS) return;
  throw new TurnupError(
    "config_invalid",
    `smsc.password has ${octets} octets: SMPP 3.4 has room for ${PASSWORD_OCTETS}.`,
    { nextStep: "Ask the centre for a shorter one; if it takes longer ones, set smsc.long_password." },
  );
}

function tlsOf(smsc: Config["smsc"]): ConnectionOptions | undefined {
  const { tls, tlsAuthorityFile, tlsCertificateFile, tlsKeyFile } = smsc;
  togetherOrNone({ "smsc.tls_certificate_file": tlsCertificateFile, "smsc.tls_key_file": tlsKeyFile });
  if (!tls && (tlsAuthorityFile ?? tlsCertificateFile) !== undefined)
    throw new TurnupError("config_invalid", "smsc.tls is false, and files of TLS are named.", {
      nextStep: "Set smsc.tls, or leave the files out.",
    });
  if (!tls) return undefined;
  const ca = tlsAuthorityFile === undefined ? undefined : textOf(tlsAuthorityFile);
  if (ca !== undefined) checkAuthority(ca, "smsc.tls_authority_file");
  if (tlsCertificateFile === undefined || tlsKeyFile === undefined) return ca === undefined ? {} : { ca };
  const own = { certificate: textOf(tlsCertificateFile), key: textOf(tlsKeyFile) };
  checkIdentity(own, { certificate: "smsc.tls_certificate_file", key: "smsc.tls_key_file" });
  return { cert: own.certificate, key: own.key, ...(ca !== undefined && { ca }) };
}

function textOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    throw new TurnupError("file_unreadable", `${file} cannot be read.`, { cause });
  }
}
