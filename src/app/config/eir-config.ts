/** Who may ask by N5g-eir whether a handset may be used, from files; and how they show that they may. */
import type { KeyObject } from "node:crypto";
import type { DoorTls } from "../../http/mutual-tls.ts";
import { TurnupError } from "../../term/error.ts";
import type { Config } from "./config.ts";
import { hasPort } from "./door-port.ts";
import { readDoorTls } from "./door-tls.ts";
import { publicKeysIn } from "./pem.ts";
import { contentOf, invalidPlaces, type NamedPlace, readNamedPlaces } from "./places-file.ts";

/** What says nothing without a port. */
const EIR_ALONE = ["clientsFile", "nrfKeysFile", "authorityFile", "certificateFile", "keyFile"] as const;
const NEXT = "See 5G-EIR in docs/operations.md for the form of the file.";

export type EirPlace = {
  readonly host: string;
  readonly port: number;
  readonly prefix: string;
  readonly tls: DoorTls | undefined;
  readonly clients: readonly NamedPlace[];
  /** Of the NRF; empty: no tokens are asked for. */
  readonly nrfKeys: readonly KeyObject[];
  readonly instanceId: string | undefined;
};

/** Undefined without `eir.port`. @throws TurnupError `config_invalid`, `file_unreadable` */
export async function readEirPlace({ eir }: Pick<Config, "eir">): Promise<EirPlace | undefined> {
  if (!hasPort("eir", eir, EIR_ALONE)) return undefined;
  const { host, port, clientsFile, prefix, instanceId, nrfKeysFile } = eir;
  if (!clientsFile)
    throw new TurnupError("config_invalid", "The 5G-EIR has a port, and eir.clients_file is not set.", {
      nextStep: "Name the file that has the functions that may ask, or give no port.",
    });
  return {
    ...{ host, port, prefix: prefix ?? "", instanceId, tls: await tlsOf(eir) },
    clients: await readNamedPlaces(clientsFile, NEXT),
    nrfKeys: nrfKeysFile === undefined ? [] : keysIn(nrfKeysFile, await contentOf(nrfKeysFile)),
  };
}

function keysIn(path: string, pem: string): readonly KeyObject[] {
  const keys = publicKeysIn(pem);
  if (keys.length === 0) throw invalidPlaces(path, "it holds no public key or certificate as PEM", NEXT);
  return keys;
}

async function tlsOf({
  authorityFile,
  certificateFile,
  keyFile,
}: Config["eir"]): Promise<DoorTls | undefined> {
  if (!authorityFile && !certificateFile && !keyFile) return undefined;
  if (!authorityFile || !certificateFile || !keyFile)
    throw new TurnupError("config_invalid", "Of the three files of TLS for the 5G-EIR one is missing.", {
      nextStep: "Give eir.authority_file, eir.certificate_file and eir.key_file, or none of them.",
    });
  return readDoorTls("eir", { authorityFile, certificateFile, keyFile });
}
