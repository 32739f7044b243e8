-- The tables as the migrations leave them: to read, not to run. Written by
--   UPDATE_SCHEMA=1 npx vitest run src/store/database/schema.test.ts

create table access_point (
  id uuid not null,
  operator_id uuid not null,
  body jsonb not null,
  made_by text not null,
  made_at timestamp with time zone not null default now(),
  retired_at timestamp with time zone,
  constraint access_point_pkey PRIMARY KEY (id),
  constraint access_point_operator_id_fkey FOREIGN KEY (operator_id) REFERENCES operator(id)
);
create index access_point_of_operator ON access_point USING btree (operator_id, id) WHERE (retired_at IS NULL);

create table access_point_use (
  operator_id uuid not null,
  plmn text not null,
  spn text not null,
  gid1 text not null,
  apn text not null,
  used_by bytea not null,
  sessions bigint not null default 0,
  first_seen_at timestamp with time zone,
  last_seen_at timestamp with time zone,
  failed_for bytea not null,
  failures bigint not null default 0,
  last_failed_at timestamp with time zone,
  last_failure text,
  constraint access_point_use_pkey PRIMARY KEY (operator_id, plmn, spn, gid1, apn),
  constraint access_point_use_operator_id_fkey FOREIGN KEY (operator_id) REFERENCES operator(id)
);

create table api_request (
  operator_id uuid not null,
  scope text not null,
  key_hash bytea not null,
  fingerprint bytea not null,
  subject_id uuid not null,
  status integer,
  answer jsonb,
  begun_at timestamp with time zone not null,
  constraint api_request_pkey PRIMARY KEY (operator_id, scope, key_hash),
  constraint api_request_operator_id_fkey FOREIGN KEY (operator_id) REFERENCES operator(id)
);
create index api_request_by_age ON api_request USING btree (begun_at);

create table api_token (
  id uuid not null,
  operator_id uuid not null,
  hash bytea not null,
  role text not null,
  label text not null,
  created_at timestamp with time zone not null default now(),
  expires_at timestamp with time zone,
  revoked_at timestamp with time zone,
  last_used_at timestamp with time zone,
  make text,
  person text,
  vouched_by text[] not null default '{}'::text[],
  constraint api_token_pkey PRIMARY KEY (id),
  constraint api_token_hash_key UNIQUE (hash),
  constraint api_token_operator_id_fkey FOREIGN KEY (operator_id) REFERENCES operator(id),
  constraint api_token_role_check CHECK ((role = ANY (ARRAY['admin'::text, 'engineer'::text, 'care'::text, 'probe'::text, 'maker'::text, 'representative'::text, 'partner'::text, 'voice'::text])))
);
create index api_token_of_operator ON api_token USING btree (operator_id, id);

create table approval (
  id uuid not null,
  operator_id uuid not null,
  kind text not null,
  subject text not null,
  state text not null,
  title text not null,
  summary jsonb not null,
  digest bytea not null,
  reason text not null,
  roles text[] not null,
  second_person boolean not null,
  asked_by text not null,
  asked_by_person text,
  asked_by_vouched text[] not null default '{}'::text[],
  asked_at timestamp with time zone not null,
  expires_at timestamp with time zone not null,
  decided_by text,
  decided_by_person text,
  decided_at timestamp with time zone,
  decision_reason text,
  constraint approval_pkey PRIMARY KEY (id),
  constraint approval_operator_id_fkey FOREIGN KEY (operator_id) REFERENCES operator(id),
  constraint approval_decided CHECK (((decided_at IS NULL) = (state = 'waiting'::text))),
  constraint approval_names_its_asker CHECK (((NOT second_person) OR (asked_by_person IS NOT NULL))),
  constraint approval_state_check CHECK ((state = ANY (ARRAY['waiting'::text, 'approved'::text, 'refused'::text, 'expired'::text, 'withdrawn'::text])))
);
create index approval_by_id ON approval USING btree (operator_id, id DESC);
create unique index approval_once ON approval USING btree (operator_id, kind, subject) WHERE (state = 'waiting'::text);
create index approval_waiting ON approval USING btree (expires_at) WHERE (state = 'waiting'::text);

create table audit (
  id uuid not null,
  operator_id uuid not null,
  actor text not null,
  action text not null,
  subject text not null,
  detail jsonb not null default '{}'::jsonb,
  at timestamp with time zone not null default now(),
  constraint audit_pkey PRIMARY KEY (id)
) partition by RANGE (id);
create index audit_by_time ON audit USING btree (operator_id, id DESC);

create table bank_entry (
  id uuid not null,
  operator_id uuid not null,
  entry_key text not null,
  source text not null,
  end_to_end_id text,
  transfer_id uuid,
  amount_minor bigint,
  currency text,
  direction text,
  booked_on date,
  outcome text not null,
  reason text not null,
  file_sha256 bytea not null,
  imported_by text not null,
  imported_at timestamp with time zone not null,
  constraint bank_entry_pkey PRIMARY KEY (id),
  constraint bank_entry_operator_id_entry_key_key UNIQUE (operator_id, entry_key),
  constraint bank_entry_operator_id_fkey FOREIGN KEY (operator_id) REFERENCES operator(id),
  constraint bank_entry_transfer_id_fkey FOREIGN KEY (transfer_id) REFERENCES payment_transfer(id),
  constraint bank_entry_direction_check CHECK ((direction = ANY (ARRAY['debit'::text, 'credit'::text])))
);
create index bank_entry_by_id ON bank_entry USING btree (operator_id, id DESC);
create index bank_entry_of_transfer ON bank_entry USING btree (transfer_id) WHERE (transfer_id IS NOT NULL);

create table card_try (
  operator_id uuid not null,
  kind text not null,
  key bytea not null,
  try_id uuid not null,
  card bytea not null,
  outcome text not null,
  at timestamp with time zone not null,
  constraint card_try_pkey PRIMARY KEY (operator_id, kind, key, try_id),
  constraint card_try_operator_id_fkey FOREIGN KEY (operator_id) REFERENCES operator(id),
  constraint card_try_kind_check CHECK ((kind = ANY (ARRAY['session'::text, 'number'::text, 'device'::text, 'card'::text, 'address'::text, 'token'::text]))),
  constraint card_try_outcome_check CHECK ((outcome = ANY (ARRAY['asked'::text, 'accepted'::text, 'refused'::text])))
);
create index card_try_by_id ON card_try USING btree (try_id);
create index card_try_by_time ON card_try USING btree (at);

create table catalog_content (
  operator_id uuid not null,
  sha256 bytea not null,
  octets bytea not null,
  made_at timestamp with time zone not null,
  constraint catalog_content_pkey PRIMARY KEY (operator_id, sha256),
  constraint catalog_content_operator_id_fkey FOREIGN KEY (operator_id) REFERENCES operator(id)
);

create table catalog_item (
  operator_id uuid not null,
  item_id text not null,
  version integer not null,
  kind text not null,
  body jsonb not null,
  made_by text not null,
  made_at timestamp with time zone not null,
  retired_at timestamp with time zone,
  constraint catalog_item_pkey PRIMARY KEY (operator_id, item_id, version),
  constraint catalog_item_operator_id_fkey FOREIGN KEY (operator_id) REFERENCES operator(id),
  constraint catalog_item_item_id_check CHECK ((item_id ~ '^[a-z0-9][a-z0-9-]{0,62}$'::text)),
  constraint catalog_item_kind_check CHECK ((kind = ANY (ARRAY['feature'::text, 'service'::text, 'package'::text]))),
  constraint catalog_item_version_check CHECK ((version > 0))
);
create unique index catalog_item_current ON catalog_item USING btree (operator_id, item_id) WHERE (retired_at IS NULL);

create table change (
  operator_id uuid not null,
  tx xid8 not null default pg_current_xact_id(),
  id uuid not null default change_id(),
  subject text not null,
  changes json not null,
  constraint change_pkey PRIMARY KEY (operator_id, tx, id),
  constraint change_subject_check CHECK ((subject = ANY (ARRAY['message'::text, 'charge'::text, 'registration'::text, 'webhook'::text])))
);

create table change_version (
  operator_id uuid not null,
  kind text not null,
  version bigint not null,
  changed_in bigint not null,
  changed_at timestamp with time zone not null,
  constraint change_version_pkey PRIMARY KEY (operator_id, kind),
  constraint change_version_operator_id_fkey FOREIGN KEY (operator_id) REFERENCES operator(id)
);

create table charge (
  id uuid not null,
  operator_id uuid not null,
  order_id uuid not null,
  item_id uuid not null,
  make text not null,
  key_source text not null,
  fee_minor bigint not null,
  portion_minor bigint not null,
  currency text not null,
  level text not null,
  state text not null,
  reason text not null,
  bank_reference text,
  payout_reference text,
  created_at timestamp with time zone not null,
  updated_at timestamp with time zone not null,
  constraint charge_pkey PRIMARY KEY (id),
  constraint charge_item_id_key UNIQUE (item_id),
  constraint charge_check CHECK (((portion_minor >= 0) AND (portion_minor <= fee_minor))),
  constraint charge_currency_check CHECK ((currency ~ '^[A-Z]{3}$'::text)),
  constraint charge_fee_minor_check CHECK ((fee_minor >= 0)),
  constraint charge_key_source_check CHECK ((key_source = ANY (ARRAY['own'::text, 'maker'::text, 'stock'::text]))),
  constraint charge_level_check CHECK ((level = ANY (ARRAY['delivered'::text, 'opened'::text, 'works'::text]))),
  constraint charge_state_check CHECK ((state = ANY (ARRAY['requested'::text, 'paid'::text, 'refused'::text, 'settled'::text]))),
  constraint own_key_pays_no_portion CHECK (((key_source = 'maker'::text) OR (portion_minor = 0)))
);
create index charge_by_id ON charge USING btree (operator_id, id DESC);
create index charge_by_state ON charge USING btree (operator_id, state, id DESC);
create index charge_unpaid ON charge USING btree (operator_id, lower(make), id) WHERE (state = 'paid'::text);

