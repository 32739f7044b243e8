/** What lists of orders are filtered by, as conditions on their rows. */
import type { Verdict } from "../../kernel/order/order.ts";
import type { OrderFilter } from "../../kernel/order/order-list.ts";
import type { Parties } from "./parties.ts";
import { slotOf } from "./updated-slot.ts";

/** Ids are made by the clock of the machine that makes them; two machines differ by less than this. */
const CLOCK_SLACK_MS = 600_000;

/** Whose orders, and which. A verdict of null: those that have none. */
export type Scope = {
  readonly operatorId: string;
  readonly filter: Omit<OrderFilter, "verdict"> & { readonly verdict?: Verdict | null | undefined };
  readonly parties: Parties;
};

/** Values of a query, each under the number at which it stands. */
export class Parameters {
  readonly values: unknown[] = [];
  at(value: unknown): string {
    this.values.push(value);
    return `$${this.values.length}`;
  }
}

/** Numbers became subscribers and a device before. */
export type FilterName = Exclude<keyof OrderFilter, "imsi" | "msisdn" | "imei">;
type ConditionsOf = (value: string, given: string) => readonly string[];
/** What each filter asks for. */
const CONDITIONS: readonly (readonly [FilterName, ConditionsOf])[] = [
  ["state", (value) => [`o.state = ${value}`]],
  ["cause", (value) => [`o.cause = ${value}`]],
  ["market", (value) => [`o.market = ${value}`]],
  ["verdict", (value) => [`o.verdict = ${value}`]],
  ["make", (value) => [`o.make = ${value}`]],
  ["model", (value) => [`o.model = ${value}`]],
  ["subscriberId", (value) => [`o.subscriber_id = ${value}::uuid`]],
  ["deviceId", (value) => [`o.device_id = ${value}::uuid`]],
  // A time is also a bound on the id, which begins with a time.
  [
    "createdFrom",
    (value, given) => [
      `o.created_at >= ${value}::timestamptz`,
      `o.id >= '${idAt(Date.parse(given) - CLOCK_SLACK_MS)}'::uuid`,
    ],
  ],
  [
    "createdTo",
    (value, given) => [
      `o.created_at < ${value}::timestamptz`,
      `o.id < '${idAt(Date.parse(given) + CLOCK_SLACK_MS)}'::uuid`,
    ],
  ],
  [
    "updatedFrom",
    (value) => [
      `o.updated_at >= ${value}::timestamptz`,
      `o.updated_slot >= ${slotOf(`${value}::timestamptz`)}`,
    ],
  ],
  [
    "updatedTo",
    (value) => [
      `o.updated_at < ${value}::timestamptz`,
      `o.updated_slot <= ${slotOf(`${value}::timestamptz`)}`,
    ],
  ],
  ["deadlineFrom", (value) => [`o.deadline_at >= ${value}::timestamptz`]],
  ["deadlineTo", (value) => [`o.deadline_at < ${value}::timestamptz`]],
  ["attemptsFrom", (value) => [`o.sends >= ${value}::int`, "o.sends > 1"]], // the words of the index
];

/** Of the operator, by all filters but those that the query itself walks. */
export function conditionsOf(
  { operatorId, filter, parties: { subscriberIds, deviceId } }: Scope,
  parameters: Parameters,
  walked: readonly FilterName[] = [],
): readonly string[] {
  const conditions = [`o.operator_id = ${parameters.at(operatorId)}::uuid`];
  for (const [name, conditionsBy] of CONDITIONS) {
    const value = filter[name];
    if (value === undefined || walked.includes(name)) continue;
    if (value === null) conditions.push(`o.${name} is null`);
    else conditions.push(...conditionsBy(parameters.at(value), String(value)));
  }
  if (subscriberIds) conditions.push(`o.subscriber_id = any(${parameters.at(subscriberIds)}::uuid[])`);
  if (deviceId) conditions.push(`o.device_id = ${parameters.at(deviceId)}::uuid`);
  return conditions;
}

/** The least UUIDv7 of a moment. */
function idAt(ms: number): string {
  const hex = Math.min(Math.max(ms, 0), 2 ** 48 - 1)
    .toString(16)
    .padStart(12, "0");
  return `${hex.slice(0, 8)}-${hex.slice(8)}-0000-0000-000000000000`;
}

export const hasParty = ({ filter, parties }: Scope): boolean =>
  filter.subscriberId !== undefined ||
  filter.deviceId !== undefined ||
  parties.subscriberIds !== undefined ||
  parties.deviceId !== undefined;
