-- Why: a SIM of a machine's line is to serve in its own device alone. Its lock is a row, found by the SIM's blind index, also before
-- that SIM was ever seen; what networks show moves it, and each move is an event with the device that was expected and the one that
-- came. Triggers tell all servers which SIM's lock is another now: they answer cores by what they know by heart.
-- Safe beside the release before: tables that it does not know; it refuses nobody for a lock.
create table sim_lock (
  id              uuid primary key,
  operator_id     uuid not null references operator (id),
  imsi_index      bytea not null,
  imsi_sealed     bytea not null,
  state           text not null check (state in ('neutral', 'armed', 'locked', 'deferred')),
  scope           text not null check (scope in ('imei', 'tac', 'list')),
  expected_sealed bytea,
  received_sealed bytea,
  foreign_since   timestamptz,
  grace_seconds   integer not null check (grace_seconds >= 0),
  is_refusing     boolean not null,
  changed_at      timestamptz not null,
  changed_by      text not null
);
create unique index sim_lock_of_sim on sim_lock (operator_id, imsi_index);
create index sim_lock_by_change on sim_lock (changed_at);
create index sim_lock_list on sim_lock (operator_id, state, id desc);

create table sim_lock_event (
  id              uuid primary key,
  operator_id     uuid not null references operator (id),
  lock_id         uuid not null references sim_lock (id) on delete cascade,
  at              timestamptz not null,
  kind            text not null,
  expected_sealed bytea,
  received_sealed bytea,
  source          text,
  client          text,
  actor           text,
  reason          text,
  outcome         text
);
create index sim_lock_event_of_lock on sim_lock_event (lock_id, id desc);

create function note_sim_lock() returns trigger language plpgsql as $$
declare
  it record;
begin
  if current_setting('turnup.restoring', true) = 'on' then return null; end if;
  if tg_op = 'DELETE' then it := old; else it := new; end if;
  perform pg_notify('turnup_changed', json_build_object('kind', 'sim_lock', 'operatorId', it.operator_id, 'version', 0,
                                                        'detail', encode(it.imsi_index, 'hex'))::text);
  return null;
end $$;
create trigger sim_lock_changed after insert or update or delete on sim_lock for each row execute function note_sim_lock();
