/** What TLS tells of a device: the certificate that it found good, and which authority stands behind it. */
import { createHash, X509Certificate } from "node:crypto";
import type { TLSSocket } from "node:tls";
import type { DeviceCertificate } from "../../proxy/admission.ts";
import { uriNames } from "../../wire/x509/uri-names.ts";

export type Peer = {
  readonly certificate: DeviceCertificate;
  /** DER. */
  readonly raw: Uint8Array;
};

/** Undefined where the device showed none. One that is not good never comes so far: its connection is closed. */
export function createPeerReader(ownAuthority: string): (socket: TLSSocket) => Peer | undefined {
  const own = new X509Certificate(ownAuthority);
  const known = new WeakMap<TLSSocket, Peer>();
  return (socket) => {
    const remembered = known.get(socket);
    if (remembered) return remembered;
    const certificate = socket.authorized ? socket.getPeerX509Certificate() : undefined;
    if (!certificate) return undefined;
    // Our own authority signs devices' certificates directly; whatever else TLS took is a factory's.
    const isOwn = certificate.checkIssued(own) && certificate.verify(own.publicKey);
    const peer: Peer = {
      certificate: {
        authority: isOwn ? "own" : "factory",
        names: uriNames(certificate.subjectAltName),
        fingerprint: certificate.fingerprint256,
        publicKey: publicKeyHashOf(certificate),
      },
      raw: Uint8Array.from(certificate.raw),
    };
    known.set(socket, peer);
    return peer;
  };
}

/** As a request for a certificate names its key. */
const publicKeyHashOf = ({ publicKey }: X509Certificate): string =>
  createHash("sha256")
    .update(publicKey.export({ type: "spki", format: "der" }))
    .digest("base64url");
