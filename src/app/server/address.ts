/** Where a server of ours is found once it listens; a port of 0 takes any free one. */
import type { Server } from "node:net";

/** @throws Error: it does not listen on TCP */
export function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("it does not listen on TCP");
  return address.port;
}

/** An IPv6 address stands in brackets (RFC 3986 clause 3.2.2). */
export const urlOf = (scheme: "http" | "https", host: string, port: number): string =>
  `${scheme}://${host.includes(":") ? `[${host}]` : host}:${port}`;
