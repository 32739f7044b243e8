-- Why: what the HTTP API needs. Requests that must not happen twice are remembered (api_request), and every list that
-- it pages or filters has an index in the order of its pages.
-- Safe beside the release before: a new table and indexes that it does not know.

create table api_request (
  operator_id  uuid not null references operator,
  scope        text not null,                         -- method and route
  key_hash     bytea not null,                        -- SHA-256: a client may put a subscriber's number into its key
  fingerprint  bytea not null,                        -- SHA-256 of what was asked
  subject_id   uuid not null,                         -- the id under which the work is done, the same at every repeat
  status       integer,                               -- null while it is being done
  answer       jsonb,                                 -- what a repeat is answered with; never a secret
  begun_at     timestamptz not null,
  primary key (operator_id, scope, key_hash)
);
create index api_request_by_age on api_request (begun_at);

create index provisioning_order_by_make on provisioning_order (operator_id, make, id desc);
create index message_by_id on message (operator_id, id desc);
create index message_unsuccessful on message (operator_id, state, id desc) where state in ('failed', 'expired', 'cancelled');
create index charge_by_state on charge (operator_id, state, id desc);
create index posting_of_charge on posting (charge_id, id desc);
create index device_override_by_id on device_override (operator_id, id desc);
create unique index relation_once on relation (operator_id, lower(make));
