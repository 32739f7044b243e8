/**
 * What the doors of an equipment identity register share: the answer at once, from what this process knows, and the sighting behind it in
 * a bounded queue, so that neither a slow database nor a flood holds up a core (R73). What does not fit is dropped and counted, as is what
 * waits here when the process dies: a core asks again at the handset's next registration.
 */
import type { Registry } from "prom-client";
import type { Intake, SightingInput, SightingSource } from "../../kernel/detection/sighting.ts";
import {
  type Equipment,
  type EquipmentAnswer,
  type EquipmentStatuses,
  networkOfRealm,
  sightingOf,
} from "../../kernel/equipment/equipment.ts";
import { type HomePlmnOf, parseImsi } from "../../term/imsi.ts";
import { countChecks } from "./equipment-measures.ts";
import { startLoop } from "./loop.ts";
import type { SimLockBook } from "./sim-lock-book.ts";

type Asked = {
  readonly source: SightingSource;
  readonly client: string;
  /** Short name; the operator that was made first unless given. */
  readonly operator: string | undefined;
  readonly equipment: Equipment;
};

export type EquipmentDesk = {
  /** Answers, and takes the sighting. Never throws, never waits. */
  check(asked: Asked): EquipmentAnswer;
  /** The answer alone: whether the handset was seen is said by somebody else. */
  statusOf(asked: Asked): EquipmentAnswer;
  saw(asked: Asked): void;
  /** The network that a realm names, with the true length of its code where it is known. */
  networkOf(realm: string): string | undefined;
  /** What waits has five seconds to reach the disk. */
  close(): Promise<void>;
};

type DeskDeps = {
  readonly intake: Intake;
  readonly statuses: EquipmentStatuses;
  /** A SIM in another device than its own is answered black. */
  readonly locks: Pick<SimLockBook, "isRefused">;
  readonly homePlmnOf: HomePlmnOf;
  readonly operatorIdOf: (slug: string | undefined) => Promise<string | undefined>;
  /** Short names of those whose cores may ask; undefined: the operator that was made first. */
  readonly operators: readonly (string | undefined)[];
  readonly clock: () => Date;
  readonly registry: Registry;
  readonly onFault: (name: string, error: unknown) => void;
  readonly waitingMax?: number;
};

/** A minute of a core that asks 1,600 times a second; about 50 MB. */
const WAITING_MAX = 100_000;
const BATCH_ROWS = 500;
const PAUSE_MS = 1_000;
const CLOSE_MS = 5_000;
/** TS 22.016 leaves it open; an EIR that fails must not shut a network's subscribers out. */
const WHEN_IN_DOUBT: EquipmentAnswer = "white";

type Waiting = {
  readonly operator: string | undefined;
  readonly client: string;
  readonly source: SightingSource;
  readonly sighting: SightingInput;
};