create table collection (
  id uuid not null,
  operator_id uuid not null,
  subscriber_id uuid not null,
  order_id uuid not null,
  order_item_id uuid not null,
  catalog_id text not null,
  purpose text not null,
  period integer not null,
  amount_minor bigint not null,
  currency text not null,
  state text not null,
  attempt integer not null,
  reason text not null,
  next_action text not null,
  due_at timestamp with time zone,
  deadline_at timestamp with time zone,
  means_masked text,
  reference text,
  created_at timestamp with time zone not null,
  updated_at timestamp with time zone not null,
  card_token text,
  returned_minor bigint not null default 0,
  return_code text,
  returned_at timestamp with time zone,
  ends_means boolean not null default false,
  constraint collection_pkey PRIMARY KEY (id),
  constraint collection_operator_id_fkey FOREIGN KEY (operator_id) REFERENCES operator(id),
  constraint collection_subscriber_id_fkey FOREIGN KEY (subscriber_id) REFERENCES subscriber(id),
  constraint collection_amount_minor_check CHECK ((amount_minor > 0)),
  constraint collection_currency_check CHECK ((currency ~ '^[A-Z]{3}$'::text)),
  constraint collection_never_stands_still CHECK (((deadline_at IS NULL) = (state = ANY (ARRAY['taken'::text, 'refused'::text, 'unknown'::text, 'partly_returned'::text, 'returned'::text])))),
  constraint collection_period_check CHECK ((period >= 0)),
  constraint collection_purpose_check CHECK ((purpose = ANY (ARRAY['order'::text, 'renewal'::text]))),
  constraint collection_returned_check CHECK (((returned_minor >= 0) AND (returned_minor <= amount_minor))),
  constraint collection_state_check CHECK ((state = ANY (ARRAY['asked'::text, 'waiting'::text, 'taken'::text, 'refused'::text, 'unknown'::text, 'partly_returned'::text, 'returned'::text]))),
  constraint collection_waits_for_a_time CHECK (((due_at IS NULL) = (state <> 'waiting'::text)))
);
create index collection_by_id ON collection USING btree (operator_id, id DESC);
create index collection_by_reference ON collection USING btree (operator_id, reference) WHERE (reference IS NOT NULL);
create index collection_of_subscriber ON collection USING btree (operator_id, subscriber_id, id DESC);
create unique index collection_once ON collection USING btree (order_item_id, period);
create index collection_to_see_to ON collection USING btree (operator_id, id DESC) WHERE (state = ANY (ARRAY['refused'::text, 'unknown'::text, 'partly_returned'::text, 'returned'::text]));
create index collection_waiting ON collection USING btree (due_at) WHERE (state = 'waiting'::text);

create table collection_return (
  id uuid not null,
  operator_id uuid not null,
  entry_key text not null,
  source text not null,
  kind text not null,
  named text[] not null,
  collection_id uuid,
  amount_minor bigint,
  currency text,
  code text,
  returned_on date,
  outcome text not null,
  reason text not null,
  told_by text not null,
  told_at timestamp with time zone not null,
  constraint collection_return_pkey PRIMARY KEY (id),
  constraint collection_return_operator_id_entry_key_key UNIQUE (operator_id, entry_key),
  constraint collection_return_collection_id_fkey FOREIGN KEY (collection_id) REFERENCES collection(id),
  constraint collection_return_operator_id_fkey FOREIGN KEY (operator_id) REFERENCES operator(id),
  constraint collection_return_kind_check CHECK ((kind = ANY (ARRAY['return'::text, 'chargeback'::text]))),
  constraint collection_return_outcome_check CHECK ((outcome = ANY (ARRAY['booked'::text, 'confirmed'::text, 'unknown'::text, 'mismatch'::text, 'conflict'::text, 'settled'::text]))),
  constraint collection_return_source_check CHECK ((source = ANY (ARRAY['payment_provider'::text, 'camt.054'::text, 'camt.053'::text])))
);
create index collection_return_by_id ON collection_return USING btree (operator_id, id DESC);
create index collection_return_of ON collection_return USING btree (collection_id) WHERE (collection_id IS NOT NULL);
create index collection_return_to_see_to ON collection_return USING btree (operator_id, id DESC) WHERE (outcome = ANY (ARRAY['unknown'::text, 'mismatch'::text, 'conflict'::text]));

create table collection_return_asking (
  operator_id uuid not null,
  cursor text,
  due_at timestamp with time zone not null,
  asked_at timestamp with time zone,
  failure text,
  constraint collection_return_asking_pkey PRIMARY KEY (operator_id),
  constraint collection_return_asking_operator_id_fkey FOREIGN KEY (operator_id) REFERENCES operator(id)
);

create table consent (
  id uuid not null,
  operator_id uuid not null,
  order_id uuid not null,
  terms_id text not null,
  terms_version integer not null,
  language text not null,
  text text not null,
  code text not null,
  sent_by text[] not null default '{}'::text[],
  asked_at timestamp with time zone not null,
  answer text,
  answered_by text,
  answered_at timestamp with time zone,
  payload_id uuid,
  constraint consent_pkey PRIMARY KEY (id),
  constraint consent_order_id_fkey FOREIGN KEY (order_id) REFERENCES provisioning_order(id),
  constraint consent_answer_check CHECK ((answer = ANY (ARRAY['accept'::text, 'decline'::text])))
);
create index consent_of_order ON consent USING btree (order_id);

create table console_session (
  id uuid not null,
  operator_id uuid not null,
  token_id uuid not null,
  hash bytea not null,
  browser text not null,
  created_at timestamp with time zone not null,
  last_seen_at timestamp with time zone not null,
  ended_at timestamp with time zone,
  ended_by text,
  constraint console_session_pkey PRIMARY KEY (id),
  constraint console_session_hash_key UNIQUE (hash),
  constraint console_session_operator_id_fkey FOREIGN KEY (operator_id) REFERENCES operator(id),
  constraint console_session_token_id_fkey FOREIGN KEY (token_id) REFERENCES api_token(id) ON DELETE CASCADE
);
create index console_session_of_operator ON console_session USING btree (operator_id, id);
create index console_session_of_token ON console_session USING btree (token_id);

create table creditor (
  id uuid not null,
  operator_id uuid not null,
  make text,
  sealed bytea not null,
  masked text not null,
  made_by text not null,
  made_at timestamp with time zone not null,
  account_changed_at timestamp with time zone,
  account_changed_by jsonb,
  account_seen_at timestamp with time zone,
  constraint creditor_pkey PRIMARY KEY (id),
  constraint creditor_operator_id_fkey FOREIGN KEY (operator_id) REFERENCES operator(id)
);
create unique index creditor_once ON creditor USING btree (operator_id, lower(COALESCE(make, ''::text)));

create table dataset (
  id uuid not null,
  operator_id uuid,
  kind text not null,
  name text not null,
  version text not null,
  sha256 bytea not null,
  licence text not null,
  row_count integer not null,
  refused integer not null default 0,
  loaded_at timestamp with time zone not null default now(),
  retired_at timestamp with time zone,
  live_at timestamp with time zone default now(),
  is_gsma boolean not null default false,
  import_job uuid,
  constraint dataset_pkey PRIMARY KEY (id),
  constraint dataset_operator_id_fkey FOREIGN KEY (operator_id) REFERENCES operator(id)
);
create unique index dataset_current ON dataset USING btree (COALESCE(operator_id, '00000000-0000-0000-0000-000000000000'::uuid), kind, name) WHERE (retired_at IS NULL);

create table dataset_row (
  dataset_id uuid not null,
  line integer not null,
  key text not null,
  body jsonb not null,
  constraint dataset_row_pkey PRIMARY KEY (dataset_id, line),
  constraint dataset_row_dataset_id_fkey FOREIGN KEY (dataset_id) REFERENCES dataset(id) ON DELETE CASCADE
);
create index dataset_row_by_key ON dataset_row USING btree (dataset_id, key);

create table device (
  id uuid not null,
  operator_id uuid not null,
  imei_index bytea not null,
  imei_sealed bytea not null,
  tac text not null,
  software_version text,
  created_at timestamp with time zone not null default now(),
  constraint device_pkey PRIMARY KEY (id),
  constraint device_operator_id_imei_index_key UNIQUE (operator_id, imei_index),
  constraint device_tac_check CHECK ((tac ~ '^[0-9]{8}$'::text))
);
create index device_by_tac ON device USING btree (operator_id, tac, id);

create table device_key (
  id uuid not null,
  operator_id uuid not null,
  order_id uuid not null,
  device_id uuid not null,
  source text not null,
  issuer text not null,
  reference bytea not null,
  sealed bytea not null,
  state text not null,
  not_after timestamp with time zone not null,
  issued_at timestamp with time zone not null,
  updated_at timestamp with time zone not null,
  constraint device_key_pkey PRIMARY KEY (id),
  constraint device_key_device_id_fkey FOREIGN KEY (device_id) REFERENCES device(id),
  constraint device_key_source_check CHECK ((source = ANY (ARRAY['own'::text, 'maker'::text, 'stock'::text]))),
  constraint device_key_state_check CHECK ((state = ANY (ARRAY['issued'::text, 'downloaded'::text, 'used'::text, 'deleted'::text, 'revoked'::text])))
);
create index device_key_by_reference ON device_key USING btree (reference);

create table device_override (
  id uuid not null,
  operator_id uuid not null,
  scope text not null,
  key text not null,
  body jsonb not null,
  why text not null,
  made_by text not null,
  made_at timestamp with time zone not null default now(),
  constraint device_override_pkey PRIMARY KEY (id),
  constraint device_override_operator_id_scope_key_key UNIQUE (operator_id, scope, key),
  constraint device_override_operator_id_fkey FOREIGN KEY (operator_id) REFERENCES operator(id),
  constraint device_override_scope_check CHECK ((scope = ANY (ARRAY['imei'::text, 'tac'::text, 'model'::text])))
);
create index device_override_by_id ON device_override USING btree (operator_id, id DESC);

create table device_radio (
  device_id uuid not null,
  operator_id uuid not null,
  radio text not null,
  first_seen_at timestamp with time zone not null,
  constraint device_radio_pkey PRIMARY KEY (device_id, radio),
  constraint device_radio_device_id_fkey FOREIGN KEY (device_id) REFERENCES device(id),
  constraint device_radio_operator_id_fkey FOREIGN KEY (operator_id) REFERENCES operator(id)
);

create table device_statement (
  device_id uuid not null,
  operator_id uuid not null,
  source text not null,
  value text not null,
  days integer not null,
  first_said_at timestamp with time zone not null,
  said_at timestamp with time zone not null,
  constraint device_statement_pkey PRIMARY KEY (device_id, source),
  constraint device_statement_device_id_fkey FOREIGN KEY (device_id) REFERENCES device(id),
  constraint device_statement_operator_id_fkey FOREIGN KEY (operator_id) REFERENCES operator(id),
  constraint device_statement_days_check CHECK ((days > 0)),
  constraint device_statement_source_check CHECK ((source = ANY (ARRAY['user_agent'::text, 'ua_profile'::text, 'terminal_profile'::text, 'apple_product'::text]))),
  constraint device_statement_value_check CHECK ((length(value) <= 512))
);

