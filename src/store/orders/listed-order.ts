/** One line of a list of orders: its columns, and the row as the doors show it. */
import type { OrderRow } from "../../kernel/order/order-reader.ts";

export const ORDER = `o.id, o.state, o.reason, o.next_action as "nextAction", o.due_at as "dueAt", o.deadline_at as "deadlineAt",
  o.cause, o.network_kind as "networkKind", o.market, o.serving_plmn as "servingPlmn", o.make, o.model, o.verdict, o.sends as attempts, o.subscriber_id as "subscriberId",
  o.device_id as "deviceId", o.created_at as "createdAt", o.updated_at as "updatedAt", o.ended_at as "endedAt"`;

export type Dated<Row, Name extends keyof Row> = Omit<Row, Name> & {
  readonly [At in Name]: null extends Row[At] ? Date | null : Date;
};
export type StoredOrder = Dated<OrderRow, "dueAt" | "deadlineAt" | "createdAt" | "updatedAt" | "endedAt">;

export const orderRow = (row: StoredOrder): OrderRow => ({
  ...row,
  dueAt: iso(row.dueAt),
  deadlineAt: iso(row.deadlineAt),
  createdAt: row.createdAt.toISOString(),
  updatedAt: row.updatedAt.toISOString(),
  endedAt: iso(row.endedAt),
});

export const iso = (date: Date | null): string | null => (date === null ? null : date.toISOString());
