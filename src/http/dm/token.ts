/**
 * The door for devices that are managed by OMA DM: one message in, its answer out, as XML or WBXML. The address is the device's own; who
 * speaks there proves itself by digest or MAC, as the protocol has it (docs/settings-formats.md).
 */
import type { FastifyRequest } from "fastify";
import Type from "typebox";
import { MESSAGE_OCTETS_MAX } from "../../kernel/management/exchange.ts";
import { TurnupError } from "../../term/error.ts";
import { DM_WBXML_CONTENT_TYPE, DM_XML_CONTENT_TYPE } from "../../wire/omadm/codec.ts";
import { asItIs, route } from "../route.ts";

/** 16 random octets in base64url. */
const TOKEN = /^[A-Za-z0-9_-]{20,64}$/;
const HMAC_HEADER = "x-syncml-hmac";

export const manageDevice = route({
  method: "POST",
  path: "/dm/:token",
  tag: "pages",
  roles: "open",
  summary: "A message of a device in a management session (OMA DM 1.2), and the answer to it",
  description:
    "The device proves itself in the message: by a digest (401 or 407 and a challenge stand in the answer, whose HTTP status is 200), " +
    "or by the header x-syncml-hmac. The answer is written as the message was. 404 where no device has this address.",
  errors: ["payload_malformed", "not_found", "too_many_requests"],
  status: 200,
  params: { token: Type.String({ maxLength: 200 }) },
  consumes: [DM_XML_CONTENT_TYPE, DM_WBXML_CONTENT_TYPE],
  produces: [DM_WBXML_CONTENT_TYPE, DM_XML_CONTENT_TYPE],
  bodyLimitOctets: MESSAGE_OCTETS_MAX,
  async handle({ managed }, { params: { token }, request }) {
    const contentType = isXml(request) ? DM_XML_CONTENT_TYPE : DM_WBXML_CONTENT_TYPE;
    const { body } = request;
    const hmac = request.headers[HMAC_HEADER];
    const reply =
      TOKEN.test(token) && body instanceof Uint8Array
        ? await managed.exchange(token, {
            body,
            encoding: isXml(request) ? "xml" : "wbxml",
            hmac: typeof hmac === "string" ? hmac : null,
          })
        : undefined;
    if (!reply) throw new TurnupError("not_found", "No device speaks at this address.");
    return asItIs(Buffer.from(reply.body), {
      "content-type": contentType,
      "cache-control": "no-store",
      ...(reply.mac === null ? {} : { [HMAC_HEADER]: reply.mac }),
    });
  },
});

const isXml = ({ headers }: FastifyRequest): boolean =>
  (headers["content-type"] ?? "").toLowerCase().startsWith(DM_XML_CONTENT_TYPE);