create table dispute (
  id uuid not null,
  operator_id uuid not null,
  posting_id uuid not null,
  charge_id uuid not null,
  make text not null,
  raised_by text not null,
  raised_as text not null,
  reason text not null,
  state text not null,
  owner text not null,
  deadline_at timestamp with time zone,
  decided_by text,
  decision text,
  decided_at timestamp with time zone,
  claims_back boolean not null default false,
  created_at timestamp with time zone not null,
  constraint dispute_pkey PRIMARY KEY (id),
  constraint dispute_charge_id_fkey FOREIGN KEY (charge_id) REFERENCES charge(id),
  constraint dispute_operator_id_fkey FOREIGN KEY (operator_id) REFERENCES operator(id),
  constraint dispute_posting_id_fkey FOREIGN KEY (posting_id) REFERENCES posting(id),
  constraint dispute_never_stands_still CHECK (((deadline_at IS NULL) = (state <> 'open'::text))),
  constraint dispute_raised_by_check CHECK ((raised_by = ANY (ARRAY['maker'::text, 'operator'::text]))),
  constraint dispute_state_check CHECK ((state = ANY (ARRAY['open'::text, 'kept'::text, 'reversed'::text])))
);
create index dispute_by_id ON dispute USING btree (operator_id, id DESC);
create index dispute_due ON dispute USING btree (deadline_at) WHERE (deadline_at IS NOT NULL);
create index dispute_of_charge ON dispute USING btree (charge_id);
create index dispute_of_make ON dispute USING btree (operator_id, lower(make)) WHERE ((state = 'open'::text) OR claims_back);
create unique index dispute_open_once ON dispute USING btree (posting_id) WHERE (state = 'open'::text);
create unique index dispute_reversed_once ON dispute USING btree (posting_id) WHERE (state = 'reversed'::text);

create table equipment_entry (
  list_id uuid not null,
  entry_index bytea not null,
  body_index bytea not null,
  sealed bytea not null,
  owner text,
  added_in integer not null,
  removed_in integer,
  removed_at timestamp with time zone,
  constraint equipment_entry_pkey PRIMARY KEY (list_id, entry_index, added_in),
  constraint equipment_entry_list_id_fkey FOREIGN KEY (list_id) REFERENCES equipment_list(id) ON DELETE CASCADE
);
create index equipment_entry_added ON equipment_entry USING btree (list_id, added_in);
create unique index equipment_entry_in_force ON equipment_entry USING btree (list_id, entry_index) WHERE (removed_in IS NULL);
create index equipment_entry_removed ON equipment_entry USING btree (list_id, removed_in) WHERE (removed_in IS NOT NULL);

create table equipment_list (
  id uuid not null,
  operator_id uuid not null,
  name text not null,
  status text not null,
  priority integer not null,
  reason text not null,
  exchange jsonb,
  version integer not null default 0,
  oldest_version integer not null default 0,
  entries integer not null default 0,
  made_at timestamp with time zone not null,
  changed_at timestamp with time zone not null,
  changed_by text not null,
  constraint equipment_list_pkey PRIMARY KEY (id),
  constraint equipment_list_operator_id_fkey FOREIGN KEY (operator_id) REFERENCES operator(id),
  constraint equipment_list_priority_check CHECK ((priority >= 0)),
  constraint equipment_list_status_check CHECK ((status = ANY (ARRAY['white'::text, 'grey'::text, 'black'::text])))
);
create unique index equipment_list_by_name ON equipment_list USING btree (operator_id, name);
create unique index equipment_list_by_priority ON equipment_list USING btree (operator_id, priority);

create table equipment_staged (
  stage_id uuid not null,
  entry_index bytea not null,
  body_index bytea not null,
  sealed bytea not null,
  owner text,
  is_removal boolean not null,
  is_wide boolean not null,
  line integer not null,
  staged_at timestamp with time zone not null,
  constraint equipment_staged_pkey PRIMARY KEY (stage_id, entry_index)
);

create table equipment_switch (
  operator_id uuid not null,
  answers_black boolean not null,
  reason text not null,
  changed_by text not null,
  changed_at timestamp with time zone not null,
  constraint equipment_switch_pkey PRIMARY KEY (operator_id),
  constraint equipment_switch_operator_id_fkey FOREIGN KEY (operator_id) REFERENCES operator(id)
);

create table equipment_version (
  list_id uuid not null,
  version integer not null,
  made_at timestamp with time zone not null,
  made_by text not null,
  reason text not null,
  added integer not null,
  changed integer not null,
  removed integer not null,
  entries integer not null,
  constraint equipment_version_pkey PRIMARY KEY (list_id, version),
  constraint equipment_version_list_id_fkey FOREIGN KEY (list_id) REFERENCES equipment_list(id) ON DELETE CASCADE
);

create table event_feed (
  operator_id uuid not null,
  epoch uuid not null default gen_random_uuid(),
  floor xid8 not null default '0'::xid8,
  constraint event_feed_pkey PRIMARY KEY (operator_id)
);

create table former_number (
  id uuid not null,
  operator_id uuid not null,
  subscriber_id uuid not null,
  msisdn_index bytea not null,
  msisdn_sealed bytea not null,
  lost_at timestamp with time zone not null,
  new_holder_id uuid,
  constraint former_number_pkey PRIMARY KEY (id),
  constraint former_number_new_holder_id_fkey FOREIGN KEY (new_holder_id) REFERENCES subscriber(id),
  constraint former_number_subscriber_id_fkey FOREIGN KEY (subscriber_id) REFERENCES subscriber(id)
);
create index former_number_by_number ON former_number USING btree (operator_id, msisdn_index, lost_at);
create index former_number_of_subscriber ON former_number USING btree (subscriber_id, lost_at);

create table imei_doubt (
  id uuid not null,
  operator_id uuid not null,
  device_id uuid not null,
  kind text not null,
  reason text not null,
  detail jsonb not null,
  found_at timestamp with time zone not null,
  confirmed_at timestamp with time zone not null,
  ended_at timestamp with time zone,
  ended_by text,
  end_reason text,
  constraint imei_doubt_pkey PRIMARY KEY (id),
  constraint imei_doubt_device_id_fkey FOREIGN KEY (device_id) REFERENCES device(id),
  constraint imei_doubt_operator_id_fkey FOREIGN KEY (operator_id) REFERENCES operator(id),
  constraint imei_doubt_ends_by_somebody CHECK (((ended_at IS NULL) = (ended_by IS NULL))),
  constraint imei_doubt_kind_check CHECK ((kind = ANY (ARRAY['false_model'::text, 'clone'::text, 'special'::text])))
);
create index imei_doubt_by_id ON imei_doubt USING btree (operator_id, id DESC);
create index imei_doubt_of_device ON imei_doubt USING btree (device_id, id DESC);
create unique index imei_doubt_open ON imei_doubt USING btree (device_id, kind) WHERE (ended_at IS NULL);
create index imei_doubt_unconfirmed ON imei_doubt USING btree (confirmed_at) WHERE ((ended_at IS NULL) AND (kind = 'false_model'::text));

create table job (
  id uuid not null,
  operator_id uuid not null,
  kind text not null,
  state text not null,
  input jsonb not null,
  file_id uuid,
  checkpoint jsonb,
  done bigint not null default 0,
  total bigint,
  summary jsonb,
  reason text not null,
  next_action text not null,
  asked_by text not null,
  asked_by_person text,
  asked_by_vouched text[] not null default '{}'::text[],
  asked_at timestamp with time zone not null,
  started_at timestamp with time zone,
  ended_at timestamp with time zone,
  updated_at timestamp with time zone not null,
  deadline_at timestamp with time zone,
  due_at timestamp with time zone,
  lease_until timestamp with time zone,
  leased_by integer,
  claim integer not null default 0,
  attempts integer not null default 0,
  cancel_asked_by text,
  cancel_reason text,
  approval_id uuid,
  constraint job_pkey PRIMARY KEY (id),
  constraint job_operator_id_fkey FOREIGN KEY (operator_id) REFERENCES operator(id),
  constraint job_due CHECK (((due_at IS NOT NULL) = (state = ANY (ARRAY['queued'::text, 'running'::text])))),
  constraint job_ends_once CHECK (((ended_at IS NULL) = (deadline_at IS NOT NULL))),
  constraint job_never_stands_still CHECK (((deadline_at IS NULL) = (state = ANY (ARRAY['done'::text, 'failed'::text, 'cancelled'::text])))),
  constraint job_state_check CHECK ((state = ANY (ARRAY['queued'::text, 'running'::text, 'waiting_approval'::text, 'done'::text, 'failed'::text, 'cancelled'::text])))
);
create index job_by_id ON job USING btree (operator_id, id DESC);
create index job_deadline ON job USING btree (deadline_at) WHERE (deadline_at IS NOT NULL);
create index job_due ON job USING btree (due_at) WHERE (due_at IS NOT NULL);
create index job_ended ON job USING btree (ended_at) WHERE (ended_at IS NOT NULL);

create table job_file (
  id uuid not null,
  operator_id uuid not null,
  octets bigint not null,
  sha256 bytea,
  made_at timestamp with time zone not null,
  constraint job_file_pkey PRIMARY KEY (id),
  constraint job_file_operator_id_fkey FOREIGN KEY (operator_id) REFERENCES operator(id)
);
create index job_file_by_age ON job_file USING btree (made_at);

create table job_file_part (
  file_id uuid not null,
  position integer not null,
  octets bytea not null,
  constraint job_file_part_pkey PRIMARY KEY (file_id, "position"),
  constraint job_file_part_file_id_fkey FOREIGN KEY (file_id) REFERENCES job_file(id) ON DELETE CASCADE
);

create table job_outcome (
  job_id uuid not null,
  position bigint not null,
  subject text not null,
  code text not null,
  reason text not null,
  constraint job_outcome_pkey PRIMARY KEY (job_id, "position"),
  constraint job_outcome_job_id_fkey FOREIGN KEY (job_id) REFERENCES job(id) ON DELETE CASCADE
);

