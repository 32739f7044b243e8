/** The key that signs device keys of the own store: a file beside the seal key, made at the first start. */
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { existsSync, linkSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export type OwnIssuer = {
  readonly name: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  readonly spki: string;
};

export function ownIssuer(folder: string, name: string): OwnIssuer {
  const file = join(folder, "own-issuer.pem");
  if (!existsSync(file)) make(file);
  const privateKey = createPrivateKey(readFileSync(file, "utf8"));
  const publicKey = createPublicKey(privateKey);
  const spki = publicKey.export({ type: "spki", format: "der" }).toString("base64");
  return { name, privateKey, publicKey, spki };
}

/** Written aside and linked: two starters at once end with one key. */
function make(file: string): void {
  const { privateKey } = generateKeyPairSync("ed25519");
  const aside = `${file}.${process.pid}`;
  writeFileSync(aside, privateKey.export({ type: "pkcs8", format: "pem" }), { mode: 0o600, flag: "wx" });
  try {
    linkSync(aside, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  } finally {
    rmSync(aside, { force: true });
  }
}
