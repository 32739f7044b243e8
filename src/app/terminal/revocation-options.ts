/**
 * Whether callers' certificates were taken back, as the options of a party without a configuration have it: the same as the
 * server's `tls` section.
 */
import type { RevocationCheck } from "../../http/revocation-check.ts";
import { isReachableUrl } from "../config/forms.ts";
import { checkRevocation, openRevocation, type RevocationTls } from "../server/revocation.ts";
import { type CommandContext, type OptionSpec, UsageError } from "./command.ts";

const TIMEOUT_MS = { min: 100, max: 60_000, standard: 3_000 } as const;
const AWAY = ["refuse", "accept"] as const;

export const REVOCATION_OPTIONS: readonly OptionSpec[] = [
  {
    flags: "--crl-path <path>",
    about: "revocation lists of the clients' authority: a file or a folder, PEM or DER",
  },
  { flags: "--ocsp-url <url>", about: "responder (OCSP) that is asked where no list is in force" },
  {
    flags: "--ocsp-from-certificate",
    about: "without --ocsp-url, ask the responder that a certificate names",
  },
  {
    flags: "--revocation-when-away <word>",
    about: "where a list has lapsed or the responder does not say: refuse (default) or accept",
    choices: AWAY,
  },
  {
    flags: "--revocation-timeout-ms <ms>",
    about: `a responder without an answer for this long is away (default ${TIMEOUT_MS.standard})`,
  },
];

/**
 * @param authority PEM: whose certificates are let in
 * @throws UsageError; TurnupError `config_invalid`, `file_unreadable` of a list
 */
export async function revocationByOptions(
  context: CommandContext,
  authority: string,
): Promise<RevocationCheck> {
  const tls = tlsOf(context);
  await checkRevocation(tls, [authority]);
  const { check } = await openRevocation(tls, {
    now: () => context.now(),
    tell: ({ kind, detail }) => context.note(`certificates not looked up: ${kind} (${detail})`),
  });
  return check;
}

function tlsOf(context: CommandContext): RevocationTls {
  const ocspUrl = context.option("ocsp-url");
  if (ocspUrl !== undefined && !(/^https?:\/\//i.test(ocspUrl) && isReachableUrl(ocspUrl)))
    throw new UsageError("--ocsp-url takes an http or https URL.");
  const given = context.option("revocation-timeout-ms");
  const revocationTimeoutMs = given === undefined ? TIMEOUT_MS.standard : Number(given);
  const isInRange = revocationTimeoutMs >= TIMEOUT_MS.min && revocationTimeoutMs <= TIMEOUT_MS.max;
  if (!Number.isInteger(revocationTimeoutMs) || !isInRange)
    throw new UsageError(`--revocation-timeout-ms takes ${TIMEOUT_MS.min} to ${TIMEOUT_MS.max}.`);
  return {
    crlPath: context.option("crl-path"),
    crlName: "--crl-path",
    ocspUrl,
    ocspFromCertificate: context.flag("ocsp-from-certificate"),
    revocationWhenAway: AWAY.find((word) => word === context.option("revocation-when-away")) ?? "refuse",
    revocationTimeoutMs,
  };
}