create table key_batch (
  operator_id uuid not null,
  id text not null,
  make text not null,
  issuer text not null,
  digest bytea not null,
  key_count integer not null,
  imported_by text not null,
  imported_at timestamp with time zone not null,
  withdrawn_by text,
  withdrawn_at timestamp with time zone,
  models text[] not null default '{}'::text[],
  constraint key_batch_pkey PRIMARY KEY (operator_id, id),
  constraint key_batch_operator_id_fkey FOREIGN KEY (operator_id) REFERENCES operator(id),
  constraint key_batch_id_check CHECK ((id ~ '^[A-Za-z0-9._:-]{1,64}$'::text)),
  constraint key_batch_key_count_check CHECK ((key_count > 0))
);

create table key_stock (
  id uuid not null,
  operator_id uuid not null,
  batch_id text not null,
  make text not null,
  issuer text not null,
  sealed bytea not null,
  not_before timestamp with time zone not null,
  not_after timestamp with time zone not null,
  device_id uuid,
  item_id uuid,
  bound_at timestamp with time zone,
  withdrawn_at timestamp with time zone,
  constraint key_stock_pkey PRIMARY KEY (id),
  constraint key_stock_device_id_fkey FOREIGN KEY (device_id) REFERENCES device(id),
  constraint key_stock_operator_id_batch_id_fkey FOREIGN KEY (operator_id, batch_id) REFERENCES key_batch(operator_id, id),
  constraint key_stock_bound_whole CHECK (((device_id IS NULL) = (bound_at IS NULL)))
);
create index key_stock_free_of_batch ON key_stock USING btree (operator_id, batch_id, not_after, id) WHERE ((device_id IS NULL) AND (withdrawn_at IS NULL));
create index key_stock_of_batch ON key_stock USING btree (operator_id, batch_id);
create index key_stock_of_device ON key_stock USING btree (device_id, id) WHERE (device_id IS NOT NULL);

create table link (
  id uuid not null,
  operator_id uuid not null,
  order_id uuid not null,
  item_id uuid not null,
  token_hash bytea not null,
  settings_sealed bytea not null,
  expires_at timestamp with time zone not null,
  opened_at timestamp with time zone,
  downloaded_at timestamp with time zone,
  constraint link_pkey PRIMARY KEY (id),
  constraint link_token_hash_key UNIQUE (token_hash)
);
create index link_of_order ON link USING btree (order_id);

create table management_account (
  id uuid not null,
  operator_id uuid not null,
  device_id uuid not null,
  token_hash bytea not null,
  sealed bytea not null,
  version integer not null,
  session_until timestamp with time zone,
  failures integer not null,
  proved_at timestamp with time zone,
  updated_at timestamp with time zone not null,
  constraint management_account_pkey PRIMARY KEY (id),
  constraint management_account_operator_id_device_id_key UNIQUE (operator_id, device_id),
  constraint management_account_token_hash_key UNIQUE (token_hash),
  constraint management_account_device_id_fkey FOREIGN KEY (device_id) REFERENCES device(id),
  constraint management_account_operator_id_fkey FOREIGN KEY (operator_id) REFERENCES operator(id)
);

create table management_task (
  id uuid not null,
  operator_id uuid not null,
  account_id uuid not null,
  order_id uuid not null,
  item_id uuid not null,
  settings_sealed bytea not null,
  expires_at timestamp with time zone not null,
  opened_at timestamp with time zone,
  ended_at timestamp with time zone,
  created_at timestamp with time zone not null,
  constraint management_task_pkey PRIMARY KEY (id),
  constraint management_task_account_id_fkey FOREIGN KEY (account_id) REFERENCES management_account(id),
  constraint management_task_operator_id_fkey FOREIGN KEY (operator_id) REFERENCES operator(id)
);
create index management_task_open ON management_task USING btree (account_id, id) WHERE (ended_at IS NULL);
create index management_task_order ON management_task USING btree (order_id);

create table message (
  id uuid not null,
  operator_id uuid not null,
  order_id uuid,
  subscriber_id uuid,
  destination_sealed bytea,
  payload_id uuid,
  kind text not null,
  idempotency_key text not null,
  reference integer not null,
  part_count integer not null,
  state text not null,
  reason text not null,
  due_at timestamp with time zone,
  lease_until timestamp with time zone,
  attempts integer not null default 0,
  expires_at timestamp with time zone not null,
  created_at timestamp with time zone not null,
  updated_at timestamp with time zone not null,
  leased_by integer,
  is_unasked boolean not null default false,
  destination_index bytea,
  number_lost_at timestamp with time zone,
  perhaps_with text,
  perhaps_until timestamp with time zone,
  sealed bytea,
  octets integer,
  constraint message_pkey PRIMARY KEY (id),
  constraint message_operator_id_idempotency_key_key UNIQUE (operator_id, idempotency_key),
  constraint message_has_content CHECK (((payload_id IS NOT NULL) OR ((sealed IS NOT NULL) AND (octets IS NOT NULL)))),
  constraint message_kind_check CHECK ((kind = ANY (ARRAY['settings'::text, 'key'::text, 'package'::text, 'link'::text, 'pin_notice'::text, 'text'::text, 'notice'::text, 'bootstrap'::text, 'wake'::text]))) NOT VALID,
  constraint message_part_count_check CHECK (((part_count >= 1) AND (part_count <= 255))),
  constraint message_reference_check CHECK (((reference >= 0) AND (reference <= 65535))),
  constraint message_state_check CHECK ((state = ANY (ARRAY['queued'::text, 'submitting'::text, 'submitted'::text, 'delivered'::text, 'failed'::text, 'expired'::text, 'cancelled'::text])))
);
create index message_by_id ON message USING btree (operator_id, id DESC);
create index message_due ON message USING btree (due_at) WHERE (due_at IS NOT NULL);
create index message_due_of_operator ON message USING btree (operator_id, due_at) WHERE (due_at IS NOT NULL);
create index message_in_flight ON message USING btree (expires_at) WHERE (state = ANY (ARRAY['queued'::text, 'submitting'::text, 'submitted'::text]));
create index message_in_flight_of_subscriber ON message USING btree (subscriber_id) WHERE ((subscriber_id IS NOT NULL) AND (state = ANY (ARRAY['queued'::text, 'submitting'::text, 'submitted'::text])));
create index message_of_order ON message USING btree (order_id) WHERE (order_id IS NOT NULL);
create index message_unasked_of_subscriber ON message USING btree (subscriber_id) WHERE (is_unasked AND (state = ANY (ARRAY['queued'::text, 'submitting'::text])));
create index message_unasked_to ON message USING btree (operator_id, destination_index) WHERE (is_unasked AND (state = ANY (ARRAY['queued'::text, 'submitting'::text])));
create index message_unsuccessful ON message USING btree (operator_id, state, id DESC) WHERE (state = ANY (ARRAY['failed'::text, 'expired'::text, 'cancelled'::text]));

create table message_key (
  operator_id uuid not null,
  digest bytea not null,
  message_id uuid not null,
  kept_at timestamp with time zone not null default now(),
  constraint message_key_pkey PRIMARY KEY (operator_id, digest)
);
create index message_key_by_age ON message_key USING btree (message_id);

create table message_part (
  message_id uuid not null,
  sequence integer not null,
  smsc text not null,
  smsc_message_id text not null,
  state text not null,
  error_code text,
  accepted_at timestamp with time zone not null,
  done_at timestamp with time zone,
  reported_state text,
  speaks_for_message boolean not null default false,
  constraint message_part_pkey PRIMARY KEY (message_id, sequence),
  constraint message_part_state_check CHECK ((state = ANY (ARRAY['accepted'::text, 'delivered'::text, 'failed'::text, 'expired'::text])))
);
create index message_part_by_smsc_id ON message_part USING btree (smsc, smsc_message_id);

create table message_stop (
  operator_id uuid not null,
  msisdn_index bytea not null,
  subscriber_id uuid,
  stopped_at timestamp with time zone not null,
  constraint message_stop_pkey PRIMARY KEY (operator_id, msisdn_index),
  constraint message_stop_operator_id_fkey FOREIGN KEY (operator_id) REFERENCES operator(id),
  constraint message_stop_subscriber_id_fkey FOREIGN KEY (subscriber_id) REFERENCES subscriber(id)
);
create index message_stop_of_subscriber ON message_stop USING btree (subscriber_id) WHERE (subscriber_id IS NOT NULL);

create table monthly_statistic (
  operator_id uuid not null,
  kind text not null,
  month date not null,
  what text[] not null,
  count bigint not null,
  constraint monthly_statistic_pkey PRIMARY KEY (operator_id, kind, month, what),
  constraint monthly_statistic_count_check CHECK ((count > 0)),
  constraint monthly_statistic_kind_check CHECK ((kind = ANY (ARRAY['sightings'::text, 'events'::text, 'audit'::text, 'messages'::text, 'people'::text])))
);

create table node (
  number integer not null,
  joined_at timestamp with time zone not null default now(),
  reads_past boolean not null default false,
  constraint node_pkey PRIMARY KEY (number)
);

create table offer (
  id uuid not null,
  operator_id uuid not null,
  subscriber_id uuid not null,
  item_id text not null,
  code text not null,
  token_hash bytea not null,
  state text not null,
  made_by text not null,
  created_at timestamp with time zone not null,
  expires_at timestamp with time zone not null,
  order_id uuid,
  answered_at timestamp with time zone,
  given_sealed bytea,
  constraint offer_pkey PRIMARY KEY (id),
  constraint offer_token_hash_key UNIQUE (token_hash),
  constraint offer_operator_id_fkey FOREIGN KEY (operator_id) REFERENCES operator(id),
  constraint offer_subscriber_id_fkey FOREIGN KEY (subscriber_id) REFERENCES subscriber(id),
  constraint offer_state_check CHECK ((state = ANY (ARRAY['sent'::text, 'taken'::text, 'declined'::text, 'expired'::text])))
);
create index offer_by_id ON offer USING btree (operator_id, id DESC);
create index offer_given ON offer USING btree (expires_at) WHERE (given_sealed IS NOT NULL);
create index offer_of_subscriber ON offer USING btree (subscriber_id, id DESC);

create table operator (
  id uuid not null,
  slug text not null,
  name text not null,
  kind text not null,
  home_plmns text[] not null default '{}'::text[],
  created_at timestamp with time zone not null default now(),
  constraint operator_pkey PRIMARY KEY (id),
  constraint operator_slug_key UNIQUE (slug),
  constraint operator_kind_check CHECK ((kind = ANY (ARRAY['mno'::text, 'mvno'::text, 'secondary'::text, 'tertiary'::text]))),
  constraint operator_slug_check CHECK ((slug ~ '^[a-z0-9][a-z0-9-]{0,62}$'::text))
);

