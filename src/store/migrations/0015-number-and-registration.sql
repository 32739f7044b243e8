-- Why: a registration that is being ended, that nobody ended, or that was never made, is told apart from one that was
-- removed (docs/api.md, cancelling). And a number that moved on to another SIM ends what was sent to it for the SIM that had
-- it: sessions by SMS, messages on their way, ways in; whose it was is kept.
-- The release before may run beside it: it writes none of the new states and reads them as ones that are not registered, and
-- it knows of no number that was lost. While it runs, a number that moves is left with both SIMs, as before.
alter table registration drop constraint registration_state_check;
alter table registration add constraint registration_state_check
  check (state in ('asked', 'needs_information', 'registered', 'removing', 'removed', 'not_removed', 'refused', 'withheld'));

-- next transaction
alter table subscriber add column number_lost_at timestamptz; -- what was proved by its former number before counts no more
-- next transaction
alter table message add column number_lost_at timestamptz;    -- on its way to a number that is its subscriber's no more: no receipt proves that he has it

-- next transaction
create table former_number (
  id             uuid primary key,
  operator_id    uuid not null,
  subscriber_id  uuid not null references subscriber,         -- who had it
  msisdn_index   bytea not null,
  msisdn_sealed  bytea not null,
  lost_at        timestamptz not null,
  new_holder_id  uuid references subscriber                   -- the SIM that it was seen with; null where its own SIM has another now
);
create index former_number_of_subscriber on former_number (subscriber_id, lost_at);

-- Rows of before: of several SIMs with one number the one that was seen last has it. A number is looked at with all its SIMs
-- where the first of them comes.
-- next in batches of subscriber
with number as (
  select distinct operator_id, msisdn_index from subscriber where id > $1 and id <= $2 and msisdn_index is not null),
held as (
  select s.id, s.operator_id, s.msisdn_index, s.msisdn_sealed,
         first_value(s.id) over w as holder_id, row_number() over w as place
    from number n join subscriber s on s.operator_id = n.operator_id and s.msisdn_index = n.msisdn_index
    left join pairing p on p.subscriber_id = s.id and p.is_current
  window w as (partition by s.operator_id, s.msisdn_index order by p.last_seen_at desc nulls last, s.id desc)),
lost as (
  insert into former_number (id, operator_id, subscriber_id, msisdn_index, msisdn_sealed, lost_at, new_holder_id)
  select gen_random_uuid(), operator_id, id, msisdn_index, msisdn_sealed, now(), holder_id from held where place > 1
  returning subscriber_id)
update subscriber s set msisdn_index = null, msisdn_sealed = null, number_lost_at = now() from lost where s.id = lost.subscriber_id;

-- What is on its way to a number is found by its subscriber when the number moves on.
-- next transaction
create index message_in_flight_of_subscriber on message (subscriber_id)
 where subscriber_id is not null and state in ('queued', 'submitting', 'submitted');
