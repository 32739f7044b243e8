/** What is known of a model by TAC or IMEI, and where it was seen. */
import Type from "typebox";
import { parseImei } from "../../term/imei.ts";
import { maskIdentifier } from "../../term/mask.ts";
import { ok, route } from "../route.ts";
import { anything, instant, integerOrNull, named, text, textOrNull, words } from "../schema.ts";
import { ImeiDoubtOut } from "./devices/doubts.ts";
import { IMEI_ERRORS } from "./identifiers.ts";

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
    source: textOrNull({ description: "The data set that named the model." }),
    dataVersion: textOrNull(),
    releasedYear: integerOrNull(),
    ageWindow: Type.Unsafe<{ from: number; to: number } | null>({
      type: ["object", "null"],
      properties: { from: { type: "integer" }, to: { type: "integer" } },
      required: ["from", "to"],
      description: "Years in which such a number was given out; null where none or two windows match.",
    }),
    verdict: words(["ended", "supported", "unknown"]),
    supportEnds: textOrNull({ description: "Date of the maker's end of support, past or to come." }),
    reasons: Type.Array(
      Type.Object({
        rule: Type.String(),
        outcome: words(["ended", "supported", "unknown"]),
        saw: anything("The facts that the rule had before it."),
        decided: Type.Boolean({ description: "Whether this rule made the verdict." }),
      }),
    ),
    facts: Type.Array(
      Type.Object({
        name: Type.String(),
        value: anything("As the data has it."),
        source: Type.String(),
        version: Type.String(),
      }),
      { description: "Screen, bands, settings protocols and the like, each with where it comes from." },
    ),
    pairings: Type.Array(Pairing, {
      description: `The latest ${PAIRINGS_MAX} stays of SIMs in it, latest first.`,
    }),
    doubts: Type.Array(ImeiDoubtOut, {
      description: "Why the handset may not be what this number says; open ones alone.",
    }),
  }),
);

export const showDevice = route({
  method: "GET",
  path: "/v1/devices/:imei",
  summary: "What a device is, the verdict with its reasons, and whose SIMs were in it",
  tag: "devices",
  roles: ["admin", "engineer", "care"],
  errors: IMEI_ERRORS,
  status: 200,
  params: { imei: text("15 digits.", 40) },
  answer: Device,
  async handle({ devices, pairings, imeiDoubts }, { params, caller }) {
    const imei = parseImei(params.imei);
    const [{ imei: _, ...device }, seen] = await Promise.all([
      devices.describe(caller.operatorId, imei),
      pairings.ofDevice(caller.operatorId, imei, PAIRINGS_MAX),
    ]);
    const doubts = seen ? await imeiDoubts.ofDevices(caller.operatorId, [seen.deviceId]) : [];
    return ok({
      ...device,
      modelCodes: [...device.modelCodes],
      facts: [...device.facts],
      reasons: [...device.reasons],
      imeiMasked: maskIdentifier(imei, "imei"),
      deviceId: seen?.deviceId ?? null,
      pairings: [...(seen?.pairings ?? [])],
      doubts: doubts.map((one) => ({ ...one })),
    });
  },
});
