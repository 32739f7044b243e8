/** The three files by which a door for machines speaks TLS alone. */
import type { DoorTls } from "../../http/mutual-tls.ts";
import { checkAuthority, checkIdentity } from "./pem.ts";
import { contentOf } from "./places-file.ts";

/** @throws TurnupError `config_invalid`, `file_unreadable` by the names of the section's settings */
export async function readDoorTls(
  section: string,
  files: { readonly authorityFile: string; readonly certificateFile: string; readonly keyFile: string },
): Promise<DoorTls> {
  const tls = {
    key: await contentOf(files.keyFile),
    certificate: await contentOf(files.certificateFile),
    authorities: await contentOf(files.authorityFile),
  };
  checkIdentity(tls, { certificate: `${section}.certificate_file`, key: `${section}.key_file` });
  checkAuthority(tls.authorities, `${section}.authority_file`);
  return tls;
}