create table operator_policy (
  operator_id uuid not null,
  version integer not null,
  body jsonb not null,
  made_by text not null,
  made_at timestamp with time zone not null default now(),
  reason text,
  constraint operator_policy_pkey PRIMARY KEY (operator_id, version),
  constraint operator_policy_operator_id_fkey FOREIGN KEY (operator_id) REFERENCES operator(id),
  constraint operator_policy_version_check CHECK ((version > 0))
);

create table order_event (
  id uuid not null,
  operator_id uuid not null,
  order_id uuid not null,
  item_id uuid,
  kind text not null,
  state text,
  reason text not null,
  evidence text,
  detail jsonb,
  at timestamp with time zone not null,
  more json,
  tx xid8 default pg_current_xact_id(),
  constraint order_event_pkey PRIMARY KEY (order_id, id)
) partition by RANGE (id);
create index order_event_by_position ON order_event USING btree (operator_id, tx, id) WHERE (tx IS NOT NULL);

create table order_item (
  id uuid not null,
  operator_id uuid not null,
  order_id uuid not null,
  kind text not null,
  state text not null,
  cause text,
  reason text not null,
  next_action text not null,
  deadline_at timestamp with time zone,
  attempt integer not null default 0,
  message_id uuid,
  key_id uuid,
  apns text[] not null default '{}'::text[],
  updated_at timestamp with time zone not null,
  fee_terms jsonb,
  subject jsonb,
  apns_seen text[] not null default '{}'::text[],
  applications_seen text[] not null default '{}'::text[],
  constraint order_item_pkey PRIMARY KEY (id),
  constraint order_item_order_id_fkey FOREIGN KEY (order_id) REFERENCES provisioning_order(id),
  constraint order_item_kind_check CHECK ((kind = ANY (ARRAY['settings'::text, 'key'::text, 'feature'::text, 'service'::text]))),
  constraint order_item_state_check CHECK ((state = ANY (ARRAY['pending'::text, 'waiting_for_key'::text, 'sending'::text, 'delivered'::text, 'opened'::text, 'works'::text, 'failed'::text, 'cancelled'::text, 'awaiting_choice'::text, 'registering'::text, 'needs_information'::text, 'registered'::text, 'access_data_sent'::text, 'forwarded'::text])))
);
create index order_item_of_key ON order_item USING btree (key_id) WHERE (key_id IS NOT NULL);
create index order_item_of_order ON order_item USING btree (order_id);

create table outbound_call (
  id uuid not null,
  operator_id uuid not null,
  order_id uuid,
  item_id uuid,
  kind text not null,
  idempotency_key text not null,
  body jsonb not null,
  state text not null,
  reason text not null,
  due_at timestamp with time zone,
  lease_until timestamp with time zone,
  attempts integer not null default 0,
  deadline_at timestamp with time zone not null,
  created_at timestamp with time zone not null,
  updated_at timestamp with time zone not null,
  leased_by integer,
  sealed bytea,
  constraint outbound_call_pkey PRIMARY KEY (id),
  constraint outbound_call_operator_id_kind_idempotency_key_key UNIQUE (operator_id, kind, idempotency_key),
  constraint outbound_call_kind_check CHECK ((kind = ANY (ARRAY['key_request'::text, 'download_notice'::text, 'fee_request'::text, 'portion_payment'::text, 'remittance_notice'::text, 'identity_check'::text, 'card_check'::text, 'service_registration'::text, 'element_task'::text, 'billing_notice'::text, 'mail_notice'::text, 'forward_request'::text, 'server_notice'::text, 'collection'::text]))),
  constraint outbound_call_state_check CHECK ((state = ANY (ARRAY['due'::text, 'done'::text, 'refused'::text, 'given_up'::text])))
);
create index outbound_call_due ON outbound_call USING btree (kind, due_at) WHERE (due_at IS NOT NULL);
create index outbound_call_of_order ON outbound_call USING btree (order_id) WHERE (order_id IS NOT NULL);

create table own_issuer (
  only_one boolean not null default true,
  private_key_sealed bytea not null,
  made_at timestamp with time zone not null default now(),
  constraint own_issuer_pkey PRIMARY KEY (only_one),
  constraint own_issuer_only_one_check CHECK (only_one)
);

create table pairing (
  id uuid not null,
  operator_id uuid not null,
  subscriber_id uuid not null,
  device_id uuid not null,
  first_seen_at timestamp with time zone not null,
  last_seen_at timestamp with time zone not null,
  since timestamp with time zone not null,
  is_current boolean not null,
  serving_plmn text,
  constraint pairing_pkey PRIMARY KEY (id),
  constraint pairing_subscriber_id_device_id_key UNIQUE (subscriber_id, device_id),
  constraint pairing_device_id_fkey FOREIGN KEY (device_id) REFERENCES device(id),
  constraint pairing_subscriber_id_fkey FOREIGN KEY (subscriber_id) REFERENCES subscriber(id)
);
create unique index pairing_current ON pairing USING btree (subscriber_id) WHERE is_current;
create index pairing_of_device ON pairing USING btree (device_id);

create table past_message (
  id uuid not null,
  operator_id uuid not null,
  order_id uuid,
  subscriber_id uuid,
  destination_sealed bytea,
  destination_index bytea,
  payload_id uuid,
  kind text not null,
  idempotency_key text not null,
  reference integer not null,
  part_count integer not null,
  state text not null,
  reason text not null,
  attempts integer not null,
  expires_at timestamp with time zone not null,
  created_at timestamp with time zone not null,
  updated_at timestamp with time zone not null,
  leased_by integer,
  is_unasked boolean not null,
  number_lost_at timestamp with time zone,
  parts jsonb,
  sealed bytea,
  octets integer,
  protocol text,
  sec text,
  unconfirmed boolean not null default false,
  bearer text,
  channel text,
  channel_rule text,
  part_octets integer,
  payload_at timestamp with time zone,
  constraint past_message_pkey PRIMARY KEY (id)
) partition by RANGE (id);
create index past_message_by_id ON past_message USING btree (operator_id, id DESC);
create index past_message_of_order ON past_message USING btree (order_id) WHERE (order_id IS NOT NULL);
create index past_message_of_subscriber ON past_message USING btree (subscriber_id) WHERE (subscriber_id IS NOT NULL);
create index past_message_to ON past_message USING btree (operator_id, destination_index) WHERE (destination_index IS NOT NULL);

create table payload (
  id uuid not null,
  operator_id uuid not null,
  kind text not null,
  protocol text not null,
  sec text,
  octets integer not null,
  sealed bytea not null,
  created_at timestamp with time zone not null,
  unconfirmed boolean not null default false,
  bearer text,
  channel text,
  channel_rule text,
  part_octets integer,
  constraint payload_pkey PRIMARY KEY (id),
  constraint payload_kind_check CHECK ((kind = ANY (ARRAY['settings'::text, 'key'::text, 'package'::text, 'link'::text, 'pin_notice'::text, 'text'::text, 'notice'::text, 'bootstrap'::text, 'wake'::text]))) NOT VALID,
  constraint payload_protocol_check CHECK ((protocol = ANY (ARRAY['omacp'::text, 'nokiaota'::text, 'device_key'::text, 'multipart'::text, 'text'::text, 'notice'::text, 'si'::text, 'sl'::text, 'omadm'::text]))) NOT VALID,
  constraint payload_sec_check CHECK ((sec = ANY (ARRAY['netwpin'::text, 'userpin'::text, 'usernetwpin'::text, 'userpinmac'::text])))
);

create table payment_batch (
  id uuid not null,
  operator_id uuid not null,
  execution_date date not null,
  transfer_count integer not null,
  payer_masked text not null,
  file_sealed bytea not null,
  file_sha256 bytea not null,
  file_octets integer not null,
  made_by text not null,
  made_at timestamp with time zone not null,
  release text not null default 'released'::text,
  release_until timestamp with time zone,
  released_by text,
  released_at timestamp with time zone,
  release_reason text,
  made_by_person text,
  made_by_vouched text[] not null default '{}'::text[],
  released_by_person text,
  constraint payment_batch_pkey PRIMARY KEY (id),
  constraint payment_batch_operator_id_fkey FOREIGN KEY (operator_id) REFERENCES operator(id),
  constraint payment_batch_release_check CHECK ((release = ANY (ARRAY['released'::text, 'awaiting'::text, 'refused'::text, 'lapsed'::text]))),
  constraint payment_batch_transfer_count_check CHECK ((transfer_count > 0)),
  constraint payment_batch_waits_with_an_end CHECK (((release <> 'awaiting'::text) OR (release_until IS NOT NULL)))
);
create index payment_batch_awaiting ON payment_batch USING btree (release_until) WHERE (release = 'awaiting'::text);
create index payment_batch_by_id ON payment_batch USING btree (operator_id, id DESC);

create table payment_line (
  id uuid not null,
  operator_id uuid not null,
  transfer_id uuid not null,
  charge_id uuid not null,
  dispute_id uuid,
  position integer not null,
  amount_minor bigint not null,
  booked_minor bigint not null default 0,
  live boolean not null,
  constraint payment_line_pkey PRIMARY KEY (id),
  constraint payment_line_charge_id_fkey FOREIGN KEY (charge_id) REFERENCES charge(id),
  constraint payment_line_transfer_id_fkey FOREIGN KEY (transfer_id) REFERENCES payment_transfer(id),
  constraint payment_line_amount_minor_check CHECK ((amount_minor <> 0)),
  constraint set_off_is_negative CHECK (((amount_minor < 0) = (dispute_id IS NOT NULL)))
);
create index payment_line_of_transfer ON payment_line USING btree (transfer_id, id);
create unique index payment_line_once ON payment_line USING btree (charge_id) WHERE (live AND (dispute_id IS NULL));
create unique index payment_line_set_off_once ON payment_line USING btree (dispute_id) WHERE (live AND (dispute_id IS NOT NULL));

