/** `turnup maker`: the reference manufacturer's key server, alone. */
import { join } from "node:path";
import type { MakerClient } from "../../maker/policy.ts";
import { makePrivateFolder } from "../../store/journal/make-folder.ts";
import { TurnupError } from "../../term/error.ts";
import { BASIS_POINTS_WHOLE } from "../../term/money.ts";
import { type IssuerKey, issuerKeyLines, issuerKeyOf } from "../../wire/message/issuer-key.ts";
import { boolean, integer, list, object, oneOf, optional, text } from "../../wire/message/shape.ts";
import { ensureMakerCertificates } from "../certificates/certificates.ts";
import { type MakerOptions, startMaker } from "../party/maker.ts";
import { untilAborted } from "../server/lost.ts";
import { strangerLine, strangerNote } from "../server/strangers.ts";
import type { Command, CommandContext } from "../terminal/command.ts";
import { portOption } from "../terminal/port-option.ts";
import { REVOCATION_OPTIONS, revocationByOptions } from "../terminal/revocation-options.ts";
import { readPolicyFile } from "./policy-file.ts";

const MAX_FILE_OCTETS = 16 * 1_048_576;
const DEFAULT_PORT = 8443;
const DAY_MS = 86_400_000;

const digits = (count: number) => text({ min: count, max: count, pattern: /^\d+$/ });
const name = text({ max: 64, pattern: /^[A-Za-z0-9._-]+$/ });
const amountMinor = integer({ min: 0, max: 1_000_000_000 });
/** The file of `--policy`; `docs/operations.md` describes it. */
const readPolicy = object({
  issuer: text({ max: 32 }),
  clients: list(
    object({
      id: name,
      feeMinor: optional(amountMinor),
      portionBasisPoints: optional(integer({ min: 0, max: BASIS_POINTS_WHOLE })),
      /** A policy of the release before: a sum for each key, whatever the fee. */
      portionMinor: optional(amountMinor),
      currency: text({ min: 3, max: 3, pattern: /^[A-Z]{3}$/ }),
    }),
    { min: 1, max: 1_000 },
  ),
  models: list(object({ tac: digits(8), make: text({ max: 80 }), model: text({ max: 120 }) }), {
    max: 200_000,
  }),
  /** Networks with an agreement; one without `networks` holds everywhere else. */
  offers: list(
    object({
      networks: optional(
        list(object({ mcc: digits(3), mnc: text({ min: 2, max: 3, pattern: /^\d+$/ }) }), { max: 1_000 }),
      ),
      hosts: list(text({ max: 128 }), { min: 1, max: 4 }),
      accessPoints: list(
        object({
          apn: text({ max: 100 }),
          use: oneOf(["maker", "mms", "internet", "wap"]),
          authType: oneOf(["none", "pap", "chap"]),
          user: optional(text({ max: 128 })),
          password: optional(text({ max: 128 })),
          mmsc: optional(text({ max: 128 })),
          mmsProxy: optional(text({ max: 128 })),
          port: optional(integer({ min: 1, max: 65_535 })),
        }),
        { min: 1, max: 4 },
      ),
    }),
    { min: 1, max: 1_000 },
  ),
  validityDays: integer({ min: 1, max: 3_650 }),
  /** Whether a key is made where a request names a model and no handset (claim 16); false unless said. */
  allowModelOnly: optional(boolean),
  /** Whether keys delete themselves once they worked, unless the operator wants them to stay; true unless said. */
  deleteAfterUse: optional(boolean),
});

