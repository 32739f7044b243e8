/**
 * ME-Identity-Check of S13 and S13': an MME or SGSN asks whether a handset may be used, and so tells which SIM is in it.
 * Source: 3GPP TS 29.272 clauses 6.2 and 7.2.19, 7.2.20 (commands), 7.3.3 (Terminal-Information), 7.3.51 (Equipment-Status), 7.4.3.
 */
import {
  AVP_FLAG,
  type Avp,
  answerHead,
  avpsIn,
  DiameterError,
  type DiameterHead,
  type DiameterMessage,
  encodeAvp,
  encodeCopying,
  encodeDiameter,
  grouped,
  latin1Of,
  numberOf,
  RESULT,
  unsigned32,
  utf8,
  wholeOf,
} from "./message.ts";

export const S13_APPLICATION = 16_777_252;
export const VENDOR_3GPP = 10_415;
export const ME_IDENTITY_CHECK = 324;
/** DIAMETER_ERROR_EQUIPMENT_UNKNOWN (TS 29.272 clause 7.4.3.4), an experimental result of 3GPP. */
const EQUIPMENT_UNKNOWN = 5_422;

/** RFC 6733 section 4.5 and, with vendor 10415, TS 29.272 clause 7.3; RFC 7944 for DRMP. */
export const AVP = {
  userName: 1,
  hostAddress: 257,
  authApplication: 258,
  accountingApplication: 259,
  vendorApplication: 260,
  session: 263,
  originHost: 264,
  supportedVendor: 265,
  vendorId: 266,
  result: 268,
  product: 269,
  disconnectCause: 273,
  authSessionState: 277,
  originState: 278,
  failed: 279,
  routeRecord: 282,
  destinationRealm: 283,
  proxyInfo: 284,
  errorMessage: 281,
  destinationHost: 293,
  originRealm: 296,
  experimentalResult: 297,
  experimentalResultCode: 298,
  priority: 301,
} as const;
const OF_3GPP = {
  terminal: 1_401,
  imei: 1_402,
  softwareVersion: 1_403,
  equipmentStatus: 1_445,
  meid: 1_471,
} as const;
/** That the sender keeps no session (RFC 6733 section 8.11). */
const NO_STATE_MAINTAINED = 1;
const SERVED: ReadonlySet<number> = new Set(Object.values(AVP));

/** TS 29.272 clause 7.3.51; `unknown`: the answer of an operator who wants such equipment told (clause 7.4.3.4). */
export type EquipmentAnswer = "white" | "black" | "grey" | "unknown";
const STATUS: Readonly<Record<Exclude<EquipmentAnswer, "unknown">, number>> = { white: 0, black: 1, grey: 2 };

/** A question. Numbers are digits, and nobody has checked yet whether they are anybody's. */
export type EquipmentCheck = {
  readonly originHost: string;
  readonly originRealm: string;
  readonly destinationHost: string | undefined;
  readonly destinationRealm: string;
  /** 14 to 16 digits as the node sent them; undefined where it names a handset of CDMA alone. */
  readonly imei: string | undefined;
  /** Two digits. */
  readonly softwareVersion: string | undefined;
  readonly imsi: string | undefined;
};

/**
 * What an ECR asks. Its AVPs stand in any order.
 * @throws DiameterError `missingAvp`, `invalidAvpValue`, `avpOccursTooManyTimes`, `avpUnsupported` with the AVP that failed
 */
