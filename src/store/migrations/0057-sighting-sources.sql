-- Why: whoever runs sources of sightings has to see which of them tells how much, how late, and which has fallen silent, whichever server it
-- tells; numbers that many handsets bear are refused, and how often has to be known; and a SIM that two sources see in two handsets at once
-- has to stand as such on whoever holds it. Counts are kept by the minute for a day and two hours, so that they do not grow.
-- Safe beside the release before: tables that it does not know; what comes to it meanwhile is not counted.
create table sighting_source (
  operator_id       uuid not null references operator,
  source            text not null,
  first_received_at timestamptz not null,
  last_received_at  timestamptz not null,
  last_seen_at      timestamptz,                          -- by the source's own clock; null: it tells no times
  primary key (operator_id, source)
);

create table sighting_minute (
  operator_id uuid not null references operator,
  source      text not null,
  minute      timestamptz not null,
  received    bigint not null,
  changed     bigint not null,                            -- of which orders were opened
  refused     bigint not null,
  lagging     bigint not null,                            -- whose lag was looked at
  lag_ms      bigint not null,                            -- sum of theirs
  lag_ms_max  bigint not null,
  primary key (operator_id, source, minute)
);
create index sighting_minute_by_time on sighting_minute (minute);

create table special_imei_day (                           -- sightings with a number that names no handset, which are refused
  operator_id uuid not null references operator,
  day         date not null,
  class       text not null,                              -- kernel/detection/special-imei.ts
  source      text not null,
  times       bigint not null,
  last_at     timestamptz not null,
  primary key (operator_id, day, class, source)
);
create index special_imei_day_by_day on special_imei_day (day);

create table sighting_conflict (                          -- two sources that see one SIM in two handsets
  id              uuid primary key,
  operator_id     uuid not null references operator,
  subscriber_id   uuid not null references subscriber,
  device_id       uuid not null references device,        -- where the one sees it
  source          text not null,
  other_device_id uuid not null references device,
  other_source    text not null,
  rule            text not null,                          -- kernel/detection/conflict.ts
  found_at        timestamptz not null,
  last_at         timestamptz not null,
  times           integer not null
);
create unique index sighting_conflict_of_pair on sighting_conflict (subscriber_id, source, other_source, device_id, other_device_id);
create index sighting_conflict_by_id on sighting_conflict (operator_id, id desc);
