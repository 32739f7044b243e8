/** Arrivals of handsets at a manufacturer's server, each proved by its key. */
import Type from "typebox";
import { ok, route } from "../route.ts";
import { instantIn, text } from "../schema.ts";

const ARRIVALS_MAX = 500;
const PROOF_OCTETS = 16;

const Arrival = Type.Object(
  {
    arrivalId: text("The maker's own id of this arrival.", 64),
    keyId: Type.String({ pattern: "^[0-9a-f]{32}$", description: "32 lower-case hex digits." }),
    at: instantIn("RFC 3339 time."),
    apn: text("Access point name over which the handset came.", 100),
    application: Type.Optional(text("Which application came, such as mms.", 40)),
    proof: Type.String({
      pattern: "^[A-Za-z0-9+/_-]{22}(==)?$",
      description: `${PROOF_OCTETS} octets in base64, made by the handset with the key's secret.`,
    }),
  },
  { additionalProperties: false },
);

export const reportArrivals = route({
  method: "POST",
  path: "/v1/arrivals",
  summary: "A manufacturer's server reports handsets that reached it with their keys",
  description:
    "A repeat books nothing twice. An arrival whose proof was not made with the key is not believed.",
  tag: "confirmations",
  roles: ["maker"],
  errors: [],
  status: 200,
  bodyLimitOctets: 1_048_576,
  body: Type.Object(
    { arrivals: Type.Array(Arrival, { minItems: 1, maxItems: ARRIVALS_MAX }) },
    { additionalProperties: false },
  ),
  answer: Type.Object({
    accepted: Type.Integer({ description: "Newly booked." }),
    repeated: Type.Integer(),
    refused: Type.Array(Type.Object({ arrivalId: Type.String(), reason: Type.String() })),
    unknown: Type.Array(Type.String(), { description: "Arrival ids whose key is none of this operator's." }),
  }),
  async handle({ confirmations }, { body: { arrivals }, caller }) {
    const results = await confirmations.accept(
      caller.operatorId,
      arrivals.map(({ keyId, at, proof, apn, application }) => ({
        kind: "arrival" as const,
        keyId: uuidOf(keyId),
        proof: Uint8Array.from(Buffer.from(proof, "base64")),
        seenAt: at,
        application,
        apn,
        source: caller.label,
      })),
    );
    const idsWith = (outcome: string): string[] =>
      arrivals.filter((_, at) => results[at]?.outcome === outcome).map(({ arrivalId }) => arrivalId);
    return ok({
      accepted: idsWith("booked").length,
      repeated: idsWith("repeated").length,
      refused: arrivals.flatMap(({ arrivalId }, at) => {
        const result = results[at];
        return result?.outcome === "refused" ? [{ arrivalId, reason: result.reason ?? "not believed" }] : [];
      }),
      unknown: idsWith("no_order"),
    });
  },
});

/** A key's id is 16 octets; we keep it as a UUID, its maker writes plain hex. */
const uuidOf = (hex: string): string => hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
