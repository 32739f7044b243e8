/** How much is claimed at a time, of whom, and who has more. */
import { FIRST_CLAIM, type LaneOwner } from "./lanes.ts";

type Claim = {
  readonly limit: number;
  readonly most?: ReadonlyMap<string, number>;
  readonly mostOfOthers?: number;
};

/** Where an operator has less room than the whole claim, it is told at most so many of it: the others' claim is as large as ever. */
export function claimOf(rooms: ReadonlyMap<string, number>, limit: number): Claim {
  if (rooms.size === 0) return { limit: Math.min(limit, FIRST_CLAIM) };
  const isTight = [...rooms.values()].some((room) => room < limit);
  return isTight ? { limit, most: rooms, mostOfOthers: Math.min(limit, FIRST_CLAIM) } : { limit };
}

/** Whose messages may be due beyond those that were claimed. */
export function operatorsWithMore(
  messages: readonly LaneOwner[],
  { limit, most, mostOfOthers = Number.POSITIVE_INFINITY }: Claim,
): ReadonlySet<string> {
  const counts = new Map<string, number>();
  for (const { operatorId } of messages) counts.set(operatorId, (counts.get(operatorId) ?? 0) + 1);
  const isCut = messages.length >= limit;
  return new Set(
    [...counts].flatMap(([operatorId, count]) =>
      isCut || count >= (most?.get(operatorId) ?? mostOfOthers) ? [operatorId] : [],
    ),
  );
}
