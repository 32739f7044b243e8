-- Why: each server that serves a device is told what changed of it outside an order's end too (US 6,647,260, abstract): the SIM is
-- in another handset, its number became another SIM's, its account at the proxies was blocked or closed. What is to be told is
-- written with the change itself; the conductor makes calls of it.
-- The release before may run beside it: a table that it does not know. What changes through it is told by its orders alone.

create table serving_change (
  id            uuid primary key,
  operator_id   uuid not null references operator,
  subscriber_id uuid not null references subscriber,
  device_id     uuid references device,               -- that it is about, where it is about one
  event         text not null check (event in ('changed', 'removed')),
  what          text not null check (what in ('handset', 'number', 'account')),
  at            timestamptz not null
);
create index serving_change_by_time on serving_change (at, id);