export const makerCommand: Command = {
  name: "maker",
  summary: "Run a manufacturer's key server over mutual TLS",
  description:
    "Issues device keys to operators that show a certificate of its authority. On first start it makes the authority,\n" +
    "its own certificate, one client certificate for each operator of the policy, and its signing key. It prints the public\n" +
    "half, which operators put into `keyIssuers` of their relation and the maker into the client of its handsets.",
  options: [
    { flags: "--policy <file>", about: "JSON: issuer, clients, models, offers, validityDays", needed: true },
    { flags: "--folder <folder>", about: "certificates and journal (default .turnup/maker)" },
    { flags: "--host <address>", about: "address to listen on (default 127.0.0.1)" },
    { flags: "--show-key", about: "print the public key that its keys are signed with, and end" },
    { flags: "--port <port>", about: `port to listen on, 0 for any (default ${DEFAULT_PORT})` },
    ...REVOCATION_OPTIONS,
  ],
  examples: [
    "turnup maker --policy maker.json",
    "turnup maker --policy maker.json --host 0.0.0.0 --port 9443",
    "turnup maker --policy maker.json --show-key --json | jq -r .spki",
  ],
  stays: true,
  async run(context) {
    const folder = context.option("folder") ?? join(".turnup", "maker");
    const host = context.option("host") ?? "127.0.0.1";
    const port = portOption(context, DEFAULT_PORT);
    const policy = policyOf(await context.content(context.option("policy") ?? "-", MAX_FILE_OCTETS));
    makePrivateFolder(folder);
    const certificates = await ensureMakerCertificates({
      folder: join(folder, "certificates"),
      clientIds: policy.clients.map(({ id }) => id),
      hosts: [
        ...new Set(["localhost", "127.0.0.1", "::1", ...(host === "0.0.0.0" || host === "::" ? [] : [host])]),
      ],
      now: context.now(),
    });
    const key = issuerKeyOf(policy.issuer, certificates.signing.publicKey);
    if (context.flag("show-key")) {
      await printKey(context, key);
      return "ok";
    }
    const maker = await startMaker({
      host,
      port,
      certificates,
      journalFolder: join(folder, "journal"),
      policy,
      revocation: await revocationByOptions(context, certificates.authority),
      now: context.now,
      onRefused: strangerLine({ nowMs: () => performance.now(), tell: strangerNote(context.note) }),
      onFault: (error) => context.note(`fault: ${error.message}`),
    });
    try {
      if (context.json) await context.printJson({ url: maker.url, ...key, keys: maker.keyServer.size() });
      else {
        await context.print(
          `${policy.issuer} issues keys at ${maker.url} (${maker.keyServer.size()} so far)`,
        );
        await printKey(context, key);
      }
      await untilAborted(context.signal);
    } finally {
      await maker.close();
    }
    return "ok";
  },
};

async function printKey(context: CommandContext, key: IssuerKey): Promise<void> {
  if (context.json) await context.printJson(key);
  else for (const line of issuerKeyLines(key)) await context.print(line);
}

/** A sum of its own is the whole of a fee of that sum. */
function clientOf({
  id,
  currency,
  ...agreed
}: ReturnType<typeof readPolicy>["clients"][number]): MakerClient {
  const { feeMinor, portionBasisPoints, portionMinor } = agreed;
  const isByFee = feeMinor !== undefined && portionBasisPoints !== undefined && portionMinor === undefined;
  if (isByFee) return { id, feeMinor, portionBasisPoints, currency };
  const isBySum = portionMinor !== undefined && feeMinor === undefined && portionBasisPoints === undefined;
  if (isBySum) return { id, feeMinor: portionMinor, portionBasisPoints: BASIS_POINTS_WHOLE, currency };
  throw new TurnupError("config_invalid", `The policy file: the contract of client ${id} is not whole.`, {
    nextStep:
      "Give feeMinor and portionBasisPoints, as the operator's relation has them; nothing was started.",
  });
}

/** @throws TurnupError `config_invalid` */
export function policyOf(content: Buffer): MakerOptions["policy"] {
  const { issuer, clients, models, offers, validityDays, allowModelOnly, deleteAfterUse } = readPolicyFile(
    readPolicy,
    content,
  );
  const byTac = new Map(models.map((model) => [model.tac, model]));
  const byNetwork = new Map(
    offers.flatMap((offer) =>
      (offer.networks ?? []).map(({ mcc, mnc }) => [`${mcc}-${mnc}`, offer] as const),
    ),
  );
  const elsewhere = offers.find(({ networks }) => networks === undefined);
  return {
    issuer,
    clients: clients.map(clientOf),
    modelOf: (tac) => byTac.get(tac),
    offerOf: (network) => (network && byNetwork.get(`${network.mcc}-${network.mnc}`)) ?? elsewhere,
    makes: [...new Set(models.map(({ make }) => make))],
    allowModelOnly: allowModelOnly ?? false,
    deleteAfterUse: deleteAfterUse ?? true,
    validityMs: validityDays * DAY_MS,
  };
}
