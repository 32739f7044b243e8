import Type from "typebox";
import { parseImei } from "../../term/imei.ts";
import { maskIdentifier } from "../../term/mask.ts";
import { ok, route } from "../route.ts";
import { anything, instant, integerOrNull, named, text, textOrNull, words } from "../schema.ts";

const PAIRINGS_MAX = 100;

const Pairing = named(
  "Pairing",
  Type.Object({
    subscriberId: Type.String(),
    imsiMasked: Type.String(),
    msisdnMasked: textOrNull(),
    homePlmn: Type.String(),
    firstSeenAt: instant(),
    lastSeenAt: instant(),
    since: instant("Start of the present stay of the SIM in this handset."),
    isCurrent: Type.Boolean(),
  }),
);

const Device = named(
  "Device",
  Type.Object({
    imeiMasked: Type.String(),
    tac: Type.String(),
    deviceId: textOrNull({ description: "Null where it was never seen on this operator's network." }),
    make: textOrNull(),
    model: textOrNull(),
    modelCodes: Type.Array(Type.String()),
    source: textOrNull({ description: "Where the model comes from." }),
    dataVersion: textOrNull(),
    releasedYear: integerOrNull(),
    ageWindow: Type.Unsafe<{ from: number; to: number } | null>({
      type: ["object", "null"],
      properties: { from: { type: "integer" }, to: { type: "integer" } },
      required: ["from", "to"],
      description: "Years in which the number was given out, where the model is not known.",
    }),
    supportEnds: textOrNull({ description: "Date." }),
    verdict: words(["ended", "supported", "unknown"]),
    reasons: Type.Array(anything("A rule that decided and what it saw.")),
    facts: Type.Array(
      Type.Object({
        name: Type.String(),
        value: anything("As the source has it."),
        source: Type.String(),
        version: Type.String(),
      }),
    ),
    pairings: Type.Array(Pairing, {
      description: `The latest ${PAIRINGS_MAX} stays of SIMs in it, latest first.`,
    }),
  }),
);

export const showDevice = route({
  method: "GET",
  path: "/v1/devices/:imei",
  summary: "What a device is, the verdict with its reasons, and whose SIMs were in it",
  tag: "devices",
  roles: ["admin", "engineer", "care"],
  errors: ["imei_malformed", "imei_check_digit", "imei_filler", "imei_test"],
  status: 200,
  params: { imei: text("15 digits.", 40) },
  answer: Device,
  async handle({ devices, pairings }, { params, caller }) {
    const imei = parseImei(params.imei);
    const [{ imei: _, ...description }, seen] = await Promise.all([
      devices.describe(caller.operatorId, imei),
      pairings.ofDevice(caller.operatorId, imei, PAIRINGS_MAX),
    ]);
    return ok({
      ...description,
      modelCodes: [...description.modelCodes],
      reasons: [...description.reasons],
      facts: description.facts.map((fact) => ({ ...fact })),
      imeiMasked: maskIdentifier(imei, "imei"),
      deviceId: seen?.deviceId ?? null,
      pairings: [...(seen?.pairings ?? [])],
    });
  },
});
