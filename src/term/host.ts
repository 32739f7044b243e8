/**
 * Hosts as operators write them in proxies and addresses of message centres. A host of digits and dots alone is an IPv4 address in
 * decimal: `010.0.0.1` is 10.0.0.1, although programs that go by inet_aton(3) read a leading zero as octal (RFC 6943 §3.1.1).
 */

/** `address` is what is sent: IPv4 without leading zeros, IPv6 as RFC 5952 writes it, without brackets. */
export type Host = { readonly kind: "ipv4" | "ipv6" | "name"; readonly address: string };

const IPV4_OCTET_MAX = 255;

/** Undefined: digits and dots that are no IPv4 address, colons that are no IPv6 address, nothing, or white space inside. */
export function hostOf(text: string): Host | undefined {
  if (/^[\d.]+$/.test(text)) {
    const address = plainIpv4(text);
    return address === undefined ? undefined : { kind: "ipv4", address };
  }
  if (/[:[\]]/.test(text)) {
    const address = plainIpv6(text.replace(/^\[(.*)\]$/, "$1"));
    return address === undefined ? undefined : { kind: "ipv6", address };
  }
  return text === "" || /\s/.test(text) ? undefined : { kind: "name", address: text };
}

/**
 * An address on the web whose host is as {@link hostOf} writes it; all else stays as it stands, a missing scheme too.
 * Undefined: its host is none.
 */
export function plainUrl(text: string): string | undefined {
  const [, scheme = "", host = "", rest = ""] =
    /^([a-z][a-z0-9+.-]*:\/\/)?(\[[^\]]*\]|[^/:?#[\]]*)(.*)$/i.exec(text) ?? [];
  const read = hostOf(host);
  if (!read) return undefined;
  return `${scheme}${read.kind === "ipv6" ? `[${read.address}]` : read.address}${rest}`;
}

function plainIpv4(text: string): string | undefined {
  const numbers = text.split(".");
  const isAddress =
    numbers.length === 4 && numbers.every((one) => /^\d{1,3}$/.test(one) && Number(one) <= IPV4_OCTET_MAX);
  return isAddress ? numbers.map(Number).join(".") : undefined;
}

function plainIpv6(text: string): string | undefined {
  if (!/^[0-9a-f:.]+$/i.test(text)) return undefined;
  try {
    return new URL(`http://[${text}]/`).hostname.slice(1, -1);
  } catch {
    return undefined;
  }
}
