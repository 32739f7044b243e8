/**
 * The provisioning servers that a proxy leads to, two or more in one list (R6 and R24), and the addresses of screens:
 * a link to any of them is rewritten so that it leads through the proxy again.
 */
import { DEVICE_PATHS } from "../wire/message/legs.ts";
import { isSafeHref, type Screen } from "../wire/screen/screen.ts";

/** `host:port` in small letters, as addresses name a server. */
export type ServerName = string;

/** A screen that would send what a user entered to a server that nobody has proved. */
export class ForeignAddress extends Error {
  override readonly name = "ForeignAddress";
}

/** @throws RangeError: no https address */
export function serverNameOf(url: string): ServerName {
  const { protocol, hostname, port } = new URL(url);
  if (protocol !== "https:") throw new RangeError("a provisioning server is reached over https only");
  return `${hostname}:${port || "443"}`;
}

/**
 * The same screen with addresses that lead through the proxy. Relative ones are resolved against the page they stand on.
 * What stays outside (an operator's help page) is left to the device; what is posted may not.
 * @throws ForeignAddress
 */
export function throughProxy(
  screen: Screen,
  page: { readonly server: ServerName; readonly target: string },
  servers: ReadonlySet<ServerName>,
): Screen {
  const rewrite = (href: string): string => rewritten(href, page, servers);
  const rewritePost = (href: string): string => {
    const led = rewrite(href);
    if (!led.startsWith("/r/"))
      throw new ForeignAddress("a form of this screen goes to a server that is none of ours");
    return led;
  };
  return {
    ...screen,
    entries: screen.entries.map((entry) => ({ ...entry, href: rewrite(entry.href) })),
    ...(screen.form && { form: { ...screen.form, action: rewritePost(screen.form.action) } }),
    actions: screen.actions.map((action) => ({
      ...action,
      href: action.method === "post" ? rewritePost(action.href) : rewrite(action.href),
    })),
  };
}

function rewritten(
  href: string,
  { server, target }: { readonly server: ServerName; readonly target: string },
  servers: ReadonlySet<ServerName>,
): string {
  if (!isSafeHref(href)) throw new ForeignAddress("an address that is neither a path nor one by http");
  const url = new URL(href, `https://${server}${target}`);
  const name = `${url.hostname}:${url.port || (url.protocol === "https:" ? "443" : "80")}`;
  if (url.protocol !== "https:" || !servers.has(name)) return href;
  return DEVICE_PATHS.through(name, `${url.pathname}${url.search}${url.hash}`);
}
