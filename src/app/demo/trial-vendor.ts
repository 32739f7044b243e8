/**
 * A made-up vendor of software modules for trials: its key, and the signed modules that the starter catalog names. Real
 * vendors sign by themselves and hand out files; this one exists so that a first start has something to install.
 */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
} from "node:crypto";
import { join } from "node:path";
import { makePrivateFolder } from "../../store/journal/make-folder.ts";
import { encodeModule, signModule } from "../../wire/message/module.ts";
import { ensureFile } from "../certificates/certificates.ts";
import type { StarterModule } from "./starter-catalog.ts";

export const TRIAL_VENDOR = "apps.example";
const MODULES = { "mail-client": "1.0", "news-reader": "2.1" } as const;
const MODULE_OCTETS = 2_048;

export type TrialVendor = {
  readonly name: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  /** By name: what the catalog says of it. */
  readonly modules: Readonly<Record<string, StarterModule>>;
  /** The signed files themselves. */
  readonly files: readonly { readonly sha256: string; readonly octets: Uint8Array }[];
};

/** The key lies in the folder, so that every process of one machine has the same vendor. */
export async function ensureTrialVendor(folder: string): Promise<TrialVendor> {
  makePrivateFolder(folder);
  const pem = await ensureFile(join(folder, "vendor.key"), () =>
    generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
  );
  const privateKey = createPrivateKey(pem);
  const modules = Object.entries(MODULES).map(([name, version]) => {
    const bytes = new Uint8Array(MODULE_OCTETS).fill(name.length);
    const file = encodeModule(signModule({ name, version, vendor: TRIAL_VENDOR, bytes }, privateKey));
    const sha256 = createHash("sha256").update(file).digest("hex");
    return { name, version, sha256, file };
  });
  return {
    name: TRIAL_VENDOR,
    privateKey,
    publicKey: createPublicKey(privateKey),
    modules: Object.fromEntries(
      modules.map(({ name, version, sha256, file }) => [name, { version, sha256, octets: file.length }]),
    ),
    files: modules.map(({ sha256, file }) => ({ sha256, octets: file })),
  };
}
