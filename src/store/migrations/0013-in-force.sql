-- Why: what an operator changed must be in force on every server before it is answered, or within a second, not when some
-- server's memory has grown old. Each kind of an operator's words has a version, which the writing transaction raises and
-- tells to all servers (store/change-channel.ts); whoever decides asks for the versions and knows whether what he remembers
-- is still true (store/versions.ts). Triggers do it, so that no writer can forget it: the API, a command, a release before.
-- And: a receipt that came while the booking of its part was under way is looked for until nothing of then is under way.
-- Safe beside the release before: its writes raise the versions too; its receipts get the defaults and are looked for.

create table change_version (
  operator_id uuid not null references operator,
  kind        text not null,                          -- kernel/account/changes.ts names them
  version     bigint not null,
  changed_in  bigint not null,                        -- the transaction that raised it last, and when it began: each
  changed_at  timestamptz not null,                   -- raises it once; a restored database counts transactions anew
  primary key (operator_id, kind)
);

create function note_change() returns trigger language plpgsql as $$
declare
  whose uuid;
  here  bigint := pg_current_xact_id()::text::bigint;
  now_is bigint;
begin
  if current_setting('turnup.restoring', true) = 'on' then return null; end if;  -- a backup brings its versions along
  if tg_table_name = 'operator' then whose := new.id;
  elsif tg_op = 'DELETE' then whose := old.operator_id;
  else whose := new.operator_id;
  end if;
  if whose is null then return null; end if;          -- shipped data: it changes with the release alone
  insert into change_version as v (operator_id, kind, version, changed_in, changed_at)
  values (whose, tg_argv[0], 1, here, transaction_timestamp())
      on conflict (operator_id, kind) do update set version = v.version + 1, changed_in = here, changed_at = transaction_timestamp()
         where (v.changed_in, v.changed_at) <> (here, transaction_timestamp())
   returning v.version into now_is;
  if found then
    perform pg_notify('turnup_changed',
                      json_build_object('kind', tg_argv[0], 'operatorId', whose, 'version', now_is)::text);
  end if;
  return null;
end $$;

create trigger operator_changed after insert or update on operator
  for each row execute function note_change('operator');
create trigger policy_changed after insert or update or delete on operator_policy
  for each row execute function note_change('policy');
create trigger relation_changed after insert or update or delete on relation
  for each row execute function note_change('relations');
create trigger access_point_changed after insert or update or delete on access_point
  for each row execute function note_change('access_points');
create trigger override_changed after insert or update or delete on device_override
  for each row execute function note_change('overrides');
create trigger catalog_changed after insert or update or delete on catalog_item
  for each row execute function note_change('catalog');
create trigger terms_changed after insert or update or delete on terms
  for each row execute function note_change('terms');
create trigger dataset_changed after insert or update or delete on dataset
  for each row execute function note_change('datasets');
-- Not when it was used last: that is written all the time and changes nothing.
create trigger token_changed after update of hash, role, expires_at, revoked_at or delete on api_token
  for each row execute function note_change('tokens');

-- A receipt that no part was found for is looked for again while a booking that could not see it may be under way: none
-- older than the horizon is, once the oldest transaction under way is younger.
alter table unmatched_receipt add column look_at timestamptz default now();  -- null: whoever books its part finds it
alter table unmatched_receipt add column horizon bigint;                     -- the first transaction that was sure to see it
-- How the centre may have spelled the same id in its response (smsc.receipt_ids = either).
alter table unmatched_receipt add column other_ids text[] not null default '{}';
create index unmatched_receipt_to_look_for on unmatched_receipt (look_at) where look_at is not null;
create index unmatched_receipt_by_other_id on unmatched_receipt using gin (other_ids) where other_ids <> '{}';
create index unmatched_receipt_by_age on unmatched_receipt (received_at);