export async function openEquipmentDesk(deps: DeskDeps): Promise<EquipmentDesk> {
  const { statuses, locks, clock, onFault } = deps;
  const waitingMax = deps.waitingMax ?? WAITING_MAX;
  const waiting: Waiting[] = [];
  const counts = countChecks(deps.registry, () => waiting.length);
  const ids = new Map<string | undefined, string>();
  const idOf = async (slug: string | undefined) => {
    const id = await deps.operatorIdOf(slug);
    if (id !== undefined) ids.set(slug, id);
    return id;
  };
  /** Asked for already: a core that asks a thousand times a second asks the database once. */
  const looking = new Set<string | undefined>();
  const lookUp = (slug: string | undefined): void => {
    if (looking.has(slug)) return;
    looking.add(slug);
    idOf(slug)
      .catch((error: unknown) => onFault("equipment", error))
      .finally(() => looking.delete(slug));
  };
  for (const slug of new Set(deps.operators)) await idOf(slug); // the first question of each is answered by its lists
  const loop = startLoop({
    name: "equipment-sightings",
    pauseMs: PAUSE_MS,
    pass: () => keepSome(deps, waiting, idOf, counts),
    onFailure: onFault,
  });
  const statusOf = ({ source, client, operator, equipment }: Asked): EquipmentAnswer => {
    const id = ids.get(operator);
    if (id === undefined) {
      lookUp(operator);
      return WHEN_IN_DOUBT;
    }
    try {
      const answer = statuses.statusOf(id, equipment);
      const { imsi, imei } = equipment;
      // Who is on a black list becomes nobody's device by it.
      if (answer === "black" || imsi === undefined) return answer;
      return locks.isRefused({ operatorId: id, imsi, imei, source, client }) ? "black" : answer;
    } catch (error) {
      onFault("equipment", error);
      counts.faults.inc();
      return WHEN_IN_DOUBT;
    }
  };
  const statusTo = (asked: Asked): EquipmentAnswer => {
    const { source, client } = asked;
    const answer = statusOf(asked);
    counts.checks.inc({ source, client, answer });
    return answer;
  };
  const saw = ({ source, client, operator, equipment }: Asked): void => {
    const seenAt = clock().toISOString();
    const id = ids.get(operator);
    const sighting = sightingOf(equipment, source, seenAt, (imsi) => homeOf(deps.homePlmnOf, imsi, id));
    if (!sighting) return counts.sightings.inc({ source, client, outcome: "no_sim" });
    if (waiting.length >= waitingMax) return counts.sightings.inc({ source, client, outcome: "dropped" });
    waiting.push({ operator, client, source, sighting });
    if (waiting.length === 1) loop.wake();
  };
  return {
    statusOf: statusTo,
    saw,
    check(asked) {
      const answer = statusTo(asked);
      saw(asked);
      return answer;
    },
    networkOf: (realm) => networkNamed(deps.homePlmnOf, realm),
    async close() {
      const untilMs = performance.now() + CLOSE_MS;
      while (waiting.length > 0 && performance.now() < untilMs) {
        loop.wake();
        await new Promise((done) => setTimeout(done, 20));
      }
      await loop.stop();
      for (const { source, client } of waiting.splice(0))
        counts.sightings.inc({ source, client, outcome: "dropped" });
    },
  };
}

function networkNamed(homePlmnOf: HomePlmnOf, realm: string): string | undefined {
  const told = networkOfRealm(realm);
  if (!told) return undefined;
  const { mcc, mnc } = told;
  if (!mnc.startsWith("0")) return mcc + mnc;
  // The zero is a digit of the code, or stands in front of one of two: what is known of the SIMs of each says which.
  const short = mcc + mnc.slice(1);
  const isKnown = (network: string) => homeOf(homePlmnOf, network.padEnd(15, "0"), undefined) === network;
  return isKnown(short) || !isKnown(mcc + mnc) ? short : mcc + mnc;
}

function homeOf(homePlmnOf: HomePlmnOf, imsi: string, operatorId: string | undefined): string | undefined {
  try {
    return homePlmnOf(parseImsi(imsi), operatorId);
  } catch {
    return undefined; // no SIM of anybody's: the intake will refuse it with its reason
  }
}

/** One transaction's worth, of one operator. What the database did not take stays in front. */
async function keepSome(
  { intake }: Pick<DeskDeps, "intake">,
  waiting: Waiting[],
  idOf: (slug: string | undefined) => Promise<string | undefined>,
  { sightings }: Pick<ReturnType<typeof countChecks>, "sightings">,
): Promise<boolean> {
  const first = waiting[0];
  if (!first) return false;
  const operatorId = await idOf(first.operator);
  let rows = 0;
  while (rows < BATCH_ROWS && waiting[rows]?.operator === first.operator && waiting[rows]) rows++;
  const batch = waiting.slice(0, rows);
  const results =
    operatorId === undefined
      ? []
      : await intake.accept(
          operatorId,
          batch.map(({ sighting }) => sighting),
          first.source,
          "unneeded",
        );
  waiting.splice(0, rows);
  for (const [at, { source, client }] of batch.entries()) {
    const result = results[at];
    const outcome = !result ? "no_operator" : result.outcome === "refused" ? result.code : result.outcome;
    sightings.inc({ source, client, outcome });
  }
  return waiting.length > 0;
}
