/** What an operator says of the bearers of its network, in the API's words. */
import Type from "typebox";
import { AIR_CHANNELS, type BearerOverrides, PARTS_MAX } from "../../wire/message/bearer-profile.ts";
import { BEARERS } from "../../wire/message/legs.ts";
import { words } from "../schema.ts";

const figures = Type.Object(
  {
    channels: Type.Optional(
      Type.Array(words(AIR_CHANNELS), {
        minItems: 1,
        maxItems: AIR_CHANNELS.length,
        description: "Short messages, packet data, or both.",
      }),
    ),
    partOctets: Type.Optional(
      Type.Integer({
        "x-unit": "octets",
        minimum: 40,
        maximum: 254,
        description: "Of one short message, its header included.",
      }),
    ),
    partsMax: Type.Optional(
      Type.Integer({
        "x-unit": "short messages",
        minimum: 1,
        maximum: PARTS_MAX,
        description: "Short messages of one message at most.",
      }),
    ),
    rateBps: Type.Optional(
      Type.Integer({
        "x-unit": "bits a second",
        minimum: 100,
        maximum: 10_000_000_000,
        description: "Bits a second for one device.",
      }),
    ),
    latencyMs: Type.Optional(
      Type.Integer({
        "x-unit": "milliseconds",
        minimum: 0,
        maximum: 600_000,
        description: "A round trip that is common there.",
      }),
    ),
  },
  { additionalProperties: false },
);

export const bearers = Type.Unsafe<BearerOverrides>(
  Type.Object(Object.fromEntries(BEARERS.map((bearer) => [bearer, Type.Optional(figures)])), {
    additionalProperties: false,
    description: "What bearers carry in this network, figure by figure, above what is common.",
  }),
);
