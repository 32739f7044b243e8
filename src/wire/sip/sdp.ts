/**
 * What a call's two ends can do (SDP), as far as an offer and its answer need it. Source: RFC 8866 §5 (form), RFC 3264 §5 and §6
 * (the answer has the offer's media in the offer's order; port 0 refuses one).
 */
import { DecodeError } from "../decode-error.ts";

/** One stream: `video 49170 RTP/AVP 96`, with its attributes ("rtpmap:96 H264/90000"). */
export type SdpMedia = {
  readonly kind: string;
  /** 0 refuses it. */
  readonly port: number;
  readonly protocol: string;
  readonly formats: readonly string[];
  readonly attributes: readonly string[];
};
/** A session: who made it (RFC 8866 §5.2 `o=`), where it is, and its streams. */
export type Sdp = {
  readonly origin: string;
  readonly connection: string;
  readonly media: readonly SdpMedia[];
};

const LINES_MAX = 128;
const MEDIA_MAX = 8;
const MEDIA = /^([a-z]{1,20}) (\d{1,5})(?:\/\d+)? ([A-Z/0-9]{1,40}) (.{1,200})$/i;

/** @throws DecodeError: no SDP of version 0, no origin, more streams than a call has, or a stream of no known form */
export function decodeSdp(text: string): Sdp {
  const lines = text.split(/\r?\n/).filter((line) => line !== "");
  if (lines.length > LINES_MAX) throw new DecodeError(`more than ${LINES_MAX} lines of SDP`, 0);
  if (lines[0] !== "v=0") throw new DecodeError("no SDP of version 0", 0);
  const media: (SdpMedia & { attributes: string[] })[] = [];
  let [origin, connection] = ["", ""];
  for (const line of lines) {
    if (!/^[a-z]=/.test(line)) throw new DecodeError("a line that is no SDP", 0);
    const value = line.slice(2);
    if (line.startsWith("o=")) origin = value;
    if (line.startsWith("c=") && media.length === 0) connection = value;
    if (line.startsWith("a=")) media.at(-1)?.attributes.push(value);
    if (line.startsWith("m=")) media.push(mediaOf(value));
    if (media.length > MEDIA_MAX) throw new DecodeError(`more than ${MEDIA_MAX} streams in SDP`, 0);
  }
  if (origin === "") throw new DecodeError("SDP without its origin", 0);
  return { origin, connection, media };
}

/** As text, with CR LF. */
export const encodeSdp = ({ origin, connection, media }: Sdp): string =>
  [
    "v=0",
    `o=${origin}`,
    "s=-",
    `c=${connection}`,
    "t=0 0",
    ...media.flatMap(({ kind, port, protocol, formats, attributes }) => [
      `m=${kind} ${port} ${protocol} ${formats.join(" ")}`,
      ...attributes.map((attribute) => `a=${attribute}`),
    ]),
    "",
  ].join("\r\n");

/**
 * The answer to an offer: of each stream the formats that both know, by the names of their codecs ("H264"), or port 0.
 * @param ours by kind: our port, and the codecs that we know
 */
export function answerSdp(
  offer: Sdp,
  ours: ReadonlyMap<string, { readonly port: number; readonly codecs: readonly string[] }>,
  who: Pick<Sdp, "origin" | "connection">,
): Sdp {
  const media = offer.media.map((stream): SdpMedia => {
    const known = ours.get(stream.kind);
    const formats = stream.formats.filter((format) => known?.codecs.includes(codecOf(stream, format)));
    if (!known || formats.length === 0) return { ...stream, port: 0, attributes: [] };
    const attributes = stream.attributes.filter((one) =>
      formats.some((format) => one.startsWith(`rtpmap:${format} `)),
    );
    return { ...stream, port: known.port, formats, attributes };
  });
  return { ...who, media };
}

/** `H264` of `rtpmap:96 H264/90000`; of the fixed types of RFC 3551 §6 those of old phones. */
const codecOf = ({ attributes }: SdpMedia, format: string): string =>
  attributes.find((one) => one.startsWith(`rtpmap:${format} `))?.split(/[ /]/)[1] ??
  { "0": "PCMU", "3": "GSM", "34": "H263" }[format] ??
  "";

function mediaOf(value: string): SdpMedia & { attributes: string[] } {
  const [, kind, port, protocol, formats] = MEDIA.exec(value) ?? [];
  if (kind === undefined || protocol === undefined || formats === undefined || Number(port) > 65_535)
    throw new DecodeError("a stream of no known form in SDP", 0);
  return { kind, port: Number(port), protocol, formats: formats.split(" "), attributes: [] };
}

/** The source that a stream names as its own (`a=ssrc:3735928559 cname:x`, RFC 5576 §4.1); undefined where it names none. */
export function ssrcOf({ attributes }: Pick<SdpMedia, "attributes">): number | undefined {
  const [, digits] = attributes.map((one) => /^ssrc:(\d{1,10})(?: |$)/.exec(one)).find(Boolean) ?? [];
  const ssrc = Number(digits);
  return digits !== undefined && ssrc <= 0xffffffff ? ssrc : undefined;
}