export function readEquipmentCheck(message: DiameterMessage): EquipmentCheck {
  const { octets, avps } = message;
  let session: Avp | undefined;
  let originHost: Avp | undefined;
  let originRealm: Avp | undefined;
  let destinationHost: Avp | undefined;
  let destinationRealm: Avp | undefined;
  let user: Avp | undefined;
  let state: Avp | undefined;
  let terminal: Avp | undefined;
  for (const avp of avps) {
    if (avp.vendor === 0) {
      if (avp.code === AVP.session) session = once(octets, session, avp);
      else if (avp.code === AVP.originHost) originHost = once(octets, originHost, avp);
      else if (avp.code === AVP.originRealm) originRealm = once(octets, originRealm, avp);
      else if (avp.code === AVP.destinationHost) destinationHost = once(octets, destinationHost, avp);
      else if (avp.code === AVP.destinationRealm) destinationRealm = once(octets, destinationRealm, avp);
      else if (avp.code === AVP.userName) user = once(octets, user, avp);
      else if (avp.code === AVP.authSessionState) state = once(octets, state, avp);
      else refuseUnknown(octets, avp);
    } else if (avp.vendor === VENDOR_3GPP && avp.code === OF_3GPP.terminal)
      terminal = once(octets, terminal, avp);
    else refuseUnknown(octets, avp);
  }
  if (!session) throw missing(AVP.session, "Session-Id");
  if (!originHost) throw missing(AVP.originHost, "Origin-Host");
  if (!originRealm) throw missing(AVP.originRealm, "Origin-Realm");
  if (!destinationRealm) throw missing(AVP.destinationRealm, "Destination-Realm");
  if (!state) throw missing(AVP.authSessionState, "Auth-Session-State", 4);
  if (!terminal) throw missing(OF_3GPP.terminal, "Terminal-Information", 0, VENDOR_3GPP);
  return {
    originHost: identity(octets, originHost),
    originRealm: identity(octets, originRealm),
    destinationHost: destinationHost && identity(octets, destinationHost),
    destinationRealm: identity(octets, destinationRealm),
    ...readTerminal(octets, terminal),
    imsi: user && imsiIn(octets, user),
  };
}

function readTerminal(octets: Uint8Array, terminal: Avp): Pick<EquipmentCheck, "imei" | "softwareVersion"> {
  let imei: Avp | undefined;
  let version: Avp | undefined;
  let meid: Avp | undefined;
  for (const avp of avpsIn(octets, terminal.at, terminal.at + terminal.length)) {
    if (avp.vendor !== VENDOR_3GPP) refuseUnknown(octets, avp);
    else if (avp.code === OF_3GPP.imei) imei = once(octets, imei, avp);
    else if (avp.code === OF_3GPP.softwareVersion) version = once(octets, version, avp);
    else if (avp.code === OF_3GPP.meid) meid = once(octets, meid, avp);
    else refuseUnknown(octets, avp);
  }
  if (!imei && !meid) throw missing(OF_3GPP.imei, "IMEI", 0, VENDOR_3GPP);
  const digits = imei && latin1Of(octets, imei);
  if (imei && !/^\d{14,16}$/.test(digits ?? "")) throw badValue(octets, imei, "an IMEI has 14 to 16 digits");
  const two = version && latin1Of(octets, version);
  // It is optional: one that cannot be read is left out, and the question is answered.
  return { imei: digits, softwareVersion: two !== undefined && /^\d{2}$/.test(two) ? two : undefined };
}

/** Two of what may stand once contradict each other (RFC 6733 section 7.1.5). */
function once(octets: Uint8Array, first: Avp | undefined, avp: Avp): Avp {
  if (first)
    throw new DiameterError(
      RESULT.avpOccursTooManyTimes,
      `AVP ${avp.code} stands twice`,
      avp.from,
      wholeOf(octets, avp),
    );
  return avp;
}

/** One that its sender marks as needed, and that nobody here knows, cannot be passed over (RFC 6733 section 4.1). */
function refuseUnknown(octets: Uint8Array, avp: Avp): void {
  if ((avp.flags & AVP_FLAG.mandatory) === 0 || (avp.vendor === 0 && SERVED.has(avp.code))) return;
  throw new DiameterError(
    RESULT.avpUnsupported,
    `AVP ${avp.code} of vendor ${avp.vendor} is not known`,
    avp.from,
    wholeOf(octets, avp),
  );
}

const missing = (code: number, name: string, octets = 0, vendor = 0): DiameterError =>
  new DiameterError(
    RESULT.missingAvp,
    `${name} is missing`,
    0,
    encodeAvp(code, new Uint8Array(octets), { vendor }),
  );
const badValue = (octets: Uint8Array, avp: Avp, fact: string): DiameterError =>
  new DiameterError(RESULT.invalidAvpValue, fact, avp.at, wholeOf(octets, avp));

/** A DiameterIdentity (RFC 6733 section 4.3.1): a name of hosts, without the NUL that some senders put behind. */
function identity(octets: Uint8Array, avp: Avp): string {
  const text = latin1Of(octets, avp);
  if (!/^[A-Za-z0-9._-]{1,255}$/.test(text)) throw badValue(octets, avp, "a name of a host is wanted");
  return text;
}

