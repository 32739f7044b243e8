/** Who may use the CAMARA APIs, from files; and whose word on that is taken. */
import type { KeyObject } from "node:crypto";
import { TurnupError } from "../../term/error.ts";
import { list, object, optional, text } from "../../wire/message/shape.ts";
import type { Config } from "./config.ts";
import { publicKeysIn } from "./pem.ts";
import { contentOf, invalidPlaces, readPlaces, twiceIn } from "./places-file.ts";

const NEXT = "See CAMARA in docs/operations.md for the form of the file.";
const SCOPES = [
  ...["device-swap", "device-swap:retrieve-date", "device-swap:check"],
  ...["sim-swap", "sim-swap:retrieve-date", "sim-swap:check"],
  ...[
    "device-identifier:retrieve-identifier",
    "device-identifier:retrieve-type",
    "device-identifier:retrieve-ppid",
  ],
  ...["number-verification:verify", "number-verification:device-phone-number:read"],
];
const scope = text({
  max: 100,
  pattern: new RegExp(`^(?:${SCOPES.join("|")})$`),
  wanted: `one of ${SCOPES.join(", ")} is wanted`,
});
const readClients = list(
  object({
    clientId: text({ max: 200 }),
    /** Short name; the operator that was made first unless given. */
    operator: optional(text({ max: 64 })),
    scopes: list(scope, { min: 1, max: SCOPES.length }),
    /** Those of them for which the operator has another ground than the subscriber's word. */
    withoutSubscriber: optional(list(scope, { max: SCOPES.length })),
  }),
  { min: 1, max: 10_000 },
);

type CamaraPlace = {
  readonly issuer: string;
  readonly audience: string;
  readonly keys: readonly KeyObject[];
  readonly clients: ReturnType<typeof readClients>;
};

/** Undefined without any of the four settings. @throws TurnupError `config_invalid`, `file_unreadable` */
export async function readCamaraPlace({ camara }: Pick<Config, "camara">): Promise<CamaraPlace | undefined> {
  const { issuer, audience, keysFile, clientsFile } = camara;
  if (!issuer && !audience && !keysFile && !clientsFile) return undefined;
  if (!issuer || !audience || !keysFile || !clientsFile)
    throw new TurnupError("config_invalid", "Of the four settings of the CAMARA APIs one is missing.", {
      nextStep:
        "Give camara.issuer, camara.audience, camara.keys_file and camara.clients_file, or none of them.",
    });
  const keys = publicKeysIn(await contentOf(keysFile));
  if (keys.length === 0) throw invalidPlaces(keysFile, "it holds no public key or certificate as PEM", NEXT);
  const clients = await readPlaces(clientsFile, readClients, NEXT);
  const twice = twiceIn(clients.map(({ clientId }) => clientId));
  if (twice !== undefined) throw invalidPlaces(clientsFile, `${twice} stands in it twice`, NEXT);
  for (const { clientId, scopes, withoutSubscriber = [] } of clients) {
    const stray = withoutSubscriber.find((one) => !scopes.includes(one));
    if (stray !== undefined)
      throw invalidPlaces(
        clientsFile,
        `${clientId} has ${stray} in withoutSubscriber and not in scopes`,
        NEXT,
      );
  }
  return { issuer, audience, keys, clients };
}
