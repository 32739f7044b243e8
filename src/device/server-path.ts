/**
 * Addresses on a screen, as the device follows them: every one leads to the proxy and names its provisioning server,
 * `/r/<host:port>/d/...` (`wire/message/legs.ts`). What leads elsewhere is nothing that this client follows.
 */
import { DEVICE_PATHS } from "../wire/message/legs.ts";
import type { Screen } from "../wire/screen/screen.ts";

export type ServerPath = {
  readonly server: string;
  /** As the proxy has it, with its query. */
  readonly path: string;
};
type From = {
  /** Origin of the proxy. */
  readonly proxy: string;
  /** `host:port`, of the screen that holds the address. */
  readonly server: string;
  readonly path: string | null;
};

const SERVER = /^[A-Za-z0-9.-]+:\d{1,5}$|^\[[0-9A-Fa-f:.]+\]:\d{1,5}$/;
const ORDER = /\/d\/orders\/([0-9A-Za-z]{8})(?=[/?#]|$)/;

/** Undefined for an address that leads neither to the proxy nor, through it, to a provisioning server. */
export function serverPathOf(href: string, { proxy, server, path }: From): ServerPath | undefined {
  const base = proxy + (path ?? DEVICE_PATHS.through(server, DEVICE_PATHS.start));
  if (!URL.canParse(href, base)) return undefined;
  const url = new URL(href, base);
  const rest = url.pathname + url.search;
  if (url.username || url.password) return undefined;
  if (url.origin === proxy) {
    if (rest.startsWith("/d/")) return { server, path: DEVICE_PATHS.through(server, rest) };
    const named = namedServer(rest);
    return named === undefined ? undefined : { server: named, path: rest };
  }
  // A server of its own, in the clear form that a list may have: its requests go through the proxy too.
  if (url.protocol !== "https:" || !rest.startsWith("/d/")) return undefined;
  const host = `${url.hostname}:${url.port || 443}`;
  return SERVER.test(host) ? { server: host, path: DEVICE_PATHS.through(host, rest) } : undefined;
}

function namedServer(path: string): string | undefined {
  const [, segment] = /^\/r\/([^/]+)\/d\//.exec(path) ?? [];
  if (segment === undefined) return undefined;
  try {
    const server = decodeURIComponent(segment);
    return SERVER.test(server) ? server : undefined;
  } catch {
    return undefined; // a broken escape names nobody
  }
}

/** The address of the order that a deeper address belongs to. */
export function orderPathIn(path: string): string | undefined {
  const found = ORDER.exec(path);
  return found ? path.slice(0, found.index) + found[0] : undefined;
}

/** The order that a screen is about: by its own address, or, after a request, by the addresses on it. */
export function orderShownBy(path: string, screen?: Screen): string | undefined {
  const own = ORDER.exec(path)?.[1];
  if (own !== undefined || !screen || !/\/d\/requests(?=[?#]|$)/.test(path)) return own;
  const hrefs = [
    ...screen.actions.map(({ href }) => href),
    ...(screen.form ? [screen.form.action] : []),
    ...screen.entries.map(({ href }) => href),
  ];
  return hrefs.flatMap((href) => ORDER.exec(href)?.[1] ?? [])[0];
}