/** The SIM is optional: what cannot be read as digits is left out, and the question is answered. */
function imsiIn(octets: Uint8Array, avp: Avp): string | undefined {
  const [, digits] = /^(?:imsi-)?(\d{6,15})(?:@.*)?$/.exec(latin1Of(octets, avp)) ?? [];
  return digits;
}

/** Who answers; made once a door (`answeringAs`). */
export type Answering = { readonly originHost: string; readonly originRealm: string };
type Composed = {
  readonly origin: Uint8Array;
  readonly byStatus: Readonly<Record<EquipmentAnswer, Uint8Array>>;
};

/** All that answers of one host have in common, composed once. */
export function answeringAs({ originHost, originRealm }: Answering): Composed {
  const origin = grouped(
    encodeAvp(AVP.originHost, utf8(originHost)),
    encodeAvp(AVP.originRealm, utf8(originRealm)),
  );
  const state = encodeAvp(AVP.authSessionState, unsigned32(NO_STATE_MAINTAINED));
  const application = encodeAvp(
    AVP.vendorApplication,
    grouped(
      encodeAvp(AVP.vendorId, unsigned32(VENDOR_3GPP)),
      encodeAvp(AVP.authApplication, unsigned32(S13_APPLICATION)),
    ),
  );
  const known = (status: number) =>
    grouped(
      application,
      encodeAvp(AVP.result, unsigned32(RESULT.success)),
      state,
      origin,
      encodeAvp(OF_3GPP.equipmentStatus, unsigned32(status), { vendor: VENDOR_3GPP }),
    );
  const experimental = grouped(
    encodeAvp(AVP.vendorId, unsigned32(VENDOR_3GPP)),
    encodeAvp(AVP.experimentalResultCode, unsigned32(EQUIPMENT_UNKNOWN)),
  );
  return {
    origin,
    byStatus: {
      white: known(STATUS.white),
      black: known(STATUS.black),
      grey: known(STATUS.grey),
      unknown: grouped(application, encodeAvp(AVP.experimentalResult, experimental), state, origin),
    },
  };
}

/** The ECA: Session-Id in front, Proxy-Info and the priority of its request behind, unchanged and in their order. */
export function encodeEquipmentAnswer(
  message: DiameterMessage,
  answer: EquipmentAnswer,
  { byStatus }: Composed,
): Uint8Array {
  const { octets, avps } = message;
  const front: Avp[] = [];
  const behind: Avp[] = [];
  for (const avp of avps) {
    if (avp.vendor !== 0) continue;
    if (avp.code === AVP.session) front.push(avp);
    else if (avp.code === AVP.proxyInfo || avp.code === AVP.priority) behind.push(avp);
  }
  return encodeCopying(answerHead(message, RESULT.success), octets, front, byStatus[answer], behind);
}

/** A longer AVP is not shown: with it, and what is copied beside it, an answer could be longer than its question may be. */
const FAILED_OCTETS_MAX = 1_024;

/** An answer that says why there is none: of any command, with the AVP that failed where one did. */
export function encodeFault(
  request: DiameterHead & { readonly octets: Uint8Array },
  avps: readonly Avp[],
  { result, message, failed }: Pick<DiameterError, "result" | "message" | "failed">,
  { origin }: Pick<Composed, "origin">,
): Uint8Array {
  const copied = (...codes: number[]) =>
    avps
      .filter(({ code, vendor }) => vendor === 0 && codes.includes(code))
      .map((avp) => wholeOf(request.octets, avp));
  return encodeDiameter(answerHead(request, result), [
    ...copied(AVP.session).slice(0, 1),
    encodeAvp(AVP.result, unsigned32(result)),
    ...(request.command === ME_IDENTITY_CHECK
      ? [encodeAvp(AVP.authSessionState, unsigned32(NO_STATE_MAINTAINED))]
      : []),
    origin,
    encodeAvp(AVP.errorMessage, utf8(message), { isMandatory: false }),
    ...(failed && failed.length <= FAILED_OCTETS_MAX ? [encodeAvp(AVP.failed, failed)] : []),
    ...copied(AVP.proxyInfo, AVP.priority),
  ]);
}

