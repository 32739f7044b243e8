-- Why: a phone that is turned up notes some sixteen events, and most of them together: a step of an order that judges the
-- handset, makes its items and queues their messages says so in six rows, each with its own index entry and its own copy of
-- order, operator and time. What one step notes of one order is one row from this release on: the first event, and those
-- behind it in `more`, each a list of id, item, kind, state, reason, evidence and detail (store/orders/event-rows.ts).
-- Safe beside the release before: a column that may be empty. Its own events are rows as before. Of a step that this release
-- noted it shows the first event alone until it is replaced, and what it decides or counts by events it still finds: those
-- kinds are rows of their own.
alter table order_event add column more json;
