/**
 * To whom the proxy issues a key of the device's own, and the bond of SIM and handset that it seals: one SIM, one handset.
 *
 *   factory certificate | one-time token -> bound, key pending;   own certificate -> its successor pending
 */
import { TurnupError } from "../term/error.ts";
import { type Imei, parseImei } from "../term/imei.ts";
import { assured } from "../term/narrow.ts";
import { imeiInNames } from "../wire/message/party-name.ts";
import {
  ACCOUNTS_MAX,
  type Account,
  accountOfDevice,
  accountOfImsi,
  type IssuedKey,
  type ProxyEvent,
} from "./account.ts";
import {
  accountBehind,
  admit,
  applyAll,
  type DeviceCertificate,
  type EdgeState,
  type NetworkIdentity,
  refused,
} from "./admission.ts";
import type { TerminationReason } from "./session.ts";

export type EnrolmentProof =
  | {
      readonly kind: "certificate";
      readonly certificate: DeviceCertificate;
      readonly network: NetworkIdentity | null;
    }
  | {
      readonly kind: "token";
      readonly imsi: string;
      readonly msisdn: string | null;
      readonly imei: string | null;
      /** What the request for a certificate claims; believed only where the token names no device. */
      readonly claimedNames: readonly string[];
    };
export type EnrolmentDecision =
  | {
      readonly kind: "issue";
      readonly account: Account;
      /** To be booked before the certificate is handed out, with what `issued` adds. */
      readonly events: readonly ProxyEvent[];
    }
  | {
      readonly kind: "refused";
      readonly reason: TerminationReason;
      readonly deviceId: string | null;
      readonly events: readonly ProxyEvent[];
    };

/** Why this token enrols nobody for this request, if so: nothing is changed, and the token need not be spent. */
export function tokenRefusal(
  edge: EdgeState,
  proof: Omit<Extract<EnrolmentProof, { kind: "token" }>, "kind">,
): Extract<EnrolmentDecision, { kind: "refused" }> | undefined {
  const found = deviceOfToken(edge, proof);
  return "kind" in found ? found : undefined;
}

export function decideEnrolment(edge: EdgeState, proof: EnrolmentProof, now: Date): EnrolmentDecision {
  return proof.kind === "token" ? enrolByToken(edge, proof, now) : enrolByFactory(edge, proof, now);
}

function enrolByFactory(
  edge: EdgeState,
  { certificate, network }: Extract<EnrolmentProof, { kind: "certificate" }>,
  now: Date,
): EnrolmentDecision {
  const found = accountBehind(edge, certificate);
  if (typeof found === "string") return refused(found, imeiInNames(certificate.names) ?? null);
  const { deviceId } = found;
  if (certificate.authority !== "factory") return refused("certificate_refused", deviceId);
  if (found.isBlocked) return refused("device_blocked", deviceId);
  if (network?.deviceId && network.deviceId !== deviceId) return refused("device_mismatch", deviceId);
  const imsi = network?.imsi ?? found.imsi;
  // A bond that broke because the SIM went elsewhere is not mended by the handset's word alone.
  if (found.bond === "broken" && imsi === null) return refused("bond_broken", deviceId);
  const msisdn = network?.imsi ? network.msisdn : found.msisdn;
  return bind(edge, found, { imsi, msisdn }, now);
}

function enrolByToken(
  edge: EdgeState,
  proof: Extract<EnrolmentProof, { kind: "token" }>,
  now: Date,
): EnrolmentDecision {
  const found = deviceOfToken(edge, proof);
  if ("kind" in found) return found;
  const { deviceId, known } = found;
  const { imsi, msisdn } = proof;
  const opened = known ? [] : openAccount(edge, deviceId, { imsi, msisdn }, now);
  const decision = bind(
    edge,
    assured(accountOfDevice(edge.accounts, deviceId), "it was opened if it was not there"),
    { imsi, msisdn },
    now,
  );
  return { ...decision, events: [...opened, ...decision.events] };
}

