/** POST /v1/messages/decode: looks into a provisioning message, whoever composed it. Nothing of it is kept. */
import Type from "typebox";
import { TurnupError } from "../../../term/error.ts";
import { DecodeError } from "../../../wire/decode-error.ts";
import { EXPLORED_OCTETS_MAX, type Exploration, explore } from "../../../wire/explore/explore.ts";
import type { ExploreOptions } from "../../../wire/explore/field.ts";
import { SECS } from "../../../wire/omacp/mac.ts";
import { ok, route } from "../../route.ts";
import { integerOrNull, named, text, textOrNull, words } from "../../schema.ts";

/** A capture in Base64 is a third longer. */
const CONTENT_CHARACTERS_MAX = Math.ceil(EXPLORED_OCTETS_MAX / 3) * 4;
const BODY_OCTETS_MAX = CONTENT_CHARACTERS_MAX + 4_096;

const Finding = Type.Object({
  code: Type.String({
    description: "Stable: bad_mac, malformed, parts_missing, unsigned, leading_zeros and others.",
  }),
  layer: Type.String(),
  offset: integerOrNull({ description: "Octets into the layer." }),
  fact: Type.String(),
  clause: textOrNull({ description: "Of the specification that it goes against." }),
});
const Field = Type.Object({
  name: Type.String(),
  offset: Type.Integer({ description: "Octets into the layer." }),
  length: Type.Integer({ description: "In octets." }),
  octets: Type.String({ description: "Hexadecimal, at most 64 of them." }),
  value: Type.String(),
  meaning: textOrNull(),
  clause: Type.String(),
});
const Layer = Type.Object({
  layer: Type.String({
    description: "smpp, udh, wsp, wbxml, oma-cp, nokia-ota, si, sl, oma-dm, dm-notification or text.",
  }),
  title: Type.String(),
  at: integerOrNull({
    description: "Where it begins in its carrier; null where it was put together of several.",
  }),
  length: Type.Integer({ description: "In octets." }),
  fields: Type.Array(Field),
});
const Message = Type.Object({
  source: textOrNull(),
  destination: textOrNull(),
  stream: textOrNull({ description: "Of a capture: from whom to whom." }),
  packets: Type.Array(Type.Integer(), { description: "Of a capture: in which it begins, from 1." }),
  layers: Type.Array(Layer),
  xml: textOrNull({ description: "The document inside." }),
  signature: Type.Union([
    Type.Object({
      sec: words(SECS),
      mac: textOrNull(),
      isRight: Type.Union([Type.Boolean(), Type.Null()], { description: "Null: the secret was not given." }),
    }),
    Type.Null(),
  ]),
  findings: Type.Array(Finding),
});
const Explored = named(
  "ExploredInput",
  Type.Object({
    form: words(["hex", "base64", "xml", "json", "capture", "octets"]),
    messages: Type.Array(Message),
    findings: Type.Array(Finding, { description: "Of the input as a whole." }),
  }),
);

export const decodeMessage = route({
  method: "POST",
  path: "/v1/messages/decode",
  summary: "Look into a provisioning message: every layer and field, and what is wrong with it",
  description: [
    "`content` is hexadecimal (one message, its parts one a line, or PDUs of SMPP), the same in Base64, a capture (pcap, pcapng) in",
    "Base64, or XML. A MAC is checked where its secret is given. What is broken is a finding beside the layers that are whole; 400",
    "only where nothing could be told at all. Nothing is kept, neither the message nor the secret.",
  ].join(" "),
  tag: "messages",
  roles: ["admin", "engineer"],
  errors: ["payload_malformed", "imsi_malformed", "pin_malformed"],
  status: 200,
  bodyLimitOctets: BODY_OCTETS_MAX,
  body: Type.Object(
    {
      content: Type.String({ minLength: 1, maxLength: CONTENT_CHARACTERS_MAX, description: "See above." }),
      imsi: Type.Optional(
        Type.String({ pattern: "^[0-9]{6,15}$", description: "For NETWPIN and USERNETWPIN." }),
      ),
      pin: Type.Optional(
        Type.String({ pattern: "^[0-9]{1,32}$", description: "For USERPIN, USERNETWPIN and USERPINMAC." }),
      ),
      sec: Type.Optional(words(SECS)),
      mac: Type.Optional(text("Of a document without its push: hexadecimal.", 40)),
    },
    { additionalProperties: false },
  ),
  answer: Explored,
  async handle(_deps, { body: { content, imsi, pin, sec, mac } }) {
    return ok(writable(explored(content, { secret: { imsi, pin }, sec, mac })));
  },
});

/** @throws TurnupError `payload_malformed`: nothing that any layer begins with */
function explored(content: string, options: ExploreOptions): Exploration {
  try {
    return explore(Buffer.from(content), options);
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    throw new TurnupError("payload_malformed", `Nothing can be told of this: ${error.message}.`, {
      details: { offset: error.offset },
      nextStep: "Give hexadecimal, Base64, XML, or a capture (pcap, pcapng) in Base64.",
    });
  }
}

/** The lists of a value are read-only, those of an answer's type are not. */
const writable = ({ form, messages, findings }: Exploration) => ({
  form,
  messages: messages.map((message) => ({
    ...message,
    packets: [...message.packets],
    layers: message.layers.map((layer) => ({ ...layer, fields: [...layer.fields] })),
    findings: [...message.findings],
  })),
  findings: [...findings],
});
