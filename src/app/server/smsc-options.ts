/** The message centre that a configuration names: how we are bound there, and how it writes and reads. */
import { readFileSync } from "node:fs";
import type { ConnectionOptions } from "node:tls";
import { TurnupError } from "../../term/error.ts";
import type { Config } from "../config/config.ts";
import { checkAuthority, checkIdentity, togetherOrNone } from "../config/pem.ts";
import { messageCentresOf, type SmscSettings } from "../config/settings.ts";
import type { SmscOptions } from "./message-centres.ts";

/** SMPP v3.4 §5.2.2: nine with the octet that ends it. */
const PASSWORD_OCTETS = 8;

/** The section of a centre's settings, as refusals name it. */
export const smscSection = ({ name }: Pick<SmscSettings, "name">): string =>
  name === undefined ? "smsc" : `smsc.${name}`;

/** All centres, in the order of the file. */
export const smscsOptions = (config: Pick<Config, "smsc" | "smscEntries">): readonly SmscOptions[] =>
  messageCentresOf(config).map(smscOptions);

/**
 * The settings of the centre of this name, or of the only one.
 * @throws TurnupError `config_invalid`: there is none of this name, or several and none was named
 */
export function smscNamed(config: Pick<Config, "smsc" | "smscEntries">, name?: string): SmscSettings {
  const centres = messageCentresOf(config);
  const [only] = centres;
  if (name === undefined && only && centres.length === 1) return only;
  const found = centres.find((one) => name !== undefined && nameOf(one) === name);
  if (found) return found;
  throw new TurnupError(
    "config_invalid",
    name === undefined ? "There are several message centres." : `There is no message centre ${name}.`,
    { nextStep: `Name one: ${centres.map(nameOf).join(", ")}.` },
  );
}

/** What a centre is called at each part that it took. */
const nameOf = ({ name, host, port }: SmscSettings): string => name ?? `${host}:${port}`;

/** @throws TurnupError `config_invalid`: a password that is too long, files that do not go together; `file_unreadable` */
export function smscOptions(smsc: SmscSettings): SmscOptions {
  checkPassword(smsc);
  const tls = tlsOf(smsc);
  return {
    name: nameOf(smsc),
    label: smsc.name ?? "smsc",
    route: {
      operators: smsc.operators ?? [],
      prefixes: smsc.prefixes ?? [],
      drain: smsc.drain,
      failoverMs: smsc.failoverSeconds * 1_000,
    },
    host: smsc.host,
    port: smsc.port,
    systemId: smsc.systemId,
    password: () => smsc.password?.reveal() ?? "",
    bind: smsc.bind,
    binds: smsc.binds,
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

function checkPassword(smsc: SmscSettings): void {
  const { password, longPassword } = smsc;
  const section = smscSection(smsc);
  const octets = Buffer.byteLength(password?.reveal() ?? "");
  if (longPassword || octets <= PASSWORD_OCTETS) return;
  throw new TurnupError(
    "config_invalid",
    `${section}.password has ${octets} octets: SMPP 3.4 has room for ${PASSWORD_OCTETS}.`,
    { nextStep: `Ask the centre for a shorter one; if it takes longer ones, set ${section}.long_password.` },
  );
}

function tlsOf(smsc: SmscSettings): ConnectionOptions | undefined {
  const section = smscSection(smsc);
  const { tls, tlsAuthorityFile, tlsCertificateFile, tlsKeyFile } = smsc;
  const names = {
    ca: `${section}.tls_authority_file`,
    certificate: `${section}.tls_certificate_file`,
    key: `${section}.tls_key_file`,
  };
  togetherOrNone({ [names.certificate]: tlsCertificateFile, [names.key]: tlsKeyFile });
  if (!tls && (tlsAuthorityFile ?? tlsCertificateFile) !== undefined)
    throw new TurnupError("config_invalid", `${section}.tls is false, and files of TLS are named.`, {
      nextStep: `Set ${section}.tls, or leave the files out.`,
    });
  if (!tls) return undefined;
  const ca = tlsAuthorityFile === undefined ? undefined : textOf(tlsAuthorityFile);
  if (ca !== undefined) checkAuthority(ca, names.ca);
  if (tlsCertificateFile === undefined || tlsKeyFile === undefined) return ca === undefined ? {} : { ca };
  const own = { certificate: textOf(tlsCertificateFile), key: textOf(tlsKeyFile) };
  checkIdentity(own, names);
  return { cert: own.certificate, key: own.key, ...(ca !== undefined && { ca }) };
}

function textOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    throw new TurnupError("file_unreadable", `${file} cannot be read.`, { cause });
  }
}
