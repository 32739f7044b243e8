/**
 * Whether certificates that callers show were taken back, as the `tls` section has it: lists in files, which are read again when
 * they change and by SIGHUP, and responders. What is not known is refused or let in by `tls.revocation_when_away`, counted, and told
 * once a minute.
 */
import { X509Certificate } from "node:crypto";
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { Counter, Gauge, type Registry } from "prom-client";
import type { RevocationCheck } from "../../http/revocation-check.ts";
import { createRevocation, type RevocationRules } from "../../net/revocation/revocation.ts";
import { isListOf, type RevocationList, revocationListsIn } from "../../net/revocation/revocation-list.ts";
import { TurnupError } from "../../term/error.ts";
import { messageOf } from "../../term/narrow.ts";
import { DecodeError } from "../../wire/decode-error.ts";
import type { Config } from "../config/config.ts";
import { strangerLine } from "./strangers.ts";

const LOOK_AGAIN_MS = 1_000;
const LIST_OCTETS_MAX = 64 * 1_048_576;
const LISTS_MAX = 200;
const OUTCOMES = ["good", "revoked", "unknown_refused", "unknown_let_in"] as const;

/** The `tls` section, or options that say the same; `crlName` is where the path of the lists was given. */
export type RevocationTls = Config["tls"] & { readonly crlName?: string };
type Lists = Pick<RevocationTls, "crlPath" | "crlName">;
type Files = { readonly lists: readonly RevocationList[]; readonly stamp: string };
export type RevocationNews = {
  readonly kind: "revocation_unknown" | "list_unreadable";
  readonly detail: string;
};
export type Revocation = {
  readonly check: RevocationCheck;
  /** By lists alone: of certificates that we issued ourselves. */
  readonly checkListed: RevocationCheck;
  /** Gives measures to a registry. */
  measure(registry: Registry): void;
  /** Reads the files anew; answers what puts them into force. @throws TurnupError: nothing is changed */
  prepare(tls: RevocationTls): Promise<() => void>;
};

/** Undefined where nothing is configured. @throws TurnupError `config_invalid`, `file_unreadable` */
export async function openRevocation(
  first: RevocationTls,
  { now, tell = () => undefined }: { now(): Date; tell?: ((news: RevocationNews) => void) | undefined },
): Promise<Revocation> {
  let tls = first;
  let files = await readLists(tls);
  let lookedMs = performance.now();
  const counts = { good: 0, revoked: 0, unknown_refused: 0, unknown_let_in: 0 };
  const revocation = createRevocation(() => rulesOf(tls, files.lists), now);
  const line = strangerLine({
    nowMs: () => performance.now(),
    tell: ({ detail }) => tell({ kind: "revocation_unknown", detail }),
  });

  async function lookAgain(): Promise<void> {
    if (tls.crlPath === undefined || performance.now() - lookedMs < LOOK_AGAIN_MS) return;
    lookedMs = performance.now();
    const stamp = await stampOf(await filesAt(tls)).catch(messageOf);
    if (stamp === files.stamp) return;
    try {
      files = await readLists(tls);
      revocation.forget();
    } catch (error) {
      files = { ...files, stamp }; // the lists that were good stay, until they lapse
      tell({ kind: "list_unreadable", detail: messageOf(error) });
    }
  }
  const checkBy =
    (sources: "all" | "lists"): RevocationCheck =>
    async (chain) => {
      await lookAgain();
      const state = await revocation.stateOf(chain, sources);
      if (state.kind === "good") return counted("good", { kind: "let_in" });
      if (state.kind === "revoked") return counted("revoked", state);
      line({ cause: "revocation_unknown", detail: state.detail, peer: "" });
      return tls.revocationWhenAway === "accept"
        ? counted("unknown_let_in", { kind: "let_in" })
        : counted("unknown_refused", { kind: "revocation_unknown", detail: state.detail });
    };
  return {
    check: checkBy("all"),
    checkListed: checkBy("lists"),
    measure: (registry) => measure(registry, counts, () => files.lists),
    async prepare(next) {
      const read = await readLists(next);
      return () => {
        [tls, files] = [next, read];
        revocation.forget();
      };
    },
  };
  function counted<Verdict>(outcome: (typeof OUTCOMES)[number], verdict: Verdict): Verdict {
    counts[outcome]++;
    return verdict;
  }
}

/**
 * Each list is of an authority whose certificates are let in: of another's, nothing would ever be looked up.
 * @param authorities PEM; where there are none, as in a trial that makes its own, nothing is looked at
 * @throws TurnupError `config_invalid`, `file_unreadable`
 */
