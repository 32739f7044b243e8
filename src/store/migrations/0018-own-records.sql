-- Why: who asks is verified on the operator's own data (US 6,647,260, columns 3 and 5). Its subscriber records are kept here,
-- sealed, found by the blind indexes of SIM and phone number that subscribers have, so that a record may come before its SIM
-- is seen. And each comparison that fell short of a full match counts, so that nobody finds out a record by asking.
-- The release before may run beside it: two tables that it does not know. While it runs, its requests compare nothing.

create table subscriber_record (
  id            uuid primary key,
  operator_id   uuid not null references operator,
  imsi_index    bytea,
  imsi_sealed   bytea,
  msisdn_index  bytea,
  msisdn_sealed bytea,
  user_sealed   bytea not null,
  source        text not null,                        -- the file that it came from, or 'api'
  updated_at    timestamptz not null,
  constraint subscriber_record_has_a_number check (imsi_index is not null or msisdn_index is not null)
);
create unique index subscriber_record_by_imsi on subscriber_record (operator_id, imsi_index) where imsi_index is not null;
create unique index subscriber_record_by_msisdn on subscriber_record (operator_id, msisdn_index) where msisdn_index is not null;
create index subscriber_record_by_id on subscriber_record (operator_id, id);

create table record_try (                             -- a comparison that fell short of a full match
  id            uuid primary key,
  operator_id   uuid not null,
  subscriber_id uuid not null,
  device_id     uuid not null,
  order_id      uuid not null,
  at            timestamptz not null
);
create index record_try_of_subscriber on record_try (subscriber_id, at);
create index record_try_of_device on record_try (device_id, at);
create index record_try_by_time on record_try (at);   -- for forgetting them
