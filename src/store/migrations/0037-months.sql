-- Why: sightings, events of orders and the audit grow with every phone and were never put away. From this release on each of
-- them is a table of months (store/retention/partitions.ts makes them ahead), so that a month whose time is over for every
-- operator is dropped as a whole, and costs neither deletes nor a vacuum; how long each operator keeps what, its policy says
-- (kernel/operator/retention.ts), and what was put away is still counted in `monthly_statistic`.
-- What is there becomes the first partition as it stands, up to a month ahead: nothing is copied. That its rows are of that
-- time is checked beside the writers; whatever a clock once put beyond it goes where rows without a month of their own are.
-- Ids are UUIDv7, so a range of ids is a range of times, and keys stay what they are.
-- Safe beside the release before: it writes to the same names, and notices nothing. The audit's reference to its operator
-- goes, as those of other tables did (0030): an operator is never deleted.

create table monthly_statistic (                      -- what retention put away, counted; names nobody
  operator_id uuid not null,
  kind        text not null check (kind in ('sightings', 'events', 'audit')),
  month       date not null,                          -- its first day, by UTC
  what        text[] not null,                        -- sightings: outcome, source, serving network; events: kind, state; audit: action
  count       bigint not null check (count > 0),
  primary key (operator_id, kind, month, what)
);

create table retention_sweep (                        -- how far the putting away of one kind has come
  kind         text primary key check (kind in ('sightings', 'events', 'audit')),
  before       jsonb not null,                        -- by operator: what is older goes
  done_to      text not null default '',               -- the end of the last partition that is done with
  next_page    bigint not null default 0,              -- of the one after it: the first page that was not looked at
  gone         jsonb not null default '{}',           -- by operator: how many rows went
  begun_at     timestamptz not null,
  ended_at     timestamptz
);

create function month_bound(key text, month timestamptz) returns text language sql stable as $$
  select case key when 'id'
    then (lpad(to_hex((extract(epoch from month) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid::text
    else month::text end
$$;

-- Beyond this month and the next nothing is, unless a clock was wrong.
create function begin_months(called text, now_called text, key text) returns void language plpgsql as $$
declare
  until timestamptz := (date_trunc('month', now() at time zone 'UTC') + interval '2 months') at time zone 'UTC';
begin
  execute format('create table %I (like %I including defaults including constraints)', called || '_later', now_called);
  execute format('alter table %I add constraint %I check (%I < %L) not valid',
                 now_called, called || '_until_' || to_char(until at time zone 'UTC', 'YYYY_MM'), key, month_bound(key, until));
end $$;

create function check_months(called text, now_called text, key text) returns void language plpgsql as $$
declare
  bound text;
  named text;
begin
  select conname, substring(conname from '(\d{4}_\d\d)$') into named, bound
    from pg_constraint where conrelid = now_called::regclass and conname ~ ('^' || called || '_until_\d{4}_\d\d$');
  execute format('with beyond as (delete from %I where %I >= %L returning *) insert into %I select * from beyond',
                 now_called, key, month_bound(key, to_timestamp(bound || '_01 00 +00', 'YYYY_MM_DD HH24 TZH')), called || '_later');
  execute format('alter table %I validate constraint %I', now_called, named);
end $$;

create function enter_months(called text, now_called text, key text) returns void language plpgsql as $$
declare
  named text;
  bound text;
  one record;
  any_row boolean;
begin
  select conname, substring(conname from '(\d{4}_\d\d)$') into named, bound
    from pg_constraint where conrelid = now_called::regclass and conname ~ ('^' || called || '_until_\d{4}_\d\d$');
  bound := month_bound(key, to_timestamp(bound || '_01 00 +00', 'YYYY_MM_DD HH24 TZH'));
  execute format('lock table %I in access exclusive mode', now_called);
  if called <> now_called then
    execute format('alter table %I detach partition %I', called, now_called);
  end if;
  execute format('alter table %I rename to %I', now_called, named);
  if called = now_called then
    execute format('create table %I (like %I including defaults including constraints) partition by range (%I)',
                   called, called || '_later', key);
    for one in select c.relname, pg_get_indexdef(i.indexrelid) as text, pg_get_constraintdef(k.oid) as key_text
                   from pg_index i join pg_class c on c.oid = i.indexrelid left join pg_constraint k on k.conindid = i.indexrelid
                  where i.indrelid = named::regclass loop
      execute format('alter index %I rename to %I', one.relname, named || '_' || one.relname);
      if one.key_text is not null then
        execute format('alter table %I add constraint %I %s', called, one.relname, one.key_text);
      else
        execute replace(one.text, ' public.' || named, ' public.' || called);
      end if;
    end loop;
  end if;
  execute format('select exists (select from %I)', named) into any_row;
  if any_row then
    execute format('alter table %I attach partition %I for values from (minvalue) to (%L)', called, named, bound);
    execute format('alter table %I drop constraint %I', named, named);
  else
    execute format('drop table %I', named);
  end if;
  execute format('alter table %I rename to %I', called || '_later', called || '_default');
  execute format('alter table %I attach partition %I default', called, called || '_default');
end $$;

-- next transaction
alter table audit drop constraint audit_operator_id_fkey;

-- next transaction
select begin_months('sighting', 'sighting_default', 'seen_at');

-- next transaction
select begin_months('order_event', 'order_event', 'id');

-- next transaction
select begin_months('audit', 'audit', 'id');

-- next transaction
select check_months('sighting', 'sighting_default', 'seen_at');

-- next transaction
select check_months('order_event', 'order_event', 'id');

-- next transaction
select check_months('audit', 'audit', 'id');

-- next transaction
select enter_months('sighting', 'sighting_default', 'seen_at');

-- next transaction
select enter_months('order_event', 'order_event', 'id');

-- next transaction
select enter_months('audit', 'audit', 'id');

-- next transaction
drop function begin_months(text, text, text);
drop function check_months(text, text, text);
drop function enter_months(text, text, text);
drop function month_bound(text, timestamptz);
