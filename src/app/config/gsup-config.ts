/** Who may ask by GSUP whether a handset may be used, from a file; and where the subscriber register behind us is. */
import { TurnupError } from "../../term/error.ts";
import type { Config } from "./config.ts";
import { hasPort } from "./door-port.ts";
import { type NamedPlace, readNamedPlaces } from "./places-file.ts";

export type GsupPlace = {
  readonly host: string;
  readonly port: number;
  /** Undefined: CHECK-IMEI alone is served. */
  readonly register: { readonly host: string; readonly port: number } | undefined;
  readonly clients: readonly NamedPlace[];
};

/** Undefined without `gsup.port`. @throws TurnupError `config_invalid`, `file_unreadable` */
export async function readGsupPlace({ gsup }: Pick<Config, "gsup">): Promise<GsupPlace | undefined> {
  if (!hasPort("gsup", gsup, ["registerHost", "clientsFile"])) return undefined;
  const { host, port, registerHost, registerPort, clientsFile } = gsup;
  if (!clientsFile)
    throw new TurnupError("config_invalid", "GSUP has a port, and gsup.clients_file is not set.", {
      nextStep: "Name the file that has the MSCs and SGSNs that may ask, or give no port.",
    });
  return {
    ...{ host, port },
    register: registerHost === undefined ? undefined : { host: registerHost, port: registerPort },
    clients: await readNamedPlaces(clientsFile, "See GSUP in docs/operations.md for the form of the file."),
  };
}