/** The handset that a token enrols, with its account where it has one; or why it enrols none. */
function deviceOfToken(
  edge: EdgeState,
  { imsi, imei, claimedNames }: Omit<Extract<EnrolmentProof, { kind: "token" }>, "kind">,
): { readonly deviceId: Imei; readonly known: Account | undefined } | ReturnType<typeof refused> {
  const claimed = imeiInNames(claimedNames);
  const named = imei === null ? undefined : imeiOf(imei);
  if (imei !== null && named === undefined) return refused("token_refused");
  if (named !== undefined && claimed !== undefined && named !== claimed)
    return refused("device_mismatch", named);
  const deviceId = named ?? claimed;
  if (deviceId === undefined) return refused("no_device_id");
  const known = accountOfDevice(edge.accounts, deviceId);
  if (known?.isBlocked) return refused("device_blocked", deviceId);
  // Whoever holds a token owns its SIM. That the handset is theirs too, only the server or an account can say.
  const isTaken = known && known.imsi !== null && known.imsi !== imsi;
  if (isTaken && named === undefined) return refused("device_mismatch", deviceId);
  if (!known && edge.accounts.byDevice.size >= ACCOUNTS_MAX) return refused("device_unknown", deviceId);
  return { deviceId, known };
}

/** One SIM, one handset: whatever else was bound to the SIM loses its bond. */
function bind(
  edge: EdgeState,
  account: Account,
  { imsi, msisdn }: { readonly imsi: string | null; readonly msisdn: string | null },
  now: Date,
): EnrolmentDecision {
  const atMs = now.getTime();
  const events: ProxyEvent[] = [];
  const other = imsi === null ? undefined : accountOfImsi(edge.accounts, imsi);
  if (other && other.deviceId !== account.deviceId) {
    const { deviceId } = other;
    events.push(
      other.bond === "bound"
        ? { kind: "bond_broken", deviceId, cause: "handset_changed", imsi: null, msisdn: null, atMs }
        : { kind: "subscriber_changed", deviceId, imsi: null, msisdn: null, atMs },
    );
  }
  events.push({ kind: "bound", deviceId: account.deviceId, imsi, msisdn, atMs });
  applyAll(edge, events);
  return {
    kind: "issue",
    account: assured(accountOfDevice(edge.accounts, account.deviceId), "it was bound just now"),
    events,
  };
}

/** Re-enrolment: the old key, of the same account, asks for its successor. */
export function decideReenrolment(
  edge: EdgeState,
  certificate: DeviceCertificate,
  network: NetworkIdentity | null,
  now: Date,
): EnrolmentDecision {
  if (certificate.authority !== "own")
    return refused("certificate_refused", imeiInNames(certificate.names) ?? null);
  const admission = admit(edge, certificate, { network, stated: null }, now);
  return admission.kind === "admitted"
    ? { kind: "issue", account: admission.account, events: admission.events }
    : admission;
}

/** The certificate was made: until its first use the key before it stays good. */
export function issued(edge: EdgeState, account: Account, key: IssuedKey, now: Date): readonly ProxyEvent[] {
  return applyAll(edge, [{ kind: "key_issued", deviceId: account.deviceId, key, atMs: now.getTime() }]);
}

export function openAccount(
  edge: EdgeState,
  deviceId: Imei,
  { imsi, msisdn }: { readonly imsi: string | null; readonly msisdn: string | null },
  now: Date,
): readonly ProxyEvent[] {
  // The SIM's earlier account keeps it until the bond is made.
  const isElsewhere = imsi !== null && accountOfImsi(edge.accounts, imsi) !== undefined;
  return applyAll(edge, [
    {
      kind: "account_opened",
      deviceId,
      uuid: edge.newUuid(),
      imsi: isElsewhere ? null : imsi,
      msisdn: isElsewhere ? null : msisdn,
      atMs: now.getTime(),
    },
  ]);
}

function imeiOf(digits: string): Imei | undefined {
  try {
    return parseImei(digits);
  } catch (error) {
    if (error instanceof TurnupError) return undefined;
    throw error;
  }
}
