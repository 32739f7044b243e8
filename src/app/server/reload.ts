/**
 * SIGHUP: a program that stays reads its configuration and the files that it names again, one reading after the other. What may
 * change while it runs is put into force as a whole or not at all, and the log tells what it was, by the names of settings.
 */
import type { Logger } from "pino";
import { TurnupError } from "../../term/error.ts";
import { type Config, type ConfigSource, readConfig } from "../config/config.ts";
import { changesBetween, type InForce, inForceOf } from "../config/in-force.ts";
import type { CommandContext } from "../terminal/command.ts";

type Reloading = {
  readonly source: ConfigSource;
  readonly inForce: Config;
  /** Settings that may change while it runs: whole sections, or one by one. */
  readonly mayChange: readonly string[];
  /** @throws Error: all stayed as it was */
  apply(config: Config): Promise<void>;
  readonly log: Pick<Logger, "info" | "warn" | "error">;
};

export function reloadOnHangup({ onHangup }: Pick<CommandContext, "onHangup">, reloading: Reloading): void {
  let before = inForceOf(reloading.inForce);
  let turn = Promise.resolve();
  onHangup(() => {
    turn = turn.then(async () => {
      before = await reload(reloading, before);
    });
  });
}

async function reload({ source, mayChange, apply, log }: Reloading, before: InForce): Promise<InForce> {
  try {
    const { config } = readConfig(source);
    const after = inForceOf(config);
    const changes = changesBetween(before, after);
    await apply(config);
    const may = (name: string): boolean =>
      mayChange.some((one) => name === one || name.startsWith(`${one}.`) || name.startsWith(`${one}:`));
    const waiting = changes.filter((name) => !may(name));
    if (waiting.length > 0) log.warn({ settings: waiting }, "changed, and in force after a restart");
    log.info({ changed: changes.filter(may) }, "files read again");
    return new Map([...after].filter(([name]) => !waiting.includes(name)).concat(keptOf(before, waiting)));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const next = error instanceof TurnupError ? error.nextStep : undefined;
    log.error({ reason, next }, "files not read again: what was in force stays");
    return before;
  }
}

/** What waits for a restart is told again at the next SIGHUP. */
const keptOf = (before: InForce, waiting: readonly string[]): [string, string][] =>
  waiting.flatMap((name): [string, string][] => {
    const value = before.get(name);
    return value === undefined ? [] : [[name, value]];
  });

/** Of `turnup serve`. */
export const SERVER_MAY_CHANGE = [
  "identity",
  "payment",
  "service",
  "element",
  "billing",
  "mail",
  "maker",
  "bank",
  "smsc",
  "peer",
  "tls",
  "apple",
  "partner.authority_file",
  "partner.certificate_file",
  "partner.key_file",
  "partner.clients_file",
  "radius.clients_file",
  "radius.authority_file",
  "radius.certificate_file",
  "radius.key_file",
  "equipment",
  "s13.peers_file",
  "s13.authority_file",
  "s13.certificate_file",
  "s13.key_file",
  "gsup.clients_file",
  "eir.clients_file",
  "eir.nrf_keys_file",
  "eir.authority_file",
  "eir.certificate_file",
  "eir.key_file",
  "land.authority_file",
  "land.certificate_file",
  "land.key_file",
  "land.proxies_file",
  "portal.gateways_file",
  "log.level",
] as const;

/** Of `turnup proxy`. */
export const PROXY_MAY_CHANGE = ["proxy.policy_file", "proxy.accounts_file", "tls", "log.level"] as const;
