-- Why: a bearer decides how large a message may be and by which channel it goes: what was decided stands with the message,
-- and its parts are cut again as they were cut first. A market is that of the network where the device is, so the network
-- stands with the stay and with the order. And an operator's own Wi-Fi is a setting beside its access points.
-- Safe beside the release before: columns that may be empty and a table that it does not know. What it writes has no bearer
-- and no place: such messages are cut as before, and such orders go by the home of their SIM.

alter table payload add column bearer text;              -- what carries it to the device
alter table payload add column channel text;             -- narrowband or wideband
alter table payload add column channel_rule text;        -- by which rule
alter table payload add column part_octets integer;      -- of one short message; null: 140

-- next transaction
alter table provisioning_order add column serving_plmn text; -- MCC and MNC of the network where the device was when it was opened

-- next transaction
alter table pairing add column serving_plmn text;            -- where the SIM was seen in this handset last

-- next transaction
create table wireless_network (
  id          uuid primary key,
  operator_id uuid not null references operator,
  body        jsonb not null,                                -- name, SSID, security, models
  key_sealed  bytea,                                         -- its passphrase; null where it is open
  made_by     text not null,
  made_at     timestamptz not null default now(),
  retired_at  timestamptz
);
create index wireless_network_of_operator on wireless_network (operator_id, id) where retired_at is null;
-- It is remembered with the operator's access points.
create trigger wireless_network_changed after insert or update or delete on wireless_network
  for each row execute function note_change('access_points');

-- next transaction
create index provisioning_order_by_market on provisioning_order (operator_id, market, id desc) where market is not null;
