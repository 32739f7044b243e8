/** Who may ask by Diameter S13 whether a handset may be used, from a file; and who we are to them. */
import type { TlsOptions } from "node:tls";
import { mutualTls } from "../../http/mutual-tls.ts";
import { TurnupError } from "../../term/error.ts";
import { list, object, optional, text } from "../../wire/message/shape.ts";
import type { Config } from "./config.ts";
import { hasPort } from "./door-port.ts";
import { readDoorTls } from "./door-tls.ts";
import { invalidPlaces, networks, placeName, readPlaces, twiceIn } from "./places-file.ts";

/** What says nothing without a port. */
const S13_ALONE = [
  "originHost",
  "originRealm",
  "peersFile",
  "authorityFile",
  "certificateFile",
  "keyFile",
] as const;
const PEERS_MAX = 1_000;
const NEXT = "See Diameter S13 in docs/operations.md for the form of the file.";
/** RFC 6733 section 4.3.1: a name as the DNS has it. */
const IDENTITY =
  /^(?=.{1,255}$)[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9])?)*$/;
const identity = text({
  max: 255,
  pattern: IDENTITY,
  wanted: "a name as mme1.epc.mnc001.mcc001.3gppnetwork.org is wanted",
});

const readPeers = list(
  object({
    name: placeName,
    originHost: identity,
    addresses: networks,
    operator: optional(text({ max: 64 })),
  }),
  { min: 1, max: PEERS_MAX },
);

export type S13PeerPlace = {
  readonly name: string;
  readonly originHost: string;
  readonly addresses: readonly string[];
  /** Short name; the operator that was made first unless given. */
  readonly operator: string | undefined;
};
export type S13Place = {
  readonly host: string;
  readonly port: number;
  readonly originHost: string;
  readonly originRealm: string;
  readonly tls: TlsOptions | undefined;
  readonly peers: readonly S13PeerPlace[];
};

/** Undefined without `s13.port`. @throws TurnupError `config_invalid`, `file_unreadable` */
export async function readS13Place({ s13 }: Pick<Config, "s13">): Promise<S13Place | undefined> {
  if (!hasPort("s13", s13, S13_ALONE)) return undefined;
  const { host, port, peersFile, originHost, originRealm } = s13;
  if (!peersFile || !originHost || !originRealm)
    throw new TurnupError(
      "config_invalid",
      "Diameter S13 has a port, and a setting that it needs is missing.",
      {
        nextStep: "Give s13.peers_file, s13.origin_host and s13.origin_realm, or no port.",
      },
    );
  for (const [name, value] of [
    ["s13.origin_host", originHost],
    ["s13.origin_realm", originRealm],
  ] as const)
    if (!IDENTITY.test(value))
      throw new TurnupError("config_invalid", `${name} is no name of a host.`, {
        nextStep: "Write a name as eir.epc.mnc001.mcc001.3gppnetwork.org.",
      });
  const peers = await readPlaces(peersFile, readPeers, NEXT);
  for (const names of [peers.map(({ name }) => name), peers.map((one) => one.originHost.toLowerCase())]) {
    const twice = twiceIn(names);
    if (twice !== undefined) throw invalidPlaces(peersFile, `${twice} stands in it twice`, NEXT);
  }
  return { host, port, originHost, originRealm, tls: await tlsOf(s13), peers: peers.map(plain) };
}

const plain = ({ operator, ...peer }: ReturnType<typeof readPeers>[number]): S13PeerPlace => ({
  ...peer,
  operator,
});

async function tlsOf({
  authorityFile,
  certificateFile,
  keyFile,
}: Config["s13"]): Promise<TlsOptions | undefined> {
  if (!authorityFile && !certificateFile && !keyFile) return undefined;
  if (!authorityFile || !certificateFile || !keyFile)
    throw new TurnupError("config_invalid", "Of the three files of TLS for S13 one is missing.", {
      nextStep: "Give s13.authority_file, s13.certificate_file and s13.key_file, or none of them.",
    });
  const tls = await readDoorTls("s13", { authorityFile, certificateFile, keyFile });
  return mutualTls(tls, { admitsOlder: true });
}
