/** Clients of manufacturers' key servers, as the configuration says how they are reached: our certificate, a tunnel, a time. */
import { readFileSync } from "node:fs";
import type { MakerPort } from "../../kernel/conductor/make-calls.ts";
import { createMakerClient } from "../../net/maker/client.ts";
import { makerPortOf } from "../../net/maker/port.ts";
import { TurnupError } from "../../term/error.ts";
import { messageOf } from "../../term/narrow.ts";
import type { Config } from "../config/config.ts";
import { checkAuthority, checkIdentity, togetherOrNone } from "../config/pem.ts";
import { type MachineWatch, machineAt } from "./machine-watch.ts";

/** PEM of the authority that key servers prove themselves by, and of our own certificate and key. */
export type MakerCredentials = {
  readonly authority: string;
  readonly certificate: string;
  readonly key: string;
};

/** One client a key server, made when first called; none without our certificate. */
export function makerPorts(config: Config, given: MakerCredentials | undefined, machines: MachineWatch) {
  const clients = new Map<string, { readonly port: MakerPort; close(): void }>();
  let [settings, credentials] = [config.maker, given ?? makerCredentialsOf(config)];
  const closeAll = (): void => {
    for (const client of clients.values()) client.close();
    clients.clear();
  };
  return {
    /** @throws TurnupError where a file cannot be used: then nothing is changed. Answers what puts it into force */
    prepare(next: Config): () => void {
      const found = given ?? makerCredentialsOf(next);
      return () => {
        [settings, credentials] = [next.maker, found];
        closeAll(); // what was under way there is asked again, under the key that it had
      };
    },
    at(url: string): MakerPort | undefined {
      if (!credentials) return undefined;
      const known = clients.get(url);
      if (known) return known.port;
      const { tunnelInterface, timeoutMs } = settings;
      const client = createMakerClient({
        url,
        ...credentials,
        timeoutMs,
        ...(tunnelInterface === undefined ? {} : { tunnel: { interfaceName: tunnelInterface } }),
      });
      const port = machines.watch(machineAt("maker", url), makerPortOf(client));
      clients.set(url, { port, close: client.close });
      return port;
    },
    close: closeAll,
  };
}

/** @throws TurnupError `config_invalid`: some of the files and not all, or what does not fit; `file_unreadable` */
export function makerCredentialsOf({ maker }: Pick<Config, "maker">): MakerCredentials | undefined {
  const { authorityFile, certificateFile, keyFile } = maker;
  togetherOrNone({
    "maker.authority_file": authorityFile,
    "maker.certificate_file": certificateFile,
    "maker.key_file": keyFile,
  });
  if (!authorityFile || !certificateFile || !keyFile) return undefined;
  const credentials = {
    authority: textOf(authorityFile),
    certificate: textOf(certificateFile),
    key: textOf(keyFile),
  };
  checkAuthority(credentials.authority, "maker.authority_file");
  checkIdentity(credentials, { certificate: "maker.certificate_file", key: "maker.key_file" });
  return credentials;
}

function textOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    throw new TurnupError("file_unreadable", `${file} cannot be read: ${messageOf(cause)}.`, { cause });
  }
}