create table payment_transfer (
  id uuid not null,
  operator_id uuid not null,
  batch_id uuid not null,
  make text not null,
  currency text not null,
  amount_minor bigint not null,
  booked_minor bigint not null default 0,
  booked_by text,
  end_to_end_id text not null,
  payment_info_id text not null,
  reference text not null,
  creditor_masked text not null,
  state text not null,
  reason text not null,
  next_action text not null,
  owner text not null,
  deadline_at timestamp with time zone,
  created_at timestamp with time zone not null,
  updated_at timestamp with time zone not null,
  constraint payment_transfer_pkey PRIMARY KEY (id),
  constraint payment_transfer_operator_id_end_to_end_id_key UNIQUE (operator_id, end_to_end_id),
  constraint payment_transfer_batch_id_fkey FOREIGN KEY (batch_id) REFERENCES payment_batch(id),
  constraint payment_transfer_amount_minor_check CHECK ((amount_minor > 0)),
  constraint payment_transfer_booked_by_check CHECK ((booked_by = ANY (ARRAY['status'::text, 'movement'::text]))),
  constraint payment_transfer_check CHECK (((booked_minor >= 0) AND (booked_minor <= amount_minor))),
  constraint payment_transfer_currency_check CHECK ((currency ~ '^[A-Z]{3}$'::text)),
  constraint payment_transfer_state_check CHECK ((state = ANY (ARRAY['exported'::text, 'accepted'::text, 'partly_booked'::text, 'booked'::text, 'rejected'::text, 'returned'::text, 'partly_returned'::text, 'cancelled'::text]))),
  constraint transfer_never_stands_still CHECK (((deadline_at IS NULL) = (state = ANY (ARRAY['booked'::text, 'rejected'::text, 'returned'::text, 'cancelled'::text]))))
);
create index payment_transfer_of_batch ON payment_transfer USING btree (batch_id);
create index payment_transfer_of_info ON payment_transfer USING btree (operator_id, payment_info_id);
create index payment_transfer_waiting ON payment_transfer USING btree (operator_id, deadline_at) WHERE (deadline_at IS NOT NULL);

create table policy_proposal (
  id uuid not null,
  operator_id uuid not null,
  from_version integer not null,
  body jsonb not null,
  made_by text not null,
  made_at timestamp with time zone not null,
  reason text,
  constraint policy_proposal_pkey PRIMARY KEY (id),
  constraint policy_proposal_operator_id_fkey FOREIGN KEY (operator_id) REFERENCES operator(id)
);

create table portal_link (
  token_hash bytea not null,
  operator_id uuid not null,
  subscriber_id uuid not null,
  device_id uuid,
  purpose text not null,
  otp_hash bytea,
  tries_left integer not null default 5,
  expires_at timestamp with time zone not null,
  used_at timestamp with time zone,
  constraint portal_link_pkey PRIMARY KEY (token_hash),
  constraint portal_link_purpose_check CHECK ((purpose = ANY (ARRAY['portal'::text, 'enrol'::text])))
);
create index portal_link_of_subscriber ON portal_link USING btree (subscriber_id);

create table posting (
  id uuid not null,
  operator_id uuid not null,
  reference text not null,
  charge_id uuid,
  debit text not null,
  credit text not null,
  amount_minor bigint not null,
  currency text not null,
  booked_at timestamp with time zone not null,
  collection_id uuid,
  constraint posting_pkey PRIMARY KEY (id),
  constraint posting_operator_id_reference_key UNIQUE (operator_id, reference),
  constraint posting_charge_id_fkey FOREIGN KEY (charge_id) REFERENCES charge(id),
  constraint posting_collection_id_fkey FOREIGN KEY (collection_id) REFERENCES collection(id),
  constraint posting_amount_minor_check CHECK ((amount_minor > 0)),
  constraint posting_books_one_thing CHECK (((charge_id IS NULL) <> (collection_id IS NULL))),
  constraint posting_currency_check CHECK ((currency ~ '^[A-Z]{3}$'::text)),
  constraint posting_has_two_sides CHECK ((debit <> credit))
);
create index posting_by_id ON posting USING btree (operator_id, id DESC);
create index posting_of_charge ON posting USING btree (charge_id, id DESC);
create index posting_of_collection ON posting USING btree (collection_id) WHERE (collection_id IS NOT NULL);
create index posting_of_credit ON posting USING btree (operator_id, credit, id);
create index posting_of_debit ON posting USING btree (operator_id, debit, id);

create table provisioned_item (
  id uuid not null,
  operator_id uuid not null,
  subscriber_id uuid not null,
  device_id uuid not null,
  item_id text not null,
  version integer not null,
  order_id uuid not null,
  since timestamp with time zone not null,
  ended_at timestamp with time zone,
  ended_by uuid,
  renews_at timestamp with time zone,
  renewals integer not null default 0,
  given_sealed bytea,
  constraint provisioned_item_pkey PRIMARY KEY (id),
  constraint provisioned_item_device_id_fkey FOREIGN KEY (device_id) REFERENCES device(id),
  constraint provisioned_item_subscriber_id_fkey FOREIGN KEY (subscriber_id) REFERENCES subscriber(id)
);
create unique index provisioned_item_current ON provisioned_item USING btree (operator_id, subscriber_id, item_id) WHERE (ended_at IS NULL);
create index provisioned_item_of_device ON provisioned_item USING btree (subscriber_id, device_id);
create index provisioned_item_renewing ON provisioned_item USING btree (renews_at) WHERE ((renews_at IS NOT NULL) AND (ended_at IS NULL));

create table provisioning_order (
  id uuid not null,
  operator_id uuid not null,
  subscriber_id uuid not null,
  device_id uuid not null,
  cause text not null,
  idempotency_key text,
  network_kind text not null,
  market text,
  state text not null,
  reason text not null,
  next_action text not null,
  due_at timestamp with time zone,
  deadline_at timestamp with time zone,
  attempts integer not null default 0,
  make text,
  model text,
  verdict text,
  verdict_reasons jsonb,
  created_at timestamp with time zone not null,
  updated_at timestamp with time zone not null,
  ended_at timestamp with time zone,
  serving_plmn text,
  updated_slot timestamp with time zone,
  sends integer not null default 0,
  policy_version integer,
  messages_away boolean not null default false,
  constraint provisioning_order_pkey PRIMARY KEY (id),
  constraint provisioning_order_device_id_fkey FOREIGN KEY (device_id) REFERENCES device(id),
  constraint provisioning_order_subscriber_id_fkey FOREIGN KEY (subscriber_id) REFERENCES subscriber(id),
  constraint order_never_stands_still CHECK (((state = ANY (ARRAY['completed'::text, 'partly_completed'::text, 'failed'::text, 'cancelled'::text, 'rejected'::text, 'declined'::text, 'expired'::text])) OR ((due_at IS NOT NULL) AND (deadline_at IS NOT NULL)))),
  constraint provisioning_order_cause_check CHECK ((cause = ANY (ARRAY['first_registration'::text, 'sim_moved'::text, 'requested'::text, 'self_service'::text, 'representative'::text, 'telephone'::text, 'partner'::text, 'offer'::text]))),
  constraint provisioning_order_network_kind_check CHECK ((network_kind = ANY (ARRAY['mno'::text, 'mvno'::text, 'secondary'::text, 'tertiary'::text]))),
  constraint provisioning_order_state_check CHECK ((state = ANY (ARRAY['received'::text, 'waiting'::text, 'verifying'::text, 'awaiting_consent'::text, 'provisioning'::text, 'completed'::text, 'partly_completed'::text, 'failed'::text, 'cancelled'::text, 'rejected'::text, 'declined'::text, 'expired'::text]))),
  constraint provisioning_order_verdict_check CHECK ((verdict = ANY (ARRAY['ended'::text, 'supported'::text, 'unknown'::text])))
);
create index provisioning_order_by_attempts ON provisioning_order USING btree (operator_id, sends, id) INCLUDE (state, cause, verdict, make, model, created_at) WHERE (sends > 1);
create index provisioning_order_by_deadline ON provisioning_order USING btree (operator_id, state, deadline_at, id) WHERE (deadline_at IS NOT NULL);
create index provisioning_order_by_market ON provisioning_order USING btree (operator_id, market, id DESC) WHERE (market IS NOT NULL);
create index provisioning_order_by_phone ON provisioning_order USING btree (operator_id, make, model, id);
create index provisioning_order_by_road ON provisioning_order USING btree (operator_id, cause, id DESC) WHERE (cause = ANY (ARRAY['self_service'::text, 'representative'::text, 'telephone'::text, 'partner'::text, 'offer'::text]));
create index provisioning_order_by_standing ON provisioning_order USING btree (operator_id, state, cause, verdict, id);
create index provisioning_order_by_update ON provisioning_order USING btree (operator_id, state, updated_slot);
create index provisioning_order_due ON provisioning_order USING btree (due_at) WHERE (due_at IS NOT NULL);
create index provisioning_order_of_device ON provisioning_order USING btree (device_id, id DESC);
create index provisioning_order_of_subscriber ON provisioning_order USING btree (subscriber_id, id DESC);
create unique index provisioning_order_once ON provisioning_order USING btree (operator_id, idempotency_key) WHERE (idempotency_key IS NOT NULL);
create index provisioning_order_over_of_make ON provisioning_order USING btree (operator_id, make, state, cause, verdict, id) WHERE (state = ANY (ARRAY['completed'::text, 'partly_completed'::text, 'failed'::text, 'cancelled'::text, 'rejected'::text, 'declined'::text, 'expired'::text]));

create table proxy_account (
  id uuid not null,
  operator_id uuid not null,
  device_id uuid not null,
  imsi_sealed bytea,
  msisdn_sealed bytea,
  standing text not null,
  version integer not null,
  line_version integer not null,
  changed_at timestamp with time zone not null,
  changed_by text not null,
  constraint proxy_account_pkey PRIMARY KEY (operator_id, device_id),
  constraint proxy_account_id_key UNIQUE (id),
  constraint proxy_account_device_id_fkey FOREIGN KEY (device_id) REFERENCES device(id),
  constraint proxy_account_operator_id_fkey FOREIGN KEY (operator_id) REFERENCES operator(id),
  constraint proxy_account_standing_check CHECK ((standing = ANY (ARRAY['open'::text, 'blocked'::text, 'closed'::text])))
);
create index proxy_account_by_id ON proxy_account USING btree (operator_id, id);
create unique index proxy_account_by_version ON proxy_account USING btree (operator_id, version);

create table proxy_account_list (
  operator_id uuid not null,
  epoch uuid not null,
  version integer not null,
  constraint proxy_account_list_pkey PRIMARY KEY (operator_id),
  constraint proxy_account_list_operator_id_fkey FOREIGN KEY (operator_id) REFERENCES operator(id)
);

create table proxy_told (
  operator_id uuid not null,
  proxy text not null,
  version integer not null,
  tries integer not null,
  outcome text,
  tried_at timestamp with time zone,
  answered_at timestamp with time zone,
  next_try_at timestamp with time zone not null,
  leased_until timestamp with time zone,
  constraint proxy_told_pkey PRIMARY KEY (operator_id, proxy),
  constraint proxy_told_operator_id_fkey FOREIGN KEY (operator_id) REFERENCES operator(id)
);

