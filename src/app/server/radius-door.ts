/** Opens the door for RADIUS accounting, and makes sightings and evidence of what comes there (R73, R79). */
import { randomInt } from "node:crypto";
import type { TLSSocket } from "node:tls";
import type { Registry } from "prom-client";
import { certificateNames } from "../../http/certificate-names.ts";
import { handshakeRefusalOf } from "../../http/handshakes.ts";
import { mutualTls } from "../../http/mutual-tls.ts";
import type { AuditLog } from "../../kernel/account/registry.ts";
import type { Conductor } from "../../kernel/conductor/conductor.ts";
import type { LiveSessions } from "../../kernel/detection/live-session.ts";
import { type SessionSeen, seenBySession } from "../../kernel/detection/session-seen.ts";
import type { Intake, SightingInput } from "../../kernel/detection/sighting.ts";
import type { EquipmentStatuses } from "../../kernel/equipment/equipment.ts";
import {
  type AccountingDesk,
  createAccountingDesk,
  type RadiusClient,
} from "../../net/probe/radius/accounting-desk.ts";
import { openRadiusDoor } from "../../net/probe/radius/accounting-door.ts";
import { openRadiusTlsDoor, type RadiusTlsDoor } from "../../net/probe/radius/tls-door.ts";
import { createCoalescer } from "../../store/database/coalescer.ts";
import { TurnupError } from "../../term/error.ts";
import type { HomePlmnOf, Imsi } from "../../term/imsi.ts";
import { codeOf, messageOf } from "../../term/narrow.ts";
import type { Accounting } from "../../wire/radius/accounting.ts";
import { nearestAt } from "../config/places-file.ts";
import type { RadiusClientPlace, RadiusPlace } from "../config/radius-config.ts";
import { countRadius } from "./radius-measures.ts";
import { createRadiusSessions, type RadiusSessions } from "./radius-sessions.ts";
import type { SimLockBook } from "./sim-lock-book.ts";
import type { OnStranger } from "./strangers.ts";

type RadiusDeps = {
  readonly intake: Intake;
  readonly confirm: Conductor["confirm"];
  /** A session of a SIM in another device than its own is ended. */
  readonly locks: Pick<SimLockBook, "session">;
  /** A handset that is on a black list becomes nobody's device by its session. */
  readonly statuses: EquipmentStatuses;
  readonly homePlmnOf: HomePlmnOf;
  readonly clockToleranceMs: number;
  /** By short name; of nobody's: the operator that was made first. */
  readonly operatorIdOf: (slug: string | undefined) => Promise<string | undefined>;
  readonly audit: Pick<AuditLog, "record">;
  readonly clock: () => Date;
  readonly monotonicMs: () => number;
  readonly registry: Registry;
  readonly isReady: () => Promise<boolean>;
  /** Whether a certificate was not taken back; the connection is ended where it was. */
  readonly isGood?: ((socket: TLSSocket) => Promise<boolean>) | undefined;
  readonly onRefused?: OnStranger | undefined;
  readonly onFault: (name: string, error: unknown) => void;
};

/** What one transaction books of what gateways tell at the same time. */
const PROOFS = { maxBatchRows: 500, maxBatchesAtOnce: 2, maxWaitingRows: 50_000 };
const FAULT_TOLD_MS = 1_000;
type Proof = NonNullable<SessionSeen["traffic"]> & { readonly operatorId: string };
type Proofs = ReturnType<typeof createCoalescer<Proof, undefined>>;

const proofsOf = (confirm: RadiusDeps["confirm"]): Proofs =>
  createCoalescer<Proof, undefined>({
    ...PROOFS,
    async work(batch) {
      const operators = new Set(batch.map(({ row }) => row.operatorId));
      for (const operatorId of operators) {
        const own = batch.filter(({ row }) => row.operatorId === operatorId);
        const told = own.map(({ row: { operatorId: _, ...traffic } }) => ({
          ...({ kind: "traffic", source: "radius" } as const),
          ...traffic,
        }));
        try {
          await confirm(operatorId, told);
          for (const { answer } of own) answer(undefined);
        } catch (error) {
          for (const { fail } of own) fail(error); // the other operators' are booked all the same
        }
      }
    },
  });

