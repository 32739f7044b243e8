-- Why: the device's road (US 6,647,260). A device, or somebody for it, asks for features and services; the request is
-- verified, its terms are agreed to, its items are delivered or registered, network elements and billing are told. It is
-- the same order, item, event, message and call as before, with what only a request has beside them.
-- Safe beside the release before: new tables, wider checks, columns with defaults.

alter table provisioning_order drop constraint provisioning_order_cause_check;
alter table provisioning_order add constraint provisioning_order_cause_check
  check (cause in ('first_registration', 'sim_moved', 'requested', 'self_service', 'representative', 'telephone', 'partner', 'offer'));
alter table provisioning_order drop constraint provisioning_order_state_check;
alter table provisioning_order add constraint provisioning_order_state_check
  check (state in ('received', 'waiting', 'verifying', 'awaiting_consent', 'provisioning', 'completed', 'partly_completed',
                   'failed', 'cancelled', 'rejected', 'declined', 'expired'));
alter table provisioning_order drop constraint order_never_stands_still;
alter table provisioning_order add constraint order_never_stands_still
  check (state in ('completed', 'partly_completed', 'failed', 'cancelled', 'rejected', 'declined', 'expired')
         or (due_at is not null and deadline_at is not null));

alter table order_item drop constraint order_item_kind_check;
alter table order_item add constraint order_item_kind_check check (kind in ('settings', 'key', 'feature', 'service'));
alter table order_item drop constraint order_item_state_check;
alter table order_item add constraint order_item_state_check
  check (state in ('pending', 'waiting_for_key', 'sending', 'delivered', 'opened', 'works', 'failed', 'cancelled',
                   'awaiting_choice', 'registering', 'needs_information', 'registered', 'access_data_sent'));
alter table order_item add column subject jsonb;        -- of a feature or service: catalog id, version, action, what is known of it so far

alter table payload drop constraint payload_kind_check;
alter table payload add constraint payload_kind_check check (kind in ('settings', 'key', 'package', 'link', 'pin_notice', 'text', 'notice'));
alter table payload drop constraint payload_protocol_check;
alter table payload add constraint payload_protocol_check
  check (protocol in ('omacp', 'nokiaota', 'device_key', 'multipart', 'text', 'notice'));
alter table message drop constraint message_kind_check;
alter table message add constraint message_kind_check check (kind in ('settings', 'key', 'package', 'link', 'pin_notice', 'text', 'notice'));

alter table outbound_call drop constraint outbound_call_kind_check;
alter table outbound_call add constraint outbound_call_kind_check
  check (kind in ('key_request', 'download_notice', 'fee_request', 'portion_payment', 'remittance_notice',
                  'identity_check', 'card_check', 'service_registration', 'element_task', 'billing_notice', 'mail_notice'));
alter table outbound_call add column sealed bytea;      -- what of its body is somebody's data or a secret

-- The catalog: what can be asked for. A version is never edited; orders name the version that they were made with.

