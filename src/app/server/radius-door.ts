/** Opens the door for RADIUS accounting, and makes sightings and evidence of what comes there (R73, R79). */
import type { Registry } from "prom-client";
import type { Conductor } from "../../kernel/conductor/conductor.ts";
import { type RadioType, radioTypeOf } from "../../kernel/detection/false-model.ts";
import { type SessionSeen, seenBySession } from "../../kernel/detection/session-seen.ts";
import type { Intake } from "../../kernel/detection/sighting.ts";
import {
  openRadiusDoor,
  type RadiusClient,
  type RadiusDoor,
} from "../../net/probe/radius/accounting-door.ts";
import { createCoalescer } from "../../store/database/coalescer.ts";
import { TurnupError } from "../../term/error.ts";
import type { HomePlmnResolver } from "../../term/imsi.ts";
import { codeOf, messageOf } from "../../term/narrow.ts";
import type { Accounting } from "../../wire/radius/accounting.ts";
import { nearestAt } from "../config/places-file.ts";
import type { RadiusPlace } from "../config/radius-config.ts";
import { countRadius } from "./radius-measures.ts";

type RadiusDeps = {
  readonly intake: Intake;
  readonly confirm: Conductor["confirm"];
  /** A handset was seen on a radio. */
  readonly noteRadio: (seen: {
    readonly operatorId: string;
    readonly device: { readonly imei: string };
    readonly radio: RadioType;
    readonly at: Date;
  }) => void;
  readonly homePlmnOf: HomePlmnResolver;
  readonly clockToleranceMs: number;
  /** By short name; of nobody's: the operator that was made first. */
  readonly operatorIdOf: (slug: string | undefined) => Promise<string | undefined>;
  readonly clock: () => Date;
  readonly monotonicMs: () => number;
  readonly registry: Registry;
  readonly isReady: () => Promise<boolean>;
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

type Client = RadiusClient & { readonly operator: string | undefined };

type RadiusListener = {
  readonly port: number;
  /** Other gateways and secrets from now on. */
  change(place: RadiusPlace): void;
  close(): Promise<void>;
};

/** @throws TurnupError `config_invalid`: nobody may listen there */
export async function openRadius(deps: RadiusDeps, place: RadiusPlace): Promise<RadiusListener> {
  let clientAt = clientsOf(place);
  const count = countRadius(deps.registry, place.clients);
  const proofs = proofsOf(deps.confirm);
  const door = await listening(
    {
      host: place.host,
      port: place.port,
      clientAt: (address) => clientAt(address),
      take: (client, accounting) => taken({ ...deps, count, proofs }, client, accounting),
      isReady: deps.isReady,
      onOutcome: (outcome, client) => count.packets.inc({ client: client?.name ?? "", outcome }),
      onFault: seldom(deps, (error) => deps.onFault("radius", error)),
      nowMs: deps.monotonicMs,
    },
    place,
  );
  return {
    port: door.port,
    change(next) {
      clientAt = clientsOf(next);
    },
    close: door.close,
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

export const clientsOf = ({
  clients,
}: Pick<RadiusPlace, "clients">): ((address: string) => Client | undefined) =>
  nearestAt(clients.map(({ addresses, ...place }) => ({ addresses, place })));

async function listening(
  options: Parameters<typeof openRadiusDoor>[0],
  { host, port }: RadiusPlace,
): Promise<RadiusDoor> {
  try {
    return await openRadiusDoor(options);
  } catch (cause) {
    const why = codeOf(cause) === "EADDRINUSE" ? "another program has it" : messageOf(cause);
    throw new TurnupError("config_invalid", `RADIUS cannot listen at ${host} UDP port ${port}: ${why}.`, {
      cause,
      nextStep: "Stop the other program, or change radius.host and radius.port.",
    });
  }
}

/** Resolves when all of it is on disk, or there is nothing to be kept. */
async function taken(
  deps: RadiusDeps & { readonly count: ReturnType<typeof countRadius>; readonly proofs: Proofs },
  client: RadiusClient & Partial<Pick<Client, "operator">>,
  accounting: Accounting,
): Promise<void> {
  const { count, proofs } = deps;
  for (const field of accounting.unread) count.unread.inc({ client: client.name, field });
  const now = deps.clock().getTime();
  const seen = seenBySession(accounting, now, deps.homePlmnOf, deps.clockToleranceMs);
  if (!seen?.sighting && !seen?.traffic) return;
  const operatorId = await deps.operatorIdOf(client.operator);
  if (operatorId === undefined) throw new Error(`no operator is there yet for ${client.name}`);
  if (seen.sighting) {
    const [result] = await deps.intake.accept(operatorId, [seen.sighting], "radius", "unneeded");
    const outcome = result?.outcome === "refused" ? result.code : (result?.outcome ?? "refused");
    count.sightings.inc({ client: client.name, outcome });
    const radio = radioTypeOf(accounting.radioType);
    if (radio && accounting.imei !== undefined && result?.outcome !== "refused")
      deps.noteRadio({ operatorId, device: { imei: accounting.imei }, radio, at: new Date(now) });
  }
  if (seen.traffic) await Promise.all(proofs.put([{ operatorId, ...seen.traffic }]));
}
