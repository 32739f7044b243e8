-- Why: what a record says has happened, it says by evidence. An item works when each access point that it set was seen
-- (order_item.apns_seen); terms were sent by the channels that took them, so a consent names the message that holds
-- them; and what a handset left behind cannot reach is what was seen of it (symptom), not what a contract names.
-- Safe beside the release before: columns with defaults and a table that it does not know. Terms that it asked for name
-- no message: their `sent_by` says what it said then.

alter table order_item add column apns_seen text[] not null default '{}'; -- those of `apns` on which traffic was seen

alter table consent add column payload_id uuid;         -- of the SMS that holds its text
comment on column consent.sent_by is 'other channels than SMS that took the terms: mail, fax, screen; SMS is told by payload_id';

create table symptom (                                  -- an application that was seen not to reach its server
  operator_id    uuid not null references operator,
  imei_index     bytea not null,                        -- as in device, which may not be known yet
  application    text not null,
  server         text not null,
  apn            text,
  cause          text not null,
  source         text not null,                         -- who saw it
  attempts       integer not null default 1 check (attempts > 0),
  first_seen_at  timestamptz not null,
  last_seen_at   timestamptz not null,
  primary key (operator_id, imei_index, application, server)
);
create index symptom_by_age on symptom (last_seen_at);
