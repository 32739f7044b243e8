/**
 * The key that signs device keys of the own store. It stands sealed in the database and is made once, so that all
 * servers on one database sign as one: a phone trusts one public key. A file of an earlier release is taken over.
 */
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { readFileSync } from "node:fs";
import type { Database } from "../../store/database/database.ts";
import type { Sealer } from "../../store/seal/seal.ts";
import { TurnupError } from "../../term/error.ts";
import { codeOf } from "../../term/narrow.ts";

export type OwnIssuer = {
  readonly name: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  readonly spki: string;
};
type Kept = {
  readonly database: Database;
  readonly sealer: Sealer;
  /** Where an earlier release kept the key. */
  readonly file: string;
};

/** One server at a time looks for the key and makes it: the advisory lock of this use. */
const LOCK = 1_953_854_063;
const DOMAIN = "issuer";

/**
 * `isOtherFile`: the file holds another key than the database, which counts; phones that trust the file's refuse ours.
 * @throws TurnupError `seal_broken`, `file_unreadable`
 */
export async function ownIssuer(
  { database, sealer, file }: Kept,
  name: string,
): Promise<OwnIssuer & { readonly isOtherFile: boolean }> {
  const inFile = keyIn(file);
  const sealed = await database.transaction(async (tx) => {
    await tx.run("select pg_advisory_xact_lock($1)", [LOCK]);
    const known = await tx.one<{ sealed: Buffer }>("select private_key_sealed as sealed from own_issuer");
    if (known) return known.sealed;
    const made = sealer.seal(DOMAIN, octetsOf(inFile ?? generateKeyPairSync("ed25519").privateKey));
    await tx.run("insert into own_issuer (private_key_sealed) values ($1)", [made]);
    return made;
  });
  const octets = sealer.openBytes(DOMAIN, sealed);
  const privateKey = createPrivateKey({ key: octets, format: "der", type: "pkcs8" });
  const publicKey = createPublicKey(privateKey);
  const spki = publicKey.export({ type: "spki", format: "der" }).toString("base64");
  const isOtherFile = inFile !== undefined && !octetsOf(inFile).equals(octets);
  return { name, privateKey, publicKey, spki, isOtherFile };
}

const octetsOf = (key: KeyObject): Buffer => key.export({ type: "pkcs8", format: "der" });

function keyIn(file: string): KeyObject | undefined {
  try {
    return createPrivateKey(readFileSync(file, "utf8"));
  } catch (cause) {
    if (codeOf(cause) === "ENOENT") return undefined;
    throw new TurnupError("file_unreadable", `The issuer's key ${file} cannot be read.`, { cause });
  }
}
