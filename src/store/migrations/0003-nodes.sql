-- Why: a server that was killed leaves leases behind. Each server has a number and holds an advisory lock on it for as
-- long as it lives, so that the others, or itself started again, know at once whose leases may be taken over
-- (store/node-presence.ts). A lease without a living owner still lapses by its time.
-- Safe beside the release before: new columns that it does not know, and its leases bear no number.

create sequence node_number as integer cycle;

create table node (
  number     integer primary key,
  joined_at  timestamptz not null default now()
);

alter table message add column leased_by integer;       -- node.number; counts while lease_until is set
alter table outbound_call add column leased_by integer;