/** What an MME sends: for the simulated core, and for tests. `hopByHop` and `endToEnd` tell its questions apart. */
export function encodeEquipmentCheck(
  check: Omit<EquipmentCheck, "imei"> & { readonly imei: string; readonly session: string },
  ids: Pick<DiameterHead, "hopByHop" | "endToEnd">,
): Uint8Array {
  const of3gpp = (code: number, text: string) => encodeAvp(code, utf8(text), { vendor: VENDOR_3GPP });
  const head = { flags: 0xc0, command: ME_IDENTITY_CHECK, application: S13_APPLICATION, ...ids };
  return encodeDiameter(head, [
    encodeAvp(AVP.session, utf8(check.session)),
    encodeAvp(AVP.authSessionState, unsigned32(NO_STATE_MAINTAINED)),
    encodeAvp(AVP.originHost, utf8(check.originHost)),
    encodeAvp(AVP.originRealm, utf8(check.originRealm)),
    ...(check.destinationHost === undefined
      ? []
      : [encodeAvp(AVP.destinationHost, utf8(check.destinationHost))]),
    encodeAvp(AVP.destinationRealm, utf8(check.destinationRealm)),
    encodeAvp(
      OF_3GPP.terminal,
      grouped(
        of3gpp(OF_3GPP.imei, check.imei),
        ...(check.softwareVersion === undefined
          ? []
          : [of3gpp(OF_3GPP.softwareVersion, check.softwareVersion)]),
      ),
      { vendor: VENDOR_3GPP },
    ),
    ...(check.imsi === undefined ? [] : [encodeAvp(AVP.userName, utf8(check.imsi))]),
  ]);
}

/** What an ECA says; undefined where it is no answer of an EIR. */
export function readEquipmentAnswer({ octets, avps }: DiameterMessage): EquipmentAnswer | number | undefined {
  const of = (code: number, vendor = 0) => avps.find((avp) => avp.code === code && avp.vendor === vendor);
  const status = of(OF_3GPP.equipmentStatus, VENDOR_3GPP);
  const value = status && numberOf(octets, status);
  if (value !== undefined) return (["white", "black", "grey"] as const)[value];
  const experimental = of(AVP.experimentalResult);
  if (experimental) {
    const inside = avpsIn(octets, experimental.at, experimental.at + experimental.length);
    const code = inside.find(({ code: found }) => found === AVP.experimentalResultCode);
    const number = code && numberOf(octets, code);
    return number === EQUIPMENT_UNKNOWN ? "unknown" : number;
  }
  const result = of(AVP.result);
  return result && numberOf(octets, result);
}

/** Whether it offers what an EIR serves: the application itself, within its vendor's or alone, or a relay's offer of all (RFC 6733 section 2.4). */
export function offersS13({ octets, avps }: DiameterMessage): boolean {
  const isOurs = (application: number | undefined) =>
    application === S13_APPLICATION || application === RELAY_APPLICATION;
  return avps.some((avp) => {
    if (avp.vendor !== 0) return false;
    if (avp.code === AVP.authApplication) return isOurs(numberOf(octets, avp));
    if (avp.code !== AVP.vendorApplication) return false;
    return avpsIn(octets, avp.at, avp.at + avp.length).some(
      (inside) => inside.code === AVP.authApplication && isOurs(numberOf(octets, inside)),
    );
  });
}
const RELAY_APPLICATION = 0xffffffff;

/** The value of Host-IP-Address: family 1 and four octets, 2 and sixteen (RFC 6733 section 4.3.1). */
export function addressValue(address: string): Uint8Array {
  const four = /^(?:::ffff:)?(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(address);
  if (four) return Uint8Array.from([0, 1, ...four.slice(1, 5).map(Number)]);
  const octets = new Uint8Array(18);
  octets[1] = 2;
  const [front = "", back] = (address.split("%")[0] ?? "").split("::");
  const groups = (text: string) =>
    text === "" ? [] : text.split(":").map((group) => Number.parseInt(group, 16));
  const put = (values: readonly number[], from: number) => {
    for (const [at, group] of values.entries()) octets.set([group >> 8, group & 0xff], 2 + (from + at) * 2);
  };
  const last = back === undefined ? [] : groups(back);
  put(groups(front), 0);
  put(last, 8 - last.length);
  return octets;
}
