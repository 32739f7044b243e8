-- Why: a device that takes its settings by OMA DM opens sessions here. What both sides share of it (names, hashes of passwords, nonces)
-- and the session that is under way stand sealed in one row a device; what an order has to set on it, in one row an item, until it is set.
-- Messages of kind `bootstrap` bring a device its account, those of kind `wake` ask it for a session (package 0).
-- Safe beside the release before: it knows neither table, and cuts such a payload as any other push. The checks are added without
-- reading the tables, since the old ones were stricter.
create table management_account (
  id uuid primary key,
  operator_id uuid not null references operator (id),
  device_id uuid not null references device (id),
  token_hash bytea not null unique,                               -- of the address at which the device speaks
  sealed bytea not null,                                          -- names, hashes, nonces; the session under way
  version integer not null,                                       -- of two messages at once the second finds it raised
  session_until timestamptz,                                      -- a session that is silent for longer has ended
  failures integer not null,                                      -- proofs in a row that were none
  proved_at timestamptz,                                          -- when the device first proved itself
  updated_at timestamptz not null,
  unique (operator_id, device_id)
);

create table management_task (
  id uuid primary key,
  operator_id uuid not null references operator (id),
  account_id uuid not null references management_account (id),
  order_id uuid not null,
  item_id uuid not null,
  settings_sealed bytea not null,                                 -- what is to be set
  expires_at timestamptz not null,
  opened_at timestamptz,                                          -- when the device first asked for it
  ended_at timestamptz,                                           -- when it was set, or refused
  created_at timestamptz not null
);
create index management_task_open on management_task (account_id, id) where ended_at is null;
create index management_task_order on management_task (order_id);

alter table message drop constraint message_kind_check;
alter table message add constraint message_kind_check
  check (kind in ('settings', 'key', 'package', 'link', 'pin_notice', 'text', 'notice', 'bootstrap', 'wake')) not valid;
alter table payload drop constraint payload_kind_check;
alter table payload add constraint payload_kind_check
  check (kind in ('settings', 'key', 'package', 'link', 'pin_notice', 'text', 'notice', 'bootstrap', 'wake')) not valid;
alter table payload drop constraint payload_protocol_check;
alter table payload add constraint payload_protocol_check
  check (protocol in ('omacp', 'nokiaota', 'device_key', 'multipart', 'text', 'notice', 'si', 'sl', 'omadm')) not valid;