type RadiusListener = {
  /** Those that gateways told of, and what they can be asked. */
  readonly sessions: LiveSessions;
  /** UDP. */
  readonly port: number | undefined;
  readonly tlsPort: number | undefined;
  /** Other gateways, secrets and certificates from now on. */
  change(place: RadiusPlace): void;
  close(): Promise<void>;
};

/** @throws TurnupError `config_invalid`: nobody may listen there */
export async function openRadius(deps: RadiusDeps, place: RadiusPlace): Promise<RadiusListener> {
  let now = rulesOf(place);
  const count = countRadius(deps.registry, place.clients, () => sessions.size());
  const proofs = proofsOf(deps.confirm);
  let overTls: RadiusTlsDoor | undefined;
  const sessions = createRadiusSessions({
    ...{ clientNamed: (name) => now.named.get(name), overTls: () => overTls },
    ...{ audit: deps.audit, clock: deps.clock, asked: count.asked },
    randomOctet: () => randomInt(256),
  });
  const desk = createAccountingDesk({
    take: (client, accounting) =>
      taken(
        { ...deps, count, proofs, sessions },
        { ...client, operator: now.named.get(client.name)?.operator },
        accounting,
      ),
    isReady: deps.isReady,
    onOutcome: (outcome, client) => count.packets.inc({ client: client?.name ?? "", outcome }),
    onFault: seldom(deps, (error) => deps.onFault("radius", error)),
  });
  const { host, port, tls } = place;
  const udp =
    port === undefined
      ? undefined
      : await listening(place, "port", () =>
          openRadiusDoor({
            host,
            port,
            desk,
            clientAt: (address) => now.clientAt(address),
            nowMs: deps.monotonicMs,
          }),
        );
  try {
    overTls = tls && (await listening(place, "tls_port", () => overTlsOf(deps, desk, place, () => now)));
    return {
      sessions,
      port: udp?.port,
      tlsPort: overTls?.port,
      change(next) {
        now = rulesOf(next);
        if (next.tls) overTls?.changeTls(mutualTls(next.tls.files, OLDER));
        overTls?.recheck();
      },
      async close() {
        await Promise.all([udp?.close(), overTls?.close()]);
      },
    };
  } catch (error) {
    await udp?.close();
    throw error;
  }
}

/** Proxies of RADIUS speak TLS 1.2 still. */
const OLDER = { admitsOlder: true } as const;

const overTlsOf = (
  { isGood, onRefused }: RadiusDeps,
  desk: AccountingDesk,
  { host, tls }: RadiusPlace,
  now: () => ReturnType<typeof rulesOf>,
): Promise<RadiusTlsDoor> =>
  openRadiusTlsDoor({
    ...{ host, port: tls?.port ?? 0, desk, tls: tls ? mutualTls(tls.files, OLDER) : {} },
    clientOf: (socket) => now().behind(socket),
    ...(isGood && { isGood }),
    onRefused: (socket, error) => onRefused?.(handshakeRefusalOf(socket, error)),
  });

/** Who may come, as a file says it. */
export function rulesOf({ clients }: Pick<RadiusPlace, "clients">) {
  const byUdp = clients.flatMap(({ name, addresses, secret }) =>
    secret === undefined ? [] : [{ addresses, place: { name, secret } }],
  );
  const byCertificate = new Map(
    clients.flatMap((client) =>
      client.certificate === undefined ? [] : [[client.certificate, client] as const],
    ),
  );
  const named: ReadonlyMap<string, RadiusClientPlace> = new Map(
    clients.map((client) => [client.name, client]),
  );
  return {
    named,
    clientAt: nearestAt(byUdp),
    /** Whoever shows a certificate with the names of two is nobody. */
    behind(socket: TLSSocket): RadiusClientPlace | undefined {
      const shown = socket.authorized ? socket.getPeerX509Certificate() : undefined;
      const found = new Set(
        (shown ? certificateNames(shown) : []).flatMap((one) => byCertificate.get(one) ?? []),
      );
      const [client, ...more] = found;
      if (!client || more.length > 0) return undefined;
      const isThere =
        client.addresses.length === 0 ||
        nearestAt([{ addresses: client.addresses, place: client }])(socket.remoteAddress ?? "") !== undefined;
      return isThere ? client : undefined;
    },
  };
}

