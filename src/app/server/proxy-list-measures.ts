/**
 * How far each proxy was told of the accounts of devices, for /metrics: which version of the list it has, how many changes it is
 * behind, and for how long it has not said so. Labels are the proxies' own names, as the server's files have them.
 */
import { Gauge, type Registry } from "prom-client";
import type { ToldProxy } from "../../kernel/account/proxy-accounts.ts";

/** Anybody may ask for measures: the database is asked no oftener than this. */
const REMEMBERED_MS = 5_000;

type Observed = {
  /** Those that this server knows now. */
  readonly proxies: () => Promise<readonly ToldProxy[]>;
  readonly nowMs: () => number;
};

export function measureProxyLists(registry: Registry, { proxies, nowMs }: Observed): void {
  let last: { readonly atMs: number; readonly read: Promise<readonly ToldProxy[]> } | undefined;
  const known = (): Promise<readonly ToldProxy[]> => {
    if (last === undefined || nowMs() - last.atMs >= REMEMBERED_MS)
      last = { atMs: nowMs(), read: proxies().catch(() => []) }; // without the database the rest is told all the same
    return last.read;
  };
  for (const { name, help, read } of OF_EACH) {
    new Gauge({
      name,
      help,
      labelNames: ["proxy"],
      registers: [registry],
      async collect() {
        this.reset();
        for (const one of await known()) {
          const value = read(one, nowMs());
          if (value !== undefined) this.set({ proxy: one.proxy }, value);
        }
      },
    });
  }
  new Gauge({
    name: "turnup_proxies_behind",
    help: "Proxies that have not said that they have the list of accounts as it is now.",
    registers: [registry],
    async collect() {
      this.set((await known()).filter((one) => one.version !== one.listVersion).length);
    },
  });
}

const OF_EACH: readonly {
  readonly name: string;
  readonly help: string;
  /** Undefined: nothing can be said. */
  read(proxy: ToldProxy, nowMs: number): number | undefined;
}[] = [
  {
    name: "turnup_proxy_list_version",
    help: "Version of the list of accounts that the proxy has, by its own word; 0 before its first.",
    read: ({ version }) => version,
  },
  {
    name: "turnup_proxy_list_behind_versions",
    help: "Changes of the list of accounts that the proxy was not told of yet.",
    read: ({ version, listVersion }) => Math.abs(listVersion - version),
  },
  {
    name: "turnup_proxy_list_age_seconds",
    help: "Since the proxy said last which version it has: asked once a minute, oftener while it is behind.",
    read: ({ answeredAt }, nowMs) =>
      answeredAt === null ? undefined : Math.max(0, (nowMs - Date.parse(answeredAt)) / 1_000),
  },
];
