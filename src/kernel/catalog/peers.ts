/** Other provisioning servers, as the catalog names them (R6, R40 and R120). */

/** The other provisioning servers that this one knows, by the origin that a catalog item names. */
export type Peers = {
  readonly of: (origin: string) => KnownPeer | undefined;
};

export type KnownPeer = {
  /** What people call it. */
  readonly name: string;
  /** Where a browser finds its portal; null where it has none. */
  readonly portalUrl: string | null;
  /** It takes requests from us. */
  readonly takesRequests: boolean;
};
export const NO_PEERS: Peers = { of: () => undefined };
const hostOf = (origin: string): string => (URL.canParse(origin) ? new URL(origin).host : origin);

export const peerName = (peers: Peers, origin: string): string => peers.of(origin)?.name ?? hostOf(origin);