/** With the database away each packet fails alike: `turnup_radius_packets_total` counts them, the log says why once a second. */
function seldom(
  { monotonicMs }: Pick<RadiusDeps, "monotonicMs">,
  tell: (error: unknown) => void,
): (error: unknown) => void {
  let quietUntilMs = Number.NEGATIVE_INFINITY;
  return (error) => {
    const nowMs = monotonicMs();
    if (nowMs < quietUntilMs) return;
    quietUntilMs = nowMs + FAULT_TOLD_MS;
    tell(error);
  };
}

async function listening<Door>(
  { host, ...place }: RadiusPlace,
  name: "port" | "tls_port",
  open: () => Promise<Door>,
): Promise<Door> {
  try {
    return await open();
  } catch (cause) {
    const why = codeOf(cause) === "EADDRINUSE" ? "another program has it" : messageOf(cause);
    const at = name === "port" ? `UDP port ${place.port}` : `TCP port ${place.tls?.port}`;
    throw new TurnupError("config_invalid", `RADIUS cannot listen at ${host} ${at}: ${why}.`, {
      cause,
      nextStep: `Stop the other program, or change radius.host and radius.${name}.`,
    });
  }
}

/** Resolves when all of it is on disk, or there is nothing to be kept. */
async function taken(
  deps: RadiusDeps & {
    readonly count: ReturnType<typeof countRadius>;
    readonly proofs: Proofs;
    readonly sessions: RadiusSessions;
  },
  client: RadiusClient & { readonly operator: string | undefined },
  accounting: Accounting,
): Promise<void> {
  const { count, proofs } = deps;
  for (const field of accounting.unread) count.unread.inc({ client: client.name, field });
  const now = deps.clock().getTime();
  const isAsked = deps.sessions.isOfInterest(client.name);
  const operatorId = await deps.operatorIdOf(client.operator);
  const homeOf = (imsi: Imsi) => deps.homePlmnOf(imsi, operatorId);
  const seen = seenBySession(accounting, now, homeOf, deps.clockToleranceMs);
  if (!isAsked && !seen?.sighting && !seen?.traffic) return;
  if (operatorId === undefined) throw new Error(`no operator is there yet for ${client.name}`);
  if (isAsked) deps.sessions.heard(operatorId, client.name, accounting);
  if (!seen) return;
  if (seen.sighting) {
    const [result] = await deps.intake.accept(operatorId, [seen.sighting], "radius", "unneeded");
    const outcome = result?.outcome === "refused" ? result.code : (result?.outcome ?? "refused");
    count.sightings.inc({ client: client.name, outcome });
    if (result && result.outcome !== "refused" && result.outcome !== "late")
      lookAtLock(deps, operatorId, client.name, { accounting, sighting: seen.sighting });
  }
  if (seen.traffic) await Promise.all(proofs.put([{ operatorId, ...seen.traffic }]));
}

/** A session that ends says in which device the SIM was; one that is open, in which it is. */
function lookAtLock(
  { locks, statuses }: Pick<RadiusDeps, "locks" | "statuses">,
  operatorId: string,
  client: string,
  { accounting, sighting }: { readonly accounting: Accounting; readonly sighting: SightingInput },
): void {
  const { status, imei } = accounting;
  const { imsi } = sighting;
  if (imei === undefined || imsi === undefined || (status !== "start" && status !== "interim")) return;
  const handset = { imei, imsi, softwareVersion: undefined, msisdn: undefined, visited: undefined };
  if (statuses.statusOf(operatorId, handset) === "black") return;
  locks.session({ operatorId, imsi, imei, source: "radius", client });
}
