/**
 * The question of an AMF to a 5G-EIR, as it stands in the query: 3GPP TS 29.511 clause 6.1.3.2.3.1 (pei, supi, gpsi,
 * supported-features), TS 29.571 clauses 5.3.2 (Pei, Gpsi) and 5.2.2 (Supi).
 */
import type { Equipment } from "../../kernel/equipment/equipment.ts";

/** What is wrong with a query: TS 29.500 clause 5.2.7.2 names the causes. */
type QueryFault = {
  readonly cause:
    | "MANDATORY_QUERY_PARAM_MISSING"
    | "MANDATORY_QUERY_PARAM_INCORRECT"
    | "OPTIONAL_QUERY_PARAM_INCORRECT";
  readonly param: string;
  readonly reason: string;
};
/** `handset` undefined: a device without IMEI (a gateway of cable or Wi-Fi), whose status no list of IMEIs says. */
type EquipmentQuery = { readonly handset: Omit<Equipment, "visited"> | undefined };

const MAC = /^(?:mac(?:-[0-9a-fA-F]{2}){6}(?:-untrusted)?|eui(?:-[0-9a-fA-F]{2}){8})$/;
const IMEI = /^imei-(\d{15})$/;
const IMEISV = /^imeisv-(\d{16})$/;
const SUPI = /^(?:imsi-\d{5,15}|nai-.+|gci-.+|gli-.+)$/;
const GPSI = /^(?:msisdn-\d{5,15}|extid-[^@]+@[^@]+)$/;
const FEATURES = /^[A-Fa-f0-9]*$/;
const IMSI = /^imsi-(\d{6,15})$/;
const MSISDN = /^msisdn-(\d{5,15})$/;

/** Parameters that nobody here knows are passed over (TS 29.501 clause 5.2.2); of one that stands twice the first counts. */
export function readEquipmentQuery(query: string): EquipmentQuery | QueryFault {
  const found = new URLSearchParams(query);
  const pei = found.get("pei") ?? "";
  if (pei === "")
    return { cause: "MANDATORY_QUERY_PARAM_MISSING", param: "query pei", reason: "It is missing." };
  const [, imei] = IMEI.exec(pei) ?? [];
  const [, imeisv] = IMEISV.exec(pei) ?? [];
  if (imei === undefined && imeisv === undefined && !MAC.test(pei))
    return {
      cause: "MANDATORY_QUERY_PARAM_INCORRECT",
      param: "query pei",
      reason: "imei- and 15 digits, imeisv- and 16 digits, or mac- or eui- with octets is wanted.",
    };
  const [supi, gpsi, features] = ["supi", "gpsi", "supported-features"].map(
    (name) => found.get(name) ?? undefined,
  );
  for (const [param, value, form] of [
    ["query supi", supi, SUPI],
    ["query gpsi", gpsi, GPSI],
    ["query supported-features", features, FEATURES],
  ] as const)
    if (value !== undefined && !form.test(value))
      return {
        cause: "OPTIONAL_QUERY_PARAM_INCORRECT",
        param,
        reason: "It has none of the forms of TS 29.571.",
      };
  const digits = imei ?? imeisv;
  return {
    handset:
      digits === undefined
        ? undefined
        : {
            imei: digits,
            softwareVersion: undefined,
            imsi: IMSI.exec(supi ?? "")?.[1],
            msisdn: MSISDN.exec(gpsi ?? "")?.[1],
          },
  };
}
