/**
 * The outbox's lanes, one an operator: how much of each is on its way, and who is claimed for. An operator with a long queue
 * fills its own lane alone; one whose centres are all unbound is not claimed for, so that its queue costs nothing and waits as it is.
 */
import type { SmsLimits } from "../operator/sms-limits.ts";
import { type CentreNow, serves } from "./centre-choice.ts";

/** A centre, and how much of anything it can take soon. */
export type CentreState = CentreNow & {
  /** Messages that it takes within the next seconds at its rate; Infinity where no limit is known. */
  readonly room: number;
};
/** Whose message: by id, and by the short name that centres are configured with. */
export type LaneOwner = {
  readonly operatorId: string;
  readonly operatorSlug: string;
  readonly smsLimits?: SmsLimits;
};

/** Of one operator on their way: enough to keep a window full. */
const LANE_MAX = 1_000;
/** While an operator is not known, nor what its centres can take. */
export const FIRST_CLAIM = 50;

/** What leaves one after the other waits in memory for no longer than this. */
const PACED_SECONDS = 10;

type Lane = Omit<LaneOwner, "smsLimits"> & {
  onTheirWay: number;
  isFull: boolean;
  /** Of its operator's policy, as it last came. */
  perSecond: number;
};

export class Lanes {
  readonly #lanes = new Map<string, Lane>();

  enter(owner: LaneOwner): void {
    this.#laneOf(owner).onTheirWay += 1;
  }

  /** Answers whether its lane is open again that was full. */
  leave({ operatorId }: Pick<LaneOwner, "operatorId">, centres: readonly CentreState[]): boolean {
    const lane = this.#lanes.get(operatorId);
    if (!lane) return false;
    lane.onTheirWay -= 1;
    // Half of it, not one place: a claim costs more than a message.
    if (!lane.isFull || lane.onTheirWay > this.#capacityOf(lane, centres) / 2) return false;
    lane.isFull = false;
    return true;
  }

  hasRoom(owner: LaneOwner, count: number, centres: readonly CentreState[]): boolean {
    const lane = this.#laneOf(owner);
    return lane.onTheirWay + count <= this.#capacityOf(lane, centres);
  }

  /** So many may be claimed of each operator that is known, without overfilling its lane. */
  rooms(centres: readonly CentreState[]): ReadonlyMap<string, number> {
    return new Map(
      [...this.#lanes.values()].flatMap((lane) => {
        const capacity = this.#capacityOf(lane, centres);
        if (capacity === 0 || lane.isFull) return [];
        return [[lane.operatorId, Math.max(1, capacity - lane.onTheirWay)] as const];
      }),
    );
  }

  /** Operators of whom nothing is claimed since no centre that takes their messages is bound. */
  unserved(centres: readonly CentreState[]): readonly Pick<Lane, "operatorId" | "operatorSlug">[] {
    return [...this.#lanes.values()].filter((lane) => this.#capacityOf(lane, centres) === 0);
  }

  /** Operators of whom nothing is to be claimed now. */
  closed(centres: readonly CentreState[]): string[] {
    return [...this.#lanes.values()].flatMap((lane) => {
      const capacity = this.#capacityOf(lane, centres);
      if (lane.onTheirWay >= capacity) lane.isFull = capacity > 0;
      return capacity === 0 || lane.isFull ? [lane.operatorId] : [];
    });
  }

  #laneOf({ operatorId, operatorSlug, smsLimits }: LaneOwner): Lane {
    const perSecond = smsLimits?.perSecond ?? Number.POSITIVE_INFINITY;
    let lane = this.#lanes.get(operatorId);
    if (!lane) {
      lane = { operatorId, operatorSlug, onTheirWay: 0, isFull: false, perSecond };
      this.#lanes.set(operatorId, lane);
    }
    lane.perSecond = perSecond;
    return lane;
  }

  /** 0: no centre that takes its messages is bound. Who shares a slow centre shares what it can take. */
  #capacityOf({ operatorSlug, perSecond }: Lane, centres: readonly CentreState[]): number {
    const open = centres.filter((centre) => centre.downSinceMs === null && serves(centre, operatorSlug));
    if (open.length === 0) return 0;
    const busy = [...this.#lanes.values()].filter(
      (lane) => lane.onTheirWay > 0 || lane.operatorSlug === operatorSlug,
    ).length;
    const room = open.reduce((sum, centre) => sum + centre.room, 0);
    const paced = perSecond * PACED_SECONDS;
    return Math.min(LANE_MAX, Math.max(1, Math.floor(Math.min(paced, room / Math.max(1, busy)))));
  }
}