create table record_try (
  id uuid not null,
  operator_id uuid not null,
  subscriber_id uuid not null,
  device_id uuid not null,
  order_id uuid not null,
  at timestamp with time zone not null,
  constraint record_try_pkey PRIMARY KEY (id)
);
create index record_try_by_time ON record_try USING btree (at);
create index record_try_of_device ON record_try USING btree (device_id, at);
create index record_try_of_subscriber ON record_try USING btree (subscriber_id, at);

create table registration (
  id uuid not null,
  operator_id uuid not null,
  order_id uuid not null,
  order_item_id uuid not null,
  subscriber_id uuid not null,
  service text not null,
  remote_id text,
  state text not null,
  missing text[] not null default '{}'::text[],
  data_sealed bytea not null,
  access_sealed bytea,
  created_at timestamp with time zone not null,
  updated_at timestamp with time zone not null,
  registered_as uuid,
  constraint registration_pkey PRIMARY KEY (id),
  constraint registration_order_item_id_key UNIQUE (order_item_id),
  constraint registration_subscriber_id_fkey FOREIGN KEY (subscriber_id) REFERENCES subscriber(id),
  constraint registration_state_check CHECK ((state = ANY (ARRAY['asked'::text, 'needs_information'::text, 'registered'::text, 'removing'::text, 'removed'::text, 'not_removed'::text, 'refused'::text, 'withheld'::text, 'replaced'::text])))
);
create index registration_of_subscriber ON registration USING btree (operator_id, subscriber_id);

create table relation (
  id uuid not null,
  operator_id uuid not null,
  make text not null,
  deal boolean not null,
  key_source text not null,
  key_server text,
  access_points jsonb not null default '[]'::jsonb,
  app_hosts text[] not null default '{}'::text[],
  key_issuers jsonb not null default '{}'::jsonb,
  fee_minor bigint not null,
  currency text not null,
  fee_level text not null,
  portion_basis_points integer not null,
  portion_paid_by text not null default 'payment_system'::text,
  key_request_by text not null default 'model_and_imei'::text,
  delete_after_use boolean not null default true,
  key_apns_as_settings boolean not null default false,
  key_stock_low integer not null default 20,
  constraint relation_pkey PRIMARY KEY (id),
  constraint relation_operator_id_make_key UNIQUE (operator_id, make),
  constraint relation_operator_id_fkey FOREIGN KEY (operator_id) REFERENCES operator(id),
  constraint relation_currency_check CHECK ((currency ~ '^[A-Z]{3}$'::text)),
  constraint relation_fee_level_check CHECK ((fee_level = ANY (ARRAY['delivered'::text, 'opened'::text, 'works'::text]))),
  constraint relation_fee_minor_check CHECK ((fee_minor >= 0)),
  constraint relation_key_request_by_check CHECK ((key_request_by = ANY (ARRAY['model_and_imei'::text, 'model'::text, 'imei'::text]))),
  constraint relation_key_source_check CHECK ((key_source = ANY (ARRAY['own'::text, 'maker'::text, 'stock'::text, 'none'::text]))),
  constraint relation_key_stock_low_check CHECK ((key_stock_low >= 0)),
  constraint relation_portion_basis_points_check CHECK (((portion_basis_points >= 0) AND (portion_basis_points <= 10000))),
  constraint relation_portion_paid_by_check CHECK ((portion_paid_by = ANY (ARRAY['payment_system'::text, 'payment_file'::text])))
);
create unique index relation_once ON relation USING btree (operator_id, lower(make));

create table request (
  order_id uuid not null,
  operator_id uuid not null,
  reference text not null,
  action text not null,
  selection text[] not null,
  actor text not null,
  assurance text not null,
  language text not null,
  bearer text,
  user_sealed bytea,
  notice_key_sealed bytea,
  notice_key_reference bytea,
  has_client boolean not null,
  card_token text,
  card_index bytea,
  card_digits text,
  verification jsonb,
  next_notice_at timestamp with time zone,
  created_at timestamp with time zone not null,
  mandate_reference text,
  mandate_signed_on date,
  constraint request_pkey PRIMARY KEY (order_id),
  constraint request_operator_id_reference_key UNIQUE (operator_id, reference),
  constraint request_order_id_fkey FOREIGN KEY (order_id) REFERENCES provisioning_order(id),
  constraint request_action_check CHECK ((action = ANY (ARRAY['add'::text, 'remove'::text]))),
  constraint request_assurance_check CHECK ((assurance = ANY (ARRAY['cert'::text, 'aka'::text, 'network'::text, 'link'::text, 'otp'::text, 'none'::text])))
);
create index request_by_actor ON request USING btree (operator_id, actor, order_id DESC);
create index request_by_id ON request USING btree (operator_id, order_id DESC);
create index request_by_notice_key ON request USING btree (notice_key_reference) WHERE (notice_key_reference IS NOT NULL);

create table retention_sweep (
  kind text not null,
  before jsonb not null,
  done_to text not null default ''::text,
  next_page bigint not null default 0,
  gone jsonb not null default '{}'::jsonb,
  begun_at timestamp with time zone not null,
  ended_at timestamp with time zone,
  constraint retention_sweep_pkey PRIMARY KEY (kind),
  constraint retention_sweep_kind_check CHECK ((kind = ANY (ARRAY['sightings'::text, 'events'::text, 'audit'::text, 'messages'::text, 'people'::text])))
);

create table screen_seen (
  subscriber_id uuid not null,
  operator_id uuid not null,
  screen text not null,
  channel text not null,
  at timestamp with time zone not null,
  constraint screen_seen_pkey PRIMARY KEY (subscriber_id),
  constraint screen_seen_subscriber_id_fkey FOREIGN KEY (subscriber_id) REFERENCES subscriber(id)
);

create table serving_change (
  id uuid not null,
  operator_id uuid not null,
  subscriber_id uuid not null,
  device_id uuid,
  event text not null,
  what text not null,
  at timestamp with time zone not null,
  constraint serving_change_pkey PRIMARY KEY (id),
  constraint serving_change_device_id_fkey FOREIGN KEY (device_id) REFERENCES device(id),
  constraint serving_change_operator_id_fkey FOREIGN KEY (operator_id) REFERENCES operator(id),
  constraint serving_change_subscriber_id_fkey FOREIGN KEY (subscriber_id) REFERENCES subscriber(id),
  constraint serving_change_event_check CHECK ((event = ANY (ARRAY['changed'::text, 'removed'::text]))),
  constraint serving_change_what_check CHECK ((what = ANY (ARRAY['handset'::text, 'number'::text, 'account'::text])))
);
create index serving_change_by_time ON serving_change USING btree (at, id);

create table shared_device (
  device_id uuid not null,
  operator_id uuid not null,
  looked_at timestamp with time zone not null,
  constraint shared_device_pkey PRIMARY KEY (device_id),
  constraint shared_device_device_id_fkey FOREIGN KEY (device_id) REFERENCES device(id),
  constraint shared_device_operator_id_fkey FOREIGN KEY (operator_id) REFERENCES operator(id)
);
create index shared_device_due ON shared_device USING btree (looked_at);

create table shared_device_cursor (
  operator_id uuid not null,
  order_id uuid not null,
  constraint shared_device_cursor_pkey PRIMARY KEY (operator_id),
  constraint shared_device_cursor_operator_id_fkey FOREIGN KEY (operator_id) REFERENCES operator(id)
);

create table sighting (
  id uuid not null,
  operator_id uuid not null,
  subscriber_id uuid not null,
  device_id uuid not null,
  serving_plmn text not null,
  source text not null,
  outcome text not null,
  seen_at timestamp with time zone not null,
  received_at timestamp with time zone not null default now(),
  applet_home text,
  tx xid8 default pg_current_xact_id(),
  constraint sighting_pkey PRIMARY KEY (id, seen_at),
  constraint sighting_applet_home_check CHECK ((applet_home = ANY (ARRAY['sim'::text, 'uicc'::text, 'esim'::text]))),
  constraint sighting_outcome_check CHECK ((outcome = ANY (ARRAY['first_registration'::text, 'sim_moved'::text, 'late'::text])))
) partition by RANGE (seen_at);
create index sighting_by_position ON sighting USING btree (operator_id, tx, id) WHERE (tx IS NOT NULL);
create index sighting_of_subscriber ON sighting USING btree (operator_id, subscriber_id, seen_at DESC);

create table sighting_conflict (
  id uuid not null,
  operator_id uuid not null,
  subscriber_id uuid not null,
  device_id uuid not null,
  source text not null,
  other_device_id uuid not null,
  other_source text not null,
  rule text not null,
  found_at timestamp with time zone not null,
  last_at timestamp with time zone not null,
  times integer not null,
  constraint sighting_conflict_pkey PRIMARY KEY (id),
  constraint sighting_conflict_device_id_fkey FOREIGN KEY (device_id) REFERENCES device(id),
  constraint sighting_conflict_operator_id_fkey FOREIGN KEY (operator_id) REFERENCES operator(id),
  constraint sighting_conflict_other_device_id_fkey FOREIGN KEY (other_device_id) REFERENCES device(id),
  constraint sighting_conflict_subscriber_id_fkey FOREIGN KEY (subscriber_id) REFERENCES subscriber(id)
);
create index sighting_conflict_by_id ON sighting_conflict USING btree (operator_id, id DESC);
create unique index sighting_conflict_of_pair ON sighting_conflict USING btree (subscriber_id, source, other_source, device_id, other_device_id);

create table sighting_minute (
  operator_id uuid not null,
  source text not null,
  minute timestamp with time zone not null,
  received bigint not null,
  changed bigint not null,
  refused bigint not null,
  lagging bigint not null,
  lag_ms bigint not null,
  lag_ms_max bigint not null,
  constraint sighting_minute_pkey PRIMARY KEY (operator_id, source, minute),
  constraint sighting_minute_operator_id_fkey FOREIGN KEY (operator_id) REFERENCES operator(id)
);
create index sighting_minute_by_time ON sighting_minute USING btree (minute);

create table sighting_source (
  operator_id uuid not null,
  source text not null,
  first_received_at timestamp with time zone not null,
  last_received_at timestamp with time zone not null,
  last_seen_at timestamp with time zone,
  constraint sighting_source_pkey PRIMARY KEY (operator_id, source),
  constraint sighting_source_operator_id_fkey FOREIGN KEY (operator_id) REFERENCES operator(id)
);