export async function checkRevocation(lists: Lists, authorities: readonly string[]): Promise<void> {
  const known = authorities.flatMap((pem) => certificatesIn(pem));
  for (const name of lists.crlPath === undefined ? [] : await filesAt(lists))
    for (const list of await listsIn(name, lists)) {
      if (known.length === 0 || known.some((one) => isListOf(list, one))) continue;
      throw new TurnupError(
        "config_invalid",
        `${namedIn(lists)}: ${name} is signed by none of the authorities whose certificates are let in.`,
        {
          nextStep:
            "Take it away, or put the authority that signs it into the file of authorities of its door.",
        },
      );
    }
}

const certificatesIn = (pem: string): X509Certificate[] =>
  (pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []).map(
    (one) => new X509Certificate(one),
  );

const rulesOf = (
  { ocspUrl, ocspFromCertificate, revocationTimeoutMs }: RevocationTls,
  lists: readonly RevocationList[],
): RevocationRules => ({
  lists,
  responder: ocspUrl === undefined ? undefined : new URL(ocspUrl),
  asksNamedResponder: ocspFromCertificate,
  timeoutMs: revocationTimeoutMs,
});

/** @throws TurnupError `config_invalid`, `file_unreadable` */
async function readLists(tls: Lists): Promise<Files> {
  if (tls.crlPath === undefined) return { lists: [], stamp: "" };
  const names = await filesAt(tls);
  const stamp = await stampOf(names);
  const lists: RevocationList[] = [];
  for (const name of names) lists.push(...(await listsIn(name, tls)));
  return { lists, stamp };
}

const namedIn = ({ crlName = "tls.crl_path" }: Lists): string => crlName;

async function listsIn(name: string, tls: Lists): Promise<RevocationList[]> {
  try {
    if ((await stat(name)).size > LIST_OCTETS_MAX) throw new DecodeError("longer than 64 MiB", 0);
    return revocationListsIn(await readFile(name));
  } catch (cause) {
    if (!(cause instanceof DecodeError)) throw unreadable(tls, name, cause);
    throw new TurnupError("config_invalid", `${namedIn(tls)}: ${name}: ${cause.message}.`, {
      cause,
      nextStep: "Give whole revocation lists, PEM or DER, as `openssl crl -in FILE -noout -text` shows them.",
    });
  }
}

/** The file, or all that stand in the folder. */
async function filesAt(tls: Lists): Promise<string[]> {
  const { crlPath: path = "" } = tls;
  try {
    if (!(await stat(path)).isDirectory()) return [path];
    const inside = (await readdir(path, { withFileTypes: true })).filter((entry) => !entry.isDirectory());
    const names = inside.map(({ name }) => name).filter((name) => !name.startsWith("."));
    if (names.length > LISTS_MAX)
      throw new TurnupError("config_invalid", `${namedIn(tls)}: ${path} holds more than ${LISTS_MAX} files.`);
    return names.sort().map((name) => join(path, name));
  } catch (cause) {
    throw cause instanceof TurnupError ? cause : unreadable(tls, path, cause);
  }
}

/** Changes whenever one of them does. */
async function stampOf(names: readonly string[]): Promise<string> {
  const stamps = names.map(async (name) => {
    const { mtimeMs, size, ino } = await stat(name);
    return `${name} ${mtimeMs} ${size} ${ino}`;
  });
  return (await Promise.all(stamps)).join("\n");
}

const unreadable = (tls: Lists, path: string, cause: unknown): TurnupError =>
  new TurnupError("file_unreadable", `${namedIn(tls)}: ${path} cannot be read.`, { cause });

function measure(
  registry: Registry,
  counts: Readonly<Record<(typeof OUTCOMES)[number], number>>,
  lists: () => readonly RevocationList[],
): void {
  new Counter({
    name: "turnup_revocation_checks_total",
    help: "Requests whose certificate was looked at for whether its authority took it back, by what was found.",
    labelNames: ["outcome"],
    registers: [registry],
    collect() {
      this.reset();
      for (const outcome of OUTCOMES) this.inc({ outcome }, counts[outcome]);
    },
  });
  new Gauge({
    name: "turnup_revocation_list_lapses_seconds",
    help: "Until the first of the revocation lists lapses: below 0 it has, +Inf where there is none.",
    registers: [registry],
    collect() {
      const ends = lists().flatMap(({ nextUpdate }) => (nextUpdate ? [nextUpdate.getTime()] : []));
      this.set((Math.min(...ends) - Date.now()) / 1_000);
    },
  });
}
