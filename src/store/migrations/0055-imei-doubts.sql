-- Why: a TAC that no list names is reviewed by what its handsets say of themselves, and an IMEI that is not its handset's own (written over,
-- or borne by two) has to stand on whoever holds it. What a handset said is one row a source, and one a radio type, so that neither grows with
-- traffic; handsets that had several SIMs are few, and are looked at again and again.
-- Safe beside the release before: tables that it does not know; what it erases of people leaves their handsets' rows here, which name
-- nobody, and the next erasure by this release takes no harm from them.
create table device_statement (
  device_id     uuid not null references device,
  operator_id   uuid not null references operator,
  source        text not null check (source in ('user_agent', 'ua_profile', 'terminal_profile', 'apple_product')),
  value         text not null check (length(value) <= 512),
  days          integer not null check (days > 0),       -- on which the same model was said
  first_said_at timestamptz not null,
  said_at       timestamptz not null,
  primary key (device_id, source)
);

create table device_radio (
  device_id     uuid not null references device,
  operator_id   uuid not null references operator,
  radio         text not null,                           -- kernel/detection/false-model.ts names them
  first_seen_at timestamptz not null,
  primary key (device_id, radio)
);

create table imei_doubt (
  id            uuid primary key,
  operator_id   uuid not null references operator,
  device_id     uuid not null references device,
  kind          text not null check (kind in ('false_model', 'clone', 'special')),
  reason        text not null,
  detail        jsonb not null,
  found_at      timestamptz not null,
  confirmed_at  timestamptz not null,
  ended_at      timestamptz,
  ended_by      text,
  end_reason    text,
  constraint imei_doubt_ends_by_somebody check ((ended_at is null) = (ended_by is null))
);
create unique index imei_doubt_open on imei_doubt (device_id, kind) where ended_at is null;
create index imei_doubt_of_device on imei_doubt (device_id, id desc);
create index imei_doubt_unconfirmed on imei_doubt (confirmed_at) where ended_at is null and kind = 'false_model';
create index imei_doubt_by_id on imei_doubt (operator_id, id desc);

create table shared_device (                             -- seen with more than one SIM
  device_id     uuid primary key references device,
  operator_id   uuid not null references operator,
  looked_at     timestamptz not null                     -- for a clone; '-infinity': never
);
create index shared_device_due on shared_device (looked_at);

create table shared_device_cursor (                      -- how far the orders were walked for handsets with several SIMs
  operator_id   uuid primary key references operator,
  order_id      uuid not null
);
