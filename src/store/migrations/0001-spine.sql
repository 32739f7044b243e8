-- Why: the spine. Who asks (operator, api_token), what is known of devices and networks (dataset and the tables
-- it fills), who was seen with what (subscriber, device, pairing, sighting), what is done about it
-- (provisioning_order, order_item, order_event, device_key, payload, message, message_part, outbound_call),
-- and who pays whom (charge, posting).
-- Rules that hold everywhere: every row belongs to an operator and is read only with its operator_id; identifiers of
-- people and phones stand only in subscriber and device, sealed beside a blind index; ids are UUIDv7, so they
-- sort by time and lists page by them; money is integer minor units; times are timestamptz.

create table operator (
  id          uuid primary key,
  slug        text not null unique check (slug ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
  name        text not null,
  kind        text not null check (kind in ('mno', 'mvno', 'secondary', 'tertiary')),
  home_plmns  text[] not null default '{}',           -- 'MCC-MNC' of the SIMs it issues
  created_at  timestamptz not null default now()
);

create table operator_policy (
  operator_id uuid not null references operator,
  version     integer not null check (version > 0),
  body        jsonb not null,                         -- kernel/order/policy.ts gives its shape
  made_by     text not null,
  made_at     timestamptz not null default now(),
  primary key (operator_id, version)
);

create table api_token (
  id           uuid primary key,
  operator_id  uuid not null references operator,
  hash         bytea not null unique,                 -- SHA-256 of the token; the token itself is shown once
  role         text not null check (role in ('admin', 'engineer', 'care', 'probe', 'maker')),
  label        text not null,
  created_at   timestamptz not null default now(),
  expires_at   timestamptz,
  revoked_at   timestamptz,
  last_used_at timestamptz
);
create index api_token_of_operator on api_token (operator_id, id);

create table audit (
  id           uuid primary key,
  operator_id  uuid not null references operator,
  actor        text not null,                         -- token label, 'cli' or 'system'
  action       text not null,
  subject      text not null,
  detail       jsonb not null default '{}',
  at           timestamptz not null default now()
);
create index audit_by_time on audit (operator_id, id desc);

-- What is known of devices and networks. operator_id null = shipped with the product.

create table dataset (
  id           uuid primary key,
  operator_id  uuid references operator,
  kind         text not null,
  name         text not null,
  version      text not null,
  sha256       bytea not null,
  licence      text not null,
  row_count    integer not null,
  refused      integer not null default 0,
  loaded_at    timestamptz not null default now(),
  retired_at   timestamptz                            -- a newer import took its place
);
create unique index dataset_current on dataset (coalesce(operator_id, '00000000-0000-0000-0000-000000000000'), kind, name)
  where retired_at is null;

create table dataset_row (
  dataset_id   uuid not null references dataset on delete cascade,
  line         integer not null,                      -- of the file it came from
  key          text not null,                         -- TAC, MCC-MNC or make: what it is looked up by
  body         jsonb not null,                        -- the columns of its kind, see data/README.md
  primary key (dataset_id, line)
);
create index dataset_row_by_key on dataset_row (dataset_id, key);

create table device_override (
  id           uuid primary key,
  operator_id  uuid not null references operator,
  scope        text not null check (scope in ('imei', 'tac', 'model')),
  key          text not null,                         -- TAC, 'make/model', or the hex of the blind index of an IMEI
  body         jsonb not null,                        -- verdict and facts that stand above all data
  why          text not null,
  made_by      text not null,
  made_at      timestamptz not null default now(),
  unique (operator_id, scope, key)
);

create table relation (                               -- what this operator has agreed with a manufacturer
  id            uuid primary key,
  operator_id   uuid not null references operator,
  make          text not null,
  deal          boolean not null,                     -- false: even a new device counts as left behind (201, row 88)
  key_source    text not null check (key_source in ('own', 'maker', 'none')),
  key_server    text,                                 -- https URL of the manufacturer's key server
  access_points jsonb not null default '[]',          -- for keys of the own store
  app_hosts     text[] not null default '{}',         -- the manufacturer's servers its applications must reach
  key_issuers   jsonb not null default '{}',          -- issuer name -> its Ed25519 public key (SPKI, base64)
  fee_minor     bigint not null check (fee_minor >= 0),
  currency      text not null check (currency ~ '^[A-Z]{3}$'),
  fee_level     text not null check (fee_level in ('delivered', 'opened', 'works')),
  portion_basis_points integer not null check (portion_basis_points between 0 and 10000),
  unique (operator_id, make)
);

create table access_point (                           -- the operator's own, always before shipped sets
  id           uuid primary key,
  operator_id  uuid not null references operator,
  body         jsonb not null,                        -- kernel/settings AccessPoint; secrets inside are sealed
  made_by      text not null,
  made_at      timestamptz not null default now(),
  retired_at   timestamptz
);
create index access_point_of_operator on access_point (operator_id, id) where retired_at is null;

-- Who was seen with what.

create table subscriber (
  id             uuid primary key,
  operator_id    uuid not null references operator,
  imsi_index     bytea not null,
  imsi_sealed    bytea not null,
  msisdn_index   bytea,
  msisdn_sealed  bytea,
  iccid_sealed   bytea,
  home_plmn      text not null,
  gid1           text,
  spn            text,
  created_at     timestamptz not null default now(),
  unique (operator_id, imsi_index)
);
create index subscriber_by_msisdn on subscriber (operator_id, msisdn_index) where msisdn_index is not null;

create table device (
  id             uuid primary key,
  operator_id    uuid not null references operator,
  imei_index     bytea not null,                      -- of the first 14 digits: the part that never varies
  imei_sealed    bytea not null,
  tac            text not null check (tac ~ '^[0-9]{8}$'),
  software_version text,
  created_at     timestamptz not null default now(),
  unique (operator_id, imei_index)
);
create index device_by_tac on device (operator_id, tac, id);

create table pairing (
  id             uuid primary key,
  operator_id    uuid not null,
  subscriber_id  uuid not null references subscriber,
  device_id      uuid not null references device,
  first_seen_at  timestamptz not null,
  last_seen_at   timestamptz not null,
  since          timestamptz not null,                -- start of the present stay of the SIM in this handset
  is_current     boolean not null,
  unique (subscriber_id, device_id)
) with (fillfactor = 80);
create unique index pairing_current on pairing (subscriber_id) where is_current;
create index pairing_of_device on pairing (device_id);

create table sighting (                               -- those that changed something; the rest only move last_seen_at
  id             uuid not null,
  operator_id    uuid not null,
  subscriber_id  uuid not null,
  device_id      uuid not null,
  serving_plmn   text not null,
  source         text not null,
  outcome        text not null check (outcome in ('first_registration', 'sim_moved', 'late')),
  seen_at        timestamptz not null,
  received_at    timestamptz not null default now(),
  primary key (id, seen_at)
) partition by range (seen_at);
create table sighting_default partition of sighting default;
create index sighting_of_subscriber on sighting (operator_id, subscriber_id, seen_at desc);

-- What is done about it.

create table provisioning_order (
  id             uuid primary key,
  operator_id    uuid not null references operator,
  subscriber_id  uuid not null references subscriber,
  device_id      uuid not null references device,
  cause          text not null check (cause in ('first_registration', 'sim_moved', 'requested')),
  idempotency_key text,
  network_kind   text not null check (network_kind in ('mno', 'mvno', 'secondary', 'tertiary')),
  market         text,                                -- ISO country where the region rule marked it
  state          text not null check (state in ('received', 'waiting', 'provisioning', 'completed', 'partly_completed', 'failed', 'cancelled')),
  reason         text not null,                       -- why it stands where it stands
  next_action    text not null,
  due_at         timestamptz,                         -- when the next action is taken; null only in a final state
  deadline_at    timestamptz,                         -- when it ends at the latest; null only in a final state
  attempts       integer not null default 0,
  make           text,
  model          text,
  verdict        text check (verdict in ('ended', 'supported', 'unknown')),
  verdict_reasons jsonb,
  created_at     timestamptz not null,
  updated_at     timestamptz not null,
  ended_at       timestamptz,
  constraint order_never_stands_still check
    (state in ('completed', 'partly_completed', 'failed', 'cancelled') or (due_at is not null and deadline_at is not null))
) with (fillfactor = 70);
create index provisioning_order_due on provisioning_order (due_at) where due_at is not null;
create index provisioning_order_by_id on provisioning_order (operator_id, id desc);
create index provisioning_order_by_state on provisioning_order (operator_id, state, id desc);
create index provisioning_order_of_subscriber on provisioning_order (subscriber_id, id desc);
create index provisioning_order_of_device on provisioning_order (device_id, id desc);
create unique index provisioning_order_once on provisioning_order (operator_id, idempotency_key) where idempotency_key is not null;

create table payload (
  id             uuid primary key,
  operator_id    uuid not null,
  kind           text not null check (kind in ('settings', 'key', 'package', 'link', 'pin_notice', 'text')),
  protocol       text not null check (protocol in ('omacp', 'nokiaota', 'device_key', 'multipart', 'text')),
  sec            text check (sec in ('netwpin', 'userpin', 'usernetwpin', 'userpinmac')),
  octets         integer not null,
  sealed         bytea not null,                      -- what is sent holds secrets and can betray an IMSI
  created_at     timestamptz not null
);

create table order_item (
  id             uuid primary key,
  operator_id    uuid not null,
  order_id       uuid not null references provisioning_order,
  kind           text not null check (kind in ('settings', 'key')),
  state          text not null check (state in ('pending', 'waiting_for_key', 'sending', 'delivered', 'opened', 'works', 'failed', 'cancelled')),
  cause          text,                                -- stable code where failed or waiting
  reason         text not null,
  next_action    text not null,
  deadline_at    timestamptz,
  attempt        integer not null default 0,
  message_id     uuid,                                -- the message that carries it now
  key_id         uuid,
  apns           text[] not null default '{}',        -- lower case; traffic on one of them proves that it works
  updated_at     timestamptz not null
) with (fillfactor = 60);
create index order_item_of_order on order_item (order_id);
create index order_item_of_message on order_item (message_id) where message_id is not null;
create index order_item_of_key on order_item (key_id) where key_id is not null;

create table order_event (                            -- append-only: the history of an order
  id             uuid not null,
  operator_id    uuid not null,
  order_id       uuid not null,
  item_id        uuid,
  kind           text not null,
  state          text,
  reason         text not null,
  evidence       text,                                -- for confirmations: who saw it
  detail         jsonb,
  at             timestamptz not null,
  primary key (order_id, id)                          -- read by order, in order; one index, since it is written most
);

create table device_key (
  id             uuid primary key,
  operator_id    uuid not null,
  order_id       uuid not null,
  device_id      uuid not null references device,
  source         text not null check (source in ('own', 'maker')),
  issuer         text not null,
  reference      bytea not null,                      -- first 8 octets of its id: what a device report names
  sealed         bytea not null,                      -- the key as it is sent
  state          text not null check (state in ('issued', 'downloaded', 'used', 'deleted', 'revoked')),
  not_after      timestamptz not null,
  issued_at      timestamptz not null,
  updated_at     timestamptz not null
);
create index device_key_of_device on device_key (device_id, id desc);
create index device_key_by_reference on device_key (reference);

create table message (
  id             uuid primary key,
  operator_id    uuid not null,
  order_id       uuid,
  subscriber_id  uuid,
  destination_sealed bytea,                           -- for a message outside an order
  payload_id     uuid not null references payload,
  kind           text not null check (kind in ('settings', 'key', 'package', 'link', 'pin_notice', 'text')),
  idempotency_key text not null,
  reference      integer not null check (reference between 0 and 65535), -- of concatenation: the same at every resend
  part_count     integer not null check (part_count between 1 and 255),
  state          text not null check (state in ('queued', 'submitting', 'submitted', 'delivered', 'failed', 'expired', 'cancelled')),
  reason         text not null,
  due_at         timestamptz,                         -- null once submitted or ended
  lease_until    timestamptz,
  attempts       integer not null default 0,
  expires_at     timestamptz not null,
  created_at     timestamptz not null,
  updated_at     timestamptz not null,
  unique (operator_id, idempotency_key)
) with (fillfactor = 70);
create index message_due on message (due_at) where due_at is not null;
create index message_of_order on message (order_id) where order_id is not null;
create index message_in_flight on message (expires_at) where state in ('queued', 'submitting', 'submitted');

create table message_part (                           -- one submit_sm that the SMSC has taken
  message_id     uuid not null references message,
  sequence       integer not null,
  smsc           text not null,
  smsc_message_id text not null,
  state          text not null check (state in ('accepted', 'delivered', 'failed', 'expired')),
  error_code     text,
  accepted_at    timestamptz not null,
  done_at        timestamptz,
  primary key (message_id, sequence)
) with (fillfactor = 80);
create index message_part_by_smsc_id on message_part (smsc, smsc_message_id);

create table unmatched_receipt (                      -- came before the submit_sm_resp was booked, or after a crash
  smsc            text not null,
  smsc_message_id text not null,
  state           text not null,
  error_code      text,
  received_at     timestamptz not null default now(),
  primary key (smsc, smsc_message_id)
);

create table outbound_call (                          -- what other companies' machines are asked or told
  id             uuid primary key,
  operator_id    uuid not null,
  order_id       uuid,
  item_id        uuid,
  kind           text not null check (kind in ('key_request', 'download_notice', 'fee_request', 'portion_payment', 'remittance_notice')),
  idempotency_key text not null,
  body           jsonb not null,                      -- ids and amounts only, never an identifier
  state          text not null check (state in ('due', 'done', 'refused', 'given_up')),
  reason         text not null,
  due_at         timestamptz,
  lease_until    timestamptz,
  attempts       integer not null default 0,
  deadline_at    timestamptz not null,
  created_at     timestamptz not null,
  updated_at     timestamptz not null,
  unique (operator_id, kind, idempotency_key)
) with (fillfactor = 70);
create index outbound_call_due on outbound_call (kind, due_at) where due_at is not null;
create index outbound_call_of_order on outbound_call (order_id) where order_id is not null;

-- Who pays whom.

create table charge (
  id             uuid primary key,
  operator_id    uuid not null,
  order_id       uuid not null,
  item_id        uuid not null unique,                -- a repeated confirmation bills nothing twice
  make           text not null,
  key_source     text not null check (key_source in ('own', 'maker')),
  fee_minor      bigint not null check (fee_minor >= 0),
  portion_minor  bigint not null check (portion_minor between 0 and fee_minor),
  currency       text not null check (currency ~ '^[A-Z]{3}$'),
  level          text not null check (level in ('delivered', 'opened', 'works')),
  state          text not null check (state in ('requested', 'paid', 'refused', 'settled')),
  reason         text not null,
  bank_reference text,
  payout_reference text,
  created_at     timestamptz not null,
  updated_at     timestamptz not null,
  constraint own_key_pays_no_portion check (key_source = 'maker' or portion_minor = 0)
);
create index charge_by_id on charge (operator_id, id desc);

create table posting (
  id             uuid primary key,
  operator_id    uuid not null,
  reference      text not null,                       -- what it books, once
  charge_id      uuid not null references charge,
  debit          text not null,
  credit         text not null,
  amount_minor   bigint not null check (amount_minor > 0),
  currency       text not null check (currency ~ '^[A-Z]{3}$'),
  booked_at      timestamptz not null,
  unique (operator_id, reference),
  constraint posting_has_two_sides check (debit <> credit)
);
create index posting_by_id on posting (operator_id, id desc);
create index posting_by_debit on posting (operator_id, debit, currency);
create index posting_by_credit on posting (operator_id, credit, currency);

create table link (                                   -- readable settings behind an unguessable address
  id             uuid primary key,
  operator_id    uuid not null,
  order_id       uuid not null,
  item_id        uuid not null,
  token_hash     bytea not null unique,
  settings_sealed bytea not null,                     -- what the page shows
  expires_at     timestamptz not null,
  opened_at      timestamptz
);
create index link_of_order on link (order_id);