create table sign_in_link (
  hash bytea not null,
  token_id uuid not null,
  made_at timestamp with time zone not null,
  expires_at timestamp with time zone not null,
  spent_at timestamp with time zone,
  constraint sign_in_link_pkey PRIMARY KEY (hash),
  constraint sign_in_link_token_id_fkey FOREIGN KEY (token_id) REFERENCES api_token(id) ON DELETE CASCADE
);
create index sign_in_link_of_token ON sign_in_link USING btree (token_id);

create table sim_lock (
  id uuid not null,
  operator_id uuid not null,
  imsi_index bytea not null,
  imsi_sealed bytea not null,
  state text not null,
  scope text not null,
  expected_sealed bytea,
  received_sealed bytea,
  foreign_since timestamp with time zone,
  grace_seconds integer not null,
  is_refusing boolean not null,
  changed_at timestamp with time zone not null,
  changed_by text not null,
  constraint sim_lock_pkey PRIMARY KEY (id),
  constraint sim_lock_operator_id_fkey FOREIGN KEY (operator_id) REFERENCES operator(id),
  constraint sim_lock_grace_seconds_check CHECK ((grace_seconds >= 0)),
  constraint sim_lock_scope_check CHECK ((scope = ANY (ARRAY['imei'::text, 'tac'::text, 'list'::text]))),
  constraint sim_lock_state_check CHECK ((state = ANY (ARRAY['neutral'::text, 'armed'::text, 'locked'::text, 'deferred'::text])))
);
create index sim_lock_by_change ON sim_lock USING btree (changed_at);
create index sim_lock_list ON sim_lock USING btree (operator_id, state, id DESC);
create unique index sim_lock_of_sim ON sim_lock USING btree (operator_id, imsi_index);

create table sim_lock_event (
  id uuid not null,
  operator_id uuid not null,
  lock_id uuid not null,
  at timestamp with time zone not null,
  kind text not null,
  expected_sealed bytea,
  received_sealed bytea,
  source text,
  client text,
  actor text,
  reason text,
  outcome text,
  constraint sim_lock_event_pkey PRIMARY KEY (id),
  constraint sim_lock_event_lock_id_fkey FOREIGN KEY (lock_id) REFERENCES sim_lock(id) ON DELETE CASCADE,
  constraint sim_lock_event_operator_id_fkey FOREIGN KEY (operator_id) REFERENCES operator(id)
);
create index sim_lock_event_of_lock ON sim_lock_event USING btree (lock_id, id DESC);

create table sms_day (
  operator_id uuid not null,
  day date not null,
  node integer not null,
  parts bigint not null,
  cost_micros bigint not null,
  constraint sms_day_pkey PRIMARY KEY (operator_id, day, node),
  constraint sms_day_operator_id_fkey FOREIGN KEY (operator_id) REFERENCES operator(id)
);

create table special_imei_day (
  operator_id uuid not null,
  day date not null,
  class text not null,
  source text not null,
  times bigint not null,
  last_at timestamp with time zone not null,
  constraint special_imei_day_pkey PRIMARY KEY (operator_id, day, class, source),
  constraint special_imei_day_operator_id_fkey FOREIGN KEY (operator_id) REFERENCES operator(id)
);
create index special_imei_day_by_day ON special_imei_day USING btree (day);

create table subscriber (
  id uuid not null,
  operator_id uuid not null,
  imsi_index bytea not null,
  imsi_sealed bytea not null,
  msisdn_index bytea,
  msisdn_sealed bytea,
  iccid_sealed bytea,
  home_plmn text not null,
  gid1 text,
  spn text,
  created_at timestamp with time zone not null default now(),
  billing_account_sealed bytea,
  number_lost_at timestamp with time zone,
  erased_at timestamp with time zone,
  constraint subscriber_pkey PRIMARY KEY (id),
  constraint subscriber_operator_id_imsi_index_key UNIQUE (operator_id, imsi_index)
);
create index subscriber_by_msisdn ON subscriber USING btree (operator_id, msisdn_index) WHERE (msisdn_index IS NOT NULL);

create table subscriber_record (
  id uuid not null,
  operator_id uuid not null,
  imsi_index bytea,
  imsi_sealed bytea,
  msisdn_index bytea,
  msisdn_sealed bytea,
  user_sealed bytea not null,
  source text not null,
  updated_at timestamp with time zone not null,
  constraint subscriber_record_pkey PRIMARY KEY (id),
  constraint subscriber_record_operator_id_fkey FOREIGN KEY (operator_id) REFERENCES operator(id),
  constraint subscriber_record_has_a_number CHECK (((imsi_index IS NOT NULL) OR (msisdn_index IS NOT NULL)))
);
create index subscriber_record_by_id ON subscriber_record USING btree (operator_id, id);
create unique index subscriber_record_by_imsi ON subscriber_record USING btree (operator_id, imsi_index) WHERE (imsi_index IS NOT NULL);
create unique index subscriber_record_by_msisdn ON subscriber_record USING btree (operator_id, msisdn_index) WHERE (msisdn_index IS NOT NULL);

create table symptom (
  operator_id uuid not null,
  imei_index bytea not null,
  application text not null,
  server text not null,
  apn text,
  cause text not null,
  source text not null,
  attempts integer not null default 1,
  first_seen_at timestamp with time zone not null,
  last_seen_at timestamp with time zone not null,
  constraint symptom_pkey PRIMARY KEY (operator_id, imei_index, application, server),
  constraint symptom_operator_id_fkey FOREIGN KEY (operator_id) REFERENCES operator(id),
  constraint symptom_attempts_check CHECK ((attempts > 0))
);
create index symptom_by_age ON symptom USING btree (last_seen_at);

create table telephone_pin (
  operator_id uuid not null,
  subscriber_id uuid not null,
  salt bytea not null,
  cost integer not null,
  hash_sealed bytea not null,
  tries integer not null,
  locked_until timestamp with time zone,
  set_at timestamp with time zone not null,
  constraint telephone_pin_pkey PRIMARY KEY (operator_id, subscriber_id),
  constraint telephone_pin_operator_id_fkey FOREIGN KEY (operator_id) REFERENCES operator(id),
  constraint telephone_pin_subscriber_id_fkey FOREIGN KEY (subscriber_id) REFERENCES subscriber(id)
);

create table terms (
  operator_id uuid not null,
  terms_id text not null,
  version integer not null,
  language text not null,
  text text not null,
  sha256 bytea not null,
  made_by text not null,
  made_at timestamp with time zone not null,
  constraint terms_pkey PRIMARY KEY (operator_id, terms_id, version, language),
  constraint terms_operator_id_fkey FOREIGN KEY (operator_id) REFERENCES operator(id),
  constraint terms_terms_id_check CHECK ((terms_id ~ '^[a-z0-9][a-z0-9-]{0,62}$'::text)),
  constraint terms_version_check CHECK ((version > 0))
);

create table text_reply (
  id uuid not null,
  operator_id uuid not null,
  subscriber_id uuid,
  order_id uuid,
  offer_id uuid,
  read_as text not null,
  questions text[] not null default '{}'::text[],
  text_sealed bytea not null,
  answered text,
  received_at timestamp with time zone not null,
  constraint text_reply_pkey PRIMARY KEY (id),
  constraint text_reply_operator_id_fkey FOREIGN KEY (operator_id) REFERENCES operator(id),
  constraint text_reply_subscriber_id_fkey FOREIGN KEY (subscriber_id) REFERENCES subscriber(id),
  constraint text_reply_read_as_check CHECK ((read_as = ANY (ARRAY['accept'::text, 'decline'::text, 'stop'::text, 'start'::text, 'field'::text, 'unclear'::text])))
);
create index text_reply_by_id ON text_reply USING btree (operator_id, id DESC);
create index text_reply_of_subscriber ON text_reply USING btree (subscriber_id, received_at DESC);

create table unmatched_receipt (
  smsc text not null,
  smsc_message_id text not null,
  state text not null,
  error_code text,
  received_at timestamp with time zone not null default now(),
  look_at timestamp with time zone default now(),
  horizon bigint,
  other_ids text[] not null default '{}'::text[],
  reported_state text,
  speaks_for_message boolean not null default false,
  constraint unmatched_receipt_pkey PRIMARY KEY (smsc, smsc_message_id)
);
create index unmatched_receipt_by_age ON unmatched_receipt USING btree (received_at);
create index unmatched_receipt_by_other_id ON unmatched_receipt USING gin (other_ids) WHERE (other_ids <> '{}'::text[]);
create index unmatched_receipt_to_look_for ON unmatched_receipt USING btree (look_at) WHERE (look_at IS NOT NULL);

create table user_account (
  id uuid not null,
  operator_id uuid not null,
  subscriber_id uuid not null,
  user_sealed bytea not null,
  contact_sealed bytea,
  language text not null,
  card_token text,
  card_index bytea,
  card_digits text,
  document_index bytea,
  state text not null,
  billing_reference text,
  created_at timestamp with time zone not null,
  updated_at timestamp with time zone not null,
  billing_told_sealed bytea,
  mandate_reference text,
  mandate_signed_on date,
  constraint user_account_pkey PRIMARY KEY (id),
  constraint user_account_operator_id_subscriber_id_key UNIQUE (operator_id, subscriber_id),
  constraint user_account_operator_id_fkey FOREIGN KEY (operator_id) REFERENCES operator(id),
  constraint user_account_subscriber_id_fkey FOREIGN KEY (subscriber_id) REFERENCES subscriber(id),
  constraint user_account_state_check CHECK ((state = ANY (ARRAY['verified'::text, 'registered'::text, 'closed'::text])))
);
create index user_account_by_card ON user_account USING btree (operator_id, card_index) WHERE (card_index IS NOT NULL);
create index user_account_by_document ON user_account USING btree (operator_id, document_index) WHERE (document_index IS NOT NULL);

create table wireless_network (
  id uuid not null,
  operator_id uuid not null,
  body jsonb not null,
  key_sealed bytea,
  made_by text not null,
  made_at timestamp with time zone not null default now(),
  retired_at timestamp with time zone,
  constraint wireless_network_pkey PRIMARY KEY (id),
  constraint wireless_network_operator_id_fkey FOREIGN KEY (operator_id) REFERENCES operator(id)
);
create index wireless_network_of_operator ON wireless_network USING btree (operator_id, id) WHERE (retired_at IS NULL);