create table catalog_item (
  operator_id  uuid not null references operator,
  item_id      text not null check (item_id ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
  version      integer not null check (version > 0),
  kind         text not null check (kind in ('feature', 'service', 'package')),
  body         jsonb not null,                        -- kernel/catalog/catalog-item.ts gives its shape
  made_by      text not null,
  made_at      timestamptz not null,
  retired_at   timestamptz,                           -- a newer version took its place, or it is offered no more
  primary key (operator_id, item_id, version)
);
create unique index catalog_item_current on catalog_item (operator_id, item_id) where retired_at is null;

create table terms (                                  -- exact texts that people agree to; a version is never edited
  operator_id  uuid not null references operator,
  terms_id     text not null check (terms_id ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
  version      integer not null check (version > 0),
  language     text not null,
  text         text not null,
  sha256       bytea not null,
  made_by      text not null,
  made_at      timestamptz not null,
  primary key (operator_id, terms_id, version, language)
);

create table catalog_content (                        -- octets of modules that this server holds itself
  operator_id  uuid not null references operator,
  sha256       bytea not null,
  octets       bytea not null,
  made_at      timestamptz not null,
  primary key (operator_id, sha256)
);

-- What a request says beyond its order.

create table request (
  order_id       uuid primary key references provisioning_order,
  operator_id    uuid not null,
  reference      text not null,                       -- what the subscriber's screen and SMS call it: 8 characters
  action         text not null check (action in ('add', 'remove')),
  selection      text[] not null,                     -- catalog ids as they were chosen
  actor          text not null,                       -- who entered it: 'device', a token's label, 'ivr'
  assurance      text not null check (assurance in ('cert', 'aka', 'network', 'link', 'otp', 'none')),
  language       text not null,
  bearer         text,                                -- profile of the air side, where the proxy told it
  user_sealed    bytea,                               -- the user's data and what services ask for, as given; wiped when nothing came of it
  notice_key_sealed bytea,                            -- secures narrowband notices to the client on the device
  notice_key_reference bytea,                         -- what replies of the client name it by
  has_client     boolean not null,                    -- the device runs our client module
  card_token     text,                                -- of the payment house; never the number
  card_index     bytea,                               -- blind index of the card
  card_digits    text,                                -- first 6 and last 4
  verification   jsonb,                               -- each check, what it saw, when
  next_notice_at timestamptz,                         -- of the periodic status
  created_at     timestamptz not null,
  unique (operator_id, reference)
);
create index request_by_notice_key on request (notice_key_reference) where notice_key_reference is not null;
create index request_by_id on request (operator_id, order_id desc);
create index request_by_actor on request (operator_id, actor, order_id desc);
create index provisioning_order_by_road on provisioning_order (operator_id, cause, id desc)
  where cause in ('self_service', 'representative', 'telephone', 'partner', 'offer');

create table consent (
  id             uuid primary key,
  operator_id    uuid not null,
  order_id       uuid not null references provisioning_order,
  terms_id       text not null,
  terms_version  integer not null,
  language       text not null,
  text           text not null,                       -- exactly as it was shown
  code           text not null,                       -- what a reply by text must name
  sent_by        text[] not null default '{}',        -- sms, mail, fax, screen
  asked_at       timestamptz not null,
  answer         text check (answer in ('accept', 'decline')),
  answered_by    text,                                -- channel: sms, screen, device, representative, telephone
  answered_at    timestamptz
);
create index consent_of_order on consent (order_id);

create table user_account (                           -- a verified user; the billing body knows it by `id`
  id             uuid primary key,
  operator_id    uuid not null references operator,
  subscriber_id  uuid not null references subscriber,
  user_sealed    bytea not null,
  contact_sealed bytea,
  language       text not null,
  card_token     text,
  card_index     bytea,                               -- blind index of the card, for fraud patterns
  card_digits    text,
  document_index bytea,                               -- blind index of the identity document
  state          text not null check (state in ('verified', 'registered', 'closed')),
  billing_reference text,
  created_at     timestamptz not null,
  updated_at     timestamptz not null,
  unique (operator_id, subscriber_id)
);
create index user_account_by_card on user_account (operator_id, card_index) where card_index is not null;
create index user_account_by_document on user_account (operator_id, document_index) where document_index is not null;

create table provisioned_item (                       -- what a subscriber has, on which device
  id             uuid primary key,
  operator_id    uuid not null,
  subscriber_id  uuid not null references subscriber,
  device_id      uuid not null references device,
  item_id        text not null,
  version        integer not null,
  order_id       uuid not null,
  since          timestamptz not null,
  ended_at       timestamptz,
  ended_by       uuid                                 -- the order that removed it
);
create unique index provisioned_item_current on provisioned_item (operator_id, subscriber_id, item_id) where ended_at is null;
create index provisioned_item_of_device on provisioned_item (subscriber_id, device_id);

create table registration (                           -- of a user at a service server: our end of what both ends keep
  id             uuid primary key,
  operator_id    uuid not null,
  order_id       uuid not null,
  order_item_id  uuid not null unique,
  subscriber_id  uuid not null references subscriber,
  service        text not null,                       -- URI of the service server
  remote_id      text,                                -- SCIM id over there
  state          text not null check (state in ('asked', 'needs_information', 'registered', 'removed', 'refused')),
  missing        text[] not null default '{}',
  data_sealed    bytea not null,                      -- what was sent
  access_sealed  bytea,                               -- what came back; wiped when the device has it
  created_at     timestamptz not null,
  updated_at     timestamptz not null
);
create index registration_of_subscriber on registration (operator_id, subscriber_id);

create table offer (
  id             uuid primary key,
  operator_id    uuid not null references operator,
  subscriber_id  uuid not null references subscriber,
  item_id        text not null,
  code           text not null,                       -- what a reply names
  token_hash     bytea not null unique,               -- of the link
  state          text not null check (state in ('sent', 'taken', 'declined', 'expired')),
  made_by        text not null,
  created_at     timestamptz not null,
  expires_at     timestamptz not null,
  order_id       uuid,
  answered_at    timestamptz
);
create index offer_of_subscriber on offer (subscriber_id, id desc);
create index offer_by_id on offer (operator_id, id desc);

create table portal_link (                            -- one-time way in by SMS: proves possession of the SIM
  token_hash     bytea primary key,
  operator_id    uuid not null,
  subscriber_id  uuid not null,
  device_id      uuid,                                -- of an enrolment: the only device that may use it
  purpose        text not null check (purpose in ('portal', 'enrol')),
  otp_hash       bytea,
  tries_left     integer not null default 5,
  expires_at     timestamptz not null,
  used_at        timestamptz
);
create index portal_link_of_subscriber on portal_link (subscriber_id);

create table screen_seen (                            -- the last screen of a subscriber: staff see where he is in the flow
  subscriber_id  uuid primary key references subscriber,
  operator_id    uuid not null,
  screen         text not null,
  channel        text not null,                       -- screen, telephone
  at             timestamptz not null
);

alter table api_token drop constraint api_token_role_check;
alter table api_token add constraint api_token_role_check
  check (role in ('admin', 'engineer', 'care', 'probe', 'maker', 'representative', 'partner', 'voice'));
