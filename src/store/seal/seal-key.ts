/**
 * Where seal keys come from: the configuration, or a file that the first start makes. Whoever has the database
 * alone, or a backup of it, cannot read an identifier; whoever loses the key cannot either.
 *
 * The text is one key in hexadecimal a line (or parted by commas), newest first; see `createSealer` for what a
 * second key is for.
 */
import { randomBytes } from "node:crypto";
import { closeSync, fsyncSync, linkSync, openSync, readFileSync, rmSync, statSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { TurnupError } from "../../term/error.ts";
import { assured, codeOf } from "../../term/narrow.ts";
import type { Secret } from "../../term/secret.ts";
import type { Database } from "../database/database.ts";
import { createSealer, SEAL_KEY_OCTETS, type Sealer } from "./seal.ts";

const KEYS_MAX = 16;

/** @throws TurnupError `seal_key_malformed` */
export function parseSealKeys(text: string): Buffer[] {
  const words = text.split(/[\s,]+/).filter((word) => word !== "");
  const wellFormed = words.every((word) => /^[0-9a-f]+$/i.test(word) && word.length === SEAL_KEY_OCTETS * 2);
  if (words.length === 0 || words.length > KEYS_MAX || !wellFormed) {
    throw new TurnupError(
      "seal_key_malformed",
      `Seal keys are 1 to ${KEYS_MAX} words of ${SEAL_KEY_OCTETS * 2} hexadecimal digits.`,
      { nextStep: "Make one with: openssl rand -hex 32." },
    );
  }
  return words.map((word) => Buffer.from(word, "hex"));
}

/** A device, or the issuer's key, which the first server seals at its first start. */
const SOMETHING_SEALED = `
  (select imei_sealed as sealed, 'imei' as domain from device limit 1) union all
  (select private_key_sealed, 'issuer' from own_issuer) limit 1`;

/**
 * The sealer of a database: keys from the setting where given, else from the file. A key is made only while the
 * database holds nothing sealed, and a wrong one is found now rather than at the first customer.
 * @throws TurnupError `seal_key_missing`, `seal_broken`, `seal_key_malformed`
 */
export async function sealerOf(
  database: Database,
  { key, file }: { readonly key?: Secret | undefined; readonly file: string },
): Promise<Sealer> {
  const sealed = await database.one<{ sealed: Buffer; domain: string }>(SOMETHING_SEALED);
  const given = key ? parseSealKeys(key.reveal()) : readKeyFile(file);
  if (!given && sealed) {
    throw new TurnupError(
      "seal_key_missing",
      `The database holds sealed identifiers, and ${file} is not there.`,
      {
        nextStep: "Restore that file from its backup, or give the key as TURNUP_SEAL_KEY.",
      },
    );
  }
  const sealer = createSealer(given ?? makeKeyFile(file));
  if (sealed) sealer.openBytes(sealed.domain, sealed.sealed);
  return sealer;
}

/**
 * A key file that is there is a key, and nobody else's to read.
 * @throws TurnupError `seal_key_exposed`, `seal_key_malformed`, `file_unreadable`
 */
export const checkSealKeyFile = (file: string): void => void readKeyFile(file);

const READ_OR_WRITE_BY_OTHERS = 0o006;

function readKeyFile(file: string): Buffer[] | undefined {
  try {
    const keys = parseSealKeys(readFileSync(file, "utf8"));
    if ((statSync(file).mode & READ_OR_WRITE_BY_OTHERS) === 0) return keys;
    throw new TurnupError(
      "seal_key_exposed",
      `Every user of this machine can read or change the seal key ${file}.`,
      {
        nextStep: `Run: chmod 600 ${file}. If somebody may have read it, change the key (docs/operations.md).`,
      },
    );
  } catch (cause) {
    if (codeOf(cause) === "ENOENT") return undefined;
    if (cause instanceof TurnupError) throw cause;
    throw new TurnupError("file_unreadable", `The seal key file ${file} cannot be read.`, { cause });
  }
}

/** On the disk before the first value is sealed with it: complete aside, then given its name. */
function makeKeyFile(file: string): Buffer[] {
  const aside = `${file}.${process.pid}.${randomBytes(4).toString("hex")}`;
  const handle = openSync(aside, "wx", 0o600);
  try {
    writeSync(handle, `${randomBytes(SEAL_KEY_OCTETS).toString("hex")}\n`);
    fsyncSync(handle);
    linkSync(aside, file);
  } catch (error) {
    if (codeOf(error) !== "EEXIST") throw error; // another starter was quicker
  } finally {
    closeSync(handle);
    rmSync(aside, { force: true });
  }
  const folder = openSync(dirname(file), "r");
  fsyncSync(folder);
  closeSync(folder);
  return assured(readKeyFile(file), "it was just linked to this name");
}
