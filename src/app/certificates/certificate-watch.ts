/**
 * How long the certificates are good that the configuration names, ours and those of authorities: measured, and told at the start
 * and once a day while one is over, not good yet, or near its end. A door whose certificate ran out closes without a word of its own.
 */

import type { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { Gauge, type Registry } from "prom-client";
import { assured } from "../../term/narrow.ts";
import { ALL_SETTINGS, type Config } from "../config/config.ts";
import { settingsIn, settingValue } from "../config/entries.ts";
import { certificatesIn } from "../config/pem.ts";

const DAY_MS = 86_400_000;
const NEAR_MS = 14 * DAY_MS;

/** `setting` names the file: `land.certificate_file`. */
type NamedCertificate = { readonly setting: string; readonly from: Date; readonly until: Date };
type CertificateState = "expired" | "not_yet_valid" | "expires_soon";
export type CertificateNews = Pick<NamedCertificate, "setting"> & {
  readonly state: CertificateState;
  readonly validFrom: string;
  readonly validTo: string;
};

/**
 * Of a file of ours its first certificate counts, of a file of authorities the one that is good for longest. What cannot be read is
 * left out: it is refused at the start by what uses it.
 */
export function namedCertificates(config: Config): readonly NamedCertificate[] {
  return settingsIn(ALL_SETTINGS, config).flatMap((setting) => {
    const isOurs = /certificateFile$/i.test(setting.key);
    const path = isOurs || /authorityFile$/i.test(setting.key) ? settingValue(config, setting) : undefined;
    if (typeof path !== "string") return [];
    try {
      const all = certificatesIn(readFileSync(path, "utf8"), setting.name);
      return [{ setting: setting.name, ...termOf(isOurs ? all.slice(0, 1) : all) }];
    } catch {
      return [];
    }
  });
}

function termOf(certificates: readonly X509Certificate[]): Pick<NamedCertificate, "from" | "until"> {
  const terms = certificates.map(({ validFrom, validTo }) => ({
    from: new Date(validFrom),
    until: new Date(validTo),
  }));
  const [longest] = terms.sort((one, other) => other.until.getTime() - one.until.getTime());
  return assured(longest, "a file that holds no certificate was refused");
}

/** What a person is to see to. */
export function certificateNews(named: readonly NamedCertificate[], now: Date): readonly CertificateNews[] {
  return named.flatMap(({ setting, from, until }) => {
    const state = stateOf(from, until, now);
    return state ? [{ setting, state, validFrom: from.toISOString(), validTo: until.toISOString() }] : [];
  });
}

function stateOf(from: Date, until: Date, now: Date): CertificateState | undefined {
  if (until <= now) return "expired";
  if (from > now) return "not_yet_valid";
  return until.getTime() - now.getTime() < NEAR_MS ? "expires_soon" : undefined;
}

/** A line for a person at a terminal. */
export function certificateLine({ setting, state, validFrom, validTo }: CertificateNews): string {
  const facts: Readonly<Record<CertificateState, string>> = {
    expired: `expired at ${validTo}`,
    not_yet_valid: `is not good before ${validFrom}`,
    expires_soon: `expires at ${validTo}`,
  };
  return `${setting}: the certificate ${facts[state]}`;
}

export function watchCertificates(
  config: Config,
  about: {
    readonly registry: Registry;
    now(): Date;
    readonly tell?: ((news: CertificateNews) => void) | undefined;
  },
) {
  const { now, tell = () => undefined } = about;
  let named = namedCertificates(config);
  const look = (): void => {
    for (const news of certificateNews(named, now())) tell(news);
  };
  measureCertificates(about.registry, () => named, now);
  look();
  const timer = setInterval(look, DAY_MS);
  timer.unref();
  return {
    /** Others from now on. */
    change(next: Config): void {
      named = namedCertificates(next);
      look();
    },
    close: () => clearInterval(timer),
  };
}

/** Gives the measure to a registry. */
export function measureCertificates(
  registry: Registry,
  named: () => readonly NamedCertificate[],
  now: () => Date,
): void {
  new Gauge({
    name: "turnup_certificate_expires_seconds",
    help: "Until a certificate expires that the configuration names, by the setting: below 0 it has.",
    labelNames: ["setting"],
    registers: [registry],
    collect() {
      this.reset();
      for (const { setting, until } of named())
        this.set({ setting }, Math.round((until.getTime() - now().getTime()) / 1_000));
    },
  });
}
