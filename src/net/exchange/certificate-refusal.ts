/**
 * Under TLS 1.3 we are through with the handshake before a server has looked at our certificate. One that refuses it
 * says so in an alert, which a cut on what we have sent meanwhile can take along, or just cuts. So it is asked once
 * more with nothing sent: an alert or a cut right behind the handshake tells; a session ticket, which only follows a
 * certificate that was taken, or silence means that the cut had another cause.
 */
import { connect } from "node:tls";

/** For a server's word on our certificate, where a connection was cut without any. */
const ALERT_WAIT_MS = 1_000;
/** How a connection that ended before any answer is told. */
export const CUT = /^(ECONNRESET|EPIPE|socket hang up)$/;
/** An alert that is about our certificate. */
export const CERTIFICATE_ALERT =
  /ALERT_(CERTIFICATE_REQUIRED|BAD_CERTIFICATE|UNKNOWN_CA|CERTIFICATE_EXPIRED|ACCESS_DENIED)|CERTIFICATE_REQUIRED/;

/** How the server refused our certificate; undefined where it did not. */
export function certificateRefusal(way: {
  readonly host: string;
  readonly port: number;
  readonly localAddress?: string;
  readonly certificate: string;
  readonly key: string;
  /** The system's own list unless given. */
  readonly authority?: string;
}): Promise<string | undefined> {
  const { certificate, key, authority, ...place } = way;
  return new Promise((resolve) => {
    const trust = authority === undefined ? {} : { ca: authority };
    const socket = connect({ ...place, cert: certificate, key, ...trust, minVersion: "TLSv1.3" });
    const timer = setTimeout(() => end(undefined), ALERT_WAIT_MS);
    let shaken = false;
    function end(detail: string | undefined): void {
      clearTimeout(timer);
      socket.destroy();
      resolve(detail);
    }
    const cut = (): string | undefined =>
      shaken ? "cut right behind the handshake, before anything was sent" : undefined;
    socket.on("secureConnect", () => {
      shaken = true;
    });
    socket.on("session", () => end(undefined));
    socket.on("error", ({ code = "" }: NodeJS.ErrnoException) => {
      if (CERTIFICATE_ALERT.test(code)) end(code);
      else end(CUT.test(code) ? cut() : undefined);
    });
    socket.on("close", () => end(cut()));
    socket.resume(); // an alert is read with the data
  });
}
