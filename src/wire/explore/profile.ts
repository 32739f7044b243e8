/** Configuration profiles, bare or signed: who signed, when and with which certificates, then what the profile sets. */
import { type CmsCertificate, decodeSignedProfile, type SignedProfile } from "../apple/cms.ts";
import { type ApplePayload, decodeAppleProfile } from "../apple/profile.ts";
import { DecodeError } from "../decode-error.ts";
import {
  type Explored,
  type ExploredField,
  type ExploredLayer,
  type Finding,
  fieldsOf,
  NOTHING_READ,
} from "./field.ts";

const CMS = "RFC 5652 §5";
const APPLE = "Apple device management, com.apple.cellular";

/** @throws DecodeError no SignedData */
export function exploredSignedProfile(bytes: Uint8Array): Explored {
  const signed = decodeSignedProfile(bytes);
  const inside = insideOf(signed);
  return {
    ...inside,
    layers: [
      signedLayer(bytes, signed),
      ...inside.layers.map((layer) => ({ ...layer, at: signed.contentAt })),
    ],
    findings: [...signatureFindings(signed), ...inside.findings],
  };
}

function insideOf({ content }: SignedProfile): Explored {
  try {
    return exploredProfile(content);
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    const { message: fact, offset } = error;
    const broken: Finding = { code: "malformed", layer: "apple-profile", offset, fact, clause: APPLE };
    return { ...NOTHING_READ, findings: [broken] };
  }
}

/** @throws DecodeError no profile */
export function exploredProfile(bytes: Uint8Array): Explored {
  const { identifier, uuid, displayName, organization, secondsUntilRemoval, payloads } =
    decodeAppleProfile(bytes);
  const field = (name: string, value: string | number | null): ExploredField[] =>
    value === null ? [] : [fieldsOf(bytes)(name, [0, 0], { value, clause: APPLE })];
  const layer: ExploredLayer = {
    layer: "apple-profile",
    title: "Apple configuration profile",
    at: 0,
    length: bytes.length,
    fields: [
      ...field("identifier", identifier),
      ...field("UUID", uuid),
      ...field("name", displayName),
      ...field("organization", organization),
      ...field("seconds until it removes itself", secondsUntilRemoval),
      ...payloads.flatMap((payload, at) =>
        valuesOf(payload).flatMap(([name, value]) => field(`payload ${at + 1}/${name}`, value)),
      ),
    ],
  };
  return { ...NOTHING_READ, layers: [layer], xml: Buffer.from(bytes).toString("utf8") };
}

type Value = readonly [string, string | number | null];

function valuesOf(payload: ApplePayload): Value[] {
  const { kind } = payload;
  const head: Value[] = [["kind", kind === "other" ? payload.type : kind]];
  switch (kind) {
    case "cellular":
      return [
        ...head,
        ...(payload.attachApn ? plainValues("AttachAPN", payload.attachApn) : []),
        ...payload.apns.flatMap((apn, at) => plainValues(`APNs/${at + 1}`, apn)),
      ];
    case "apn":
      return [...head, ...payload.apns.flatMap((apn, at) => plainValues(`apns/${at + 1}`, apn))];
    default:
      return head;
  }
}

const plainValues = (path: string, values: object): Value[] =>
  Object.entries(values).flatMap(([name, value]): Value[] =>
    value === null || value === undefined ? [] : [[`${path}/${name}`, String(value)]],
  );

function signedLayer(
  bytes: Uint8Array,
  { contentType, content, certificates, signers }: SignedProfile,
): ExploredLayer {
  const field = fieldsOf(bytes);
  return {
    layer: "cms",
    title: "CMS SignedData",
    at: 0,
    length: bytes.length,
    fields: [
      field("content type", [0, 0], {
        value: contentType,
        meaning: `${content.length} octets`,
        clause: `${CMS}.2`,
      }),
      ...certificates.map(({ at, end, subject, issuer, serial, validFrom, validTo }) =>
        field("certificate", [at, end], {
          value: subject,
          meaning: `${dayOf(validFrom)} to ${dayOf(validTo)}, number ${serial}, by ${issuer}`,
          clause: `${CMS}.1`,
        }),
      ),
      ...signers.map((signer) =>
        field("signer", [signer.at, signer.end], {
          value: certificateOf(certificates, signer.serial)?.subject ?? `number ${signer.serial}`,
          meaning: `${signer.digest}, ${signer.signingTime ? `signed ${signer.signingTime.toISOString()}` : "no signing time"}, ${rightness(signer.isSignatureRight)}`,
          clause: `${CMS}.3`,
        }),
      ),
    ],
  };
}

const rightness = (isRight: boolean | null): string =>
  isRight === null
    ? "its signature could not be checked"
    : isRight
      ? "its signature is right"
      : "its signature is wrong";
const dayOf = (date: Date): string => (Number.isNaN(date.getTime()) ? "?" : date.toISOString().slice(0, 10));
const certificateOf = (certificates: readonly CmsCertificate[], serial: string): CmsCertificate | undefined =>
  certificates.find((one) => one.serial.replace(/^0+/, "") === serial.replace(/^0+/, ""));

function signatureFindings({ signers, certificates }: SignedProfile): Finding[] {
  const finding = (code: string, fact: string, offset: number | null): Finding => ({
    ...{ code, layer: "cms", offset, fact },
    clause: `${CMS}.4`,
  });
  if (signers.length === 0) return [finding("unsigned", "it has nobody's signature", null)];
  return signers.flatMap((signer) => {
    const certificate = certificateOf(certificates, signer.serial);
    const { signingTime, at } = signer;
    const isOutside =
      certificate &&
      signingTime &&
      (signingTime < certificate.validFrom || signingTime > certificate.validTo);
    return [
      ...(signer.isContentRight
        ? []
        : [finding("bad_digest", "the profile is not the one that was signed", at)]),
      ...(signer.isSignatureRight === false
        ? [finding("bad_signature", "the signature is not by the key of its certificate", at)]
        : []),
      ...(certificate
        ? []
        : [finding("certificate_missing", "the certificate of the signer is not inside", at)]),
      ...(isOutside
        ? [finding("certificate_not_valid", "it was signed when its certificate did not hold", at)]
        : []),
    ];
  });
}
