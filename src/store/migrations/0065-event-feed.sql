-- Why: whoever wants to know what happened reads a feed from a position on (docs/adr/0019-event-feed.md). Positions are numbers of
-- transactions: all below the oldest one that is still under way are over, so nothing can come behind a reader's back, which a
-- sequence's numbers do not promise. The events of orders and what the network saw are rows already: they get the number of their
-- transaction and an index on it. What has no row a change (messages, charges, registrations) is noted by triggers in `change`,
-- one row a statement with all that it changed, so that no writer can forget it.
-- Safe beside the release before: defaults and triggers do it. What was there before is not in the feed (`tx` is null).
-- Locks: the columns and triggers change no row; they wait for each table and its months at most two seconds at a time, and come
-- again. The two indexes at the end are empty, but to build each one reads all months of its table, and what writes to that table
-- waits meanwhile (reading goes on): about a second for a few million rows in memory, minutes for hundreds of millions on a disk.
-- Run it at a quiet hour where the tables are large. An index of a partitioned table cannot be built concurrently.
-- Numbers of transactions mean nothing on another server: a backup leaves them out, what is restored has that of its restore, and
-- `event_feed.epoch` tells positions of before from those of after.

alter table order_event add column tx xid8;
alter table order_event alter column tx set default pg_current_xact_id();
alter table sighting add column tx xid8;
alter table sighting alter column tx set default pg_current_xact_id();

create sequence change_number;

-- A UUIDv7 whose random part is a counter: what one transaction notes stays in its order.
create function change_id() returns uuid language sql volatile as $$
  select (lpad(to_hex((extract(epoch from clock_timestamp()) * 1000)::bigint), 12, '0') || '7000'
          || to_hex((-9223372036854775808)::bigint + nextval('change_number')))::uuid
$$;

create table change (
  operator_id uuid not null,
  tx          xid8 not null default pg_current_xact_id(),
  id          uuid not null default change_id(),
  subject     text not null check (subject in ('message', 'charge', 'registration', 'webhook')),
  changes     json not null, -- of each: id, order, item, kind, state, reason, time
  constraint change_pkey primary key (operator_id, tx, id)
);

create table event_feed (                           -- one an operator, with its first reader
  operator_id uuid not null,
  epoch       uuid not null default gen_random_uuid(), -- another after a restore: positions of before mean nothing
  floor       xid8 not null default '0',               -- what is below it is kept no longer
  constraint event_feed_pkey primary key (operator_id)
);

-- Those of hot statements run where plans of small tables are kept (enable_hashjoin off): two lists of a thousand rows are no
-- matter for a nested loop. 'submitting' is a lease and no news.
create function note_messages() returns trigger language plpgsql set enable_hashjoin = on as $$
begin
  if current_setting('turnup.restoring', true) = 'on' then return null; end if;
  if tg_op = 'INSERT' then -- what comes back from the messages that are over is no news
    insert into change (operator_id, subject, changes)
    select n.operator_id, 'message', json_agg(json_build_array(n.id, n.order_id, null, n.kind, 'queued', n.reason, n.created_at) order by n.id)
      from after n where n.state in ('queued', 'submitting') group by n.operator_id;
  else
    insert into change (operator_id, subject, changes)
    select n.operator_id, 'message', json_agg(json_build_array(n.id, n.order_id, null, n.kind, n.state, n.reason, n.updated_at) order by n.id)
      from after n join before o on o.id = n.id
     where n.state is distinct from o.state and n.state <> 'submitting' and (n.state <> 'queued' or o.state <> 'submitting')
     group by n.operator_id;
  end if;
  return null;
end $$;

create function note_charges() returns trigger language plpgsql set enable_hashjoin = on as $$
begin
  if current_setting('turnup.restoring', true) = 'on' then return null; end if;
  if tg_op = 'INSERT' then
    insert into change (operator_id, subject, changes)
    select n.operator_id, 'charge', json_agg(json_build_array(n.id, n.order_id, n.item_id, n.key_source, n.state, n.reason, n.updated_at) order by n.id)
      from after n group by n.operator_id;
  else
    insert into change (operator_id, subject, changes)
    select n.operator_id, 'charge', json_agg(json_build_array(n.id, n.order_id, n.item_id, n.key_source, n.state, n.reason, n.updated_at) order by n.id)
      from after n join before o on o.id = n.id where n.state is distinct from o.state group by n.operator_id;
  end if;
  return null;
end $$;

create function note_registrations() returns trigger language plpgsql set enable_hashjoin = on as $$
begin
  if current_setting('turnup.restoring', true) = 'on' then return null; end if;
  if tg_op = 'INSERT' then
    insert into change (operator_id, subject, changes)
    select n.operator_id, 'registration', json_agg(json_build_array(n.id, n.order_id, n.order_item_id, n.service, n.state, null, n.updated_at) order by n.id)
      from after n group by n.operator_id;
  else
    insert into change (operator_id, subject, changes)
    select n.operator_id, 'registration', json_agg(json_build_array(n.id, n.order_id, n.order_item_id, n.service, n.state, null, n.updated_at) order by n.id)
      from after n join before o on o.id = n.id where n.state is distinct from o.state group by n.operator_id;
  end if;
  return null;
end $$;

-- next transaction
create trigger message_added after insert on message referencing new table as after for each statement execute function note_messages();
create trigger message_changed after update on message referencing old table as before new table as after for each statement execute function note_messages();

-- next transaction
create trigger charge_added after insert on charge referencing new table as after for each statement execute function note_charges();
create trigger charge_changed after update on charge referencing old table as before new table as after for each statement execute function note_charges();

-- next transaction
create trigger registration_added after insert on registration referencing new table as after for each statement execute function note_registrations();
create trigger registration_changed after update on registration referencing old table as before new table as after for each statement execute function note_registrations();

-- next transaction
create index order_event_by_position on order_event (operator_id, tx, id) where tx is not null;

-- next transaction
create index sighting_by_position on sighting (operator_id, tx, id) where tx is not null;
