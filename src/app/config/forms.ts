/** Forms of a setting that a pattern alone cannot tell: hosts and URLs that could be reached at all. */
import { isIP } from "node:net";
import { domainToASCII } from "node:url";

/**
 * A host name, or an address as it is written without brackets: `sms.example`, `192.0.2.7`, `2001:db8::1`. What looks like an
 * IPv4 address has to be one: `999.1.2.3` and `010.0.0.1` are none (RFC 3986 clause 3.2.2).
 */
export function isHost(text: string): boolean {
  if (isIP(text) > 0) return true;
  const name = domainToASCII(text).replace(/\.$/, "");
  // A name whose last label is a number is read as an address by everybody, and is none here.
  return (
    name !== "" && name.length <= 253 && HOST_NAME.test(name) && !/(?:^|\.)(?:\d+|0x[0-9a-f]*)$/i.test(name)
  );
}
const HOST_NAME = /^(?!-)[a-z0-9_-]{1,63}(?<!-)(?:\.(?!-)[a-z0-9_-]{1,63}(?<!-))*$/i;

/** An absolute URL whose host is one, with a port from 1 to 65535 or none. */
export function isReachableUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const [, host = ""] =
    /^[a-z][a-z0-9+.-]*:\/\/(?:[^/?#@]*@)?(\[[^\]]*\]|[^/?#:]*)(?::\d*)?(?:[/?#]|$)/i.exec(text) ?? [];
  const port = new URL(text).port;
  return isHost(host.replace(/^\[(.*)\]$/, "$1")) && port !== "0";
}

/** A URL that the driver of PostgreSQL can read: `socket:/path`, or a host, the folder of a socket (`%2Frun`) or none, and a port. */
export function isDatabaseUrl(text: string): boolean {
  if (text.startsWith("socket:")) return true;
  const plain = text.replaceAll(" ", "%20").replace("@/", "@localhost/"); // as the driver reads it
  if (!URL.canParse(plain)) return false;
  const { hostname, port } = new URL(plain);
  return port !== "0" && (/^(?:%2f.*)?$/i.test(hostname) || isHost(hostname.replace(/^\[(.*)\]$/, "$1")));
}
